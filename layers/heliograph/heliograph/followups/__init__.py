"""Fallbacks: the next channel when nobody reacts."""
