"""What people said about topics and purposes."""
