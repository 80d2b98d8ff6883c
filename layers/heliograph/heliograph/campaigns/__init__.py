"""Campaign folders and their runs."""
