"""The channels: a channel's send and its events live in one file."""
