"""The last look at a person before delivery."""
