"""What came of dispatches, and what follows from it."""
