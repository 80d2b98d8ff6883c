"""The channels, a folder each: how a message leaves, and what comes back."""
