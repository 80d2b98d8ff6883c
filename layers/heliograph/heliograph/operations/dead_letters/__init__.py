"""Dead letters: what they are about, and what to do."""
