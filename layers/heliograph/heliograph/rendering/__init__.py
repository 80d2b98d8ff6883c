"""Compiled templates at run time."""
