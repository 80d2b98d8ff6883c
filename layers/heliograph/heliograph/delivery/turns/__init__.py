"""The turns of packs: how fast a channel sends, and what waits meanwhile."""
