"""Does the ledger say the same as the provider?"""
