"""The ledger: every decision, written once."""
