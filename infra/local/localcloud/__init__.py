"""The local cloud: AWS on this machine, for development only, with an outbox that shows what would have been sent."""
