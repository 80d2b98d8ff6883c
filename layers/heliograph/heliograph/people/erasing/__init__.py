"""A person leaves: what goes, and what stays and why."""
