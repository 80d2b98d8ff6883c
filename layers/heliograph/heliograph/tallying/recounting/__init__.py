"""The kept sums of a run against its records."""
