"""The local cloud: up and down."""
