"""Requests that are more than was expected."""
