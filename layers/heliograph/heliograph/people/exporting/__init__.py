"""Everybody, as a file that an import reads."""
