"""Scheduling: people who are due in the same minute are planned together."""
