"""The root of the values that travel: frozen, and readable by older and newer code.

Readers are tolerant (unknown fields are ignored, missing ones take their default); writers are strict.
Fields are added with a default and never renamed.
"""

from __future__ import annotations

from typing import Any

import msgspec

JsonObject = dict[str, Any]
"""Raw data of a product event or a segment row: opaque to us, handed to the template."""


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The root of the travelling types."""
