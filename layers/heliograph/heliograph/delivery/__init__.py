"""Dispatches on their way: claimed, looked at again, rendered, handed over, and finished."""
