"""Heliograph: a message to a person on the channel that they chose, at an hour that they accept, once, with proof."""
