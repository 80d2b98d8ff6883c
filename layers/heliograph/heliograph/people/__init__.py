"""The people: their profiles, consents and the proof of them; how they come in, and how they leave."""
