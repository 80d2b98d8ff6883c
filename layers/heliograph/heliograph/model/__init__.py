"""The nouns: every type that travels between the capabilities, one family of them a file."""
