"""Dispatches in doubt, once their grace is over."""
