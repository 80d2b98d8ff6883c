"""Imports through the bucket."""
