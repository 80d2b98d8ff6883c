"""Product events as send requests."""
