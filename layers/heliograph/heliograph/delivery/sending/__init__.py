"""Handing over to a provider, with every answer kept at once."""
