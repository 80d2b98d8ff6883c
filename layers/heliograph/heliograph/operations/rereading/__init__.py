"""A run, read again as it was made."""
