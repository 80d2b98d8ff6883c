"""Channels by their name."""

from __future__ import annotations

import re
from typing import Final, NewType

Channel = NewType("Channel", str)
"""A way to reach a person, such as `email`. Which there are is a list of its own (`channels.registry`).

What was kept or sent by a newer version may name a channel that is not in it: whoever reads that goes on without.
Where people write one, it is checked against the list.
"""

CHANNEL_NAME: Final = re.compile(r"[a-z]{2,16}")
"""What a channel may be called: queues, functions and attributes of people bear its name."""
