"""Decisions made again from what they were made of."""
