"""What would come of a request before it is made."""
