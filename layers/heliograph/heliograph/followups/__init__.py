"""Further channels when nobody reacts."""
