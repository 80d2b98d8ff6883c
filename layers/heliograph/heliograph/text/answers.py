"""What came of an upload, as it is written beside it: in TOML, for people and programs."""

from __future__ import annotations

import json
from collections.abc import Mapping


def answer(facts: Mapping[str, str | int]) -> bytes:
    """The text of an answer; what is empty is left out."""
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in facts.items() if value != ""]
    return "\n".join(["# What came of this upload. Heliograph writes it; it has no effect.", *lines, ""]).encode()
