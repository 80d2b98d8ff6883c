"""Read a raw MIME mail into its parts."""

from __future__ import annotations

import base64
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

STANDARD = {"from", "to", "cc", "bcc", "subject", "mime-version", "content-type", "content-transfer-encoding", "date"}


def read_raw(data: str) -> dict[str, Any]:
    """Subject, text, html and the headers that are not standard, of the base64 in Content.Raw.Data."""
    message = message_from_bytes(base64.b64decode(data), policy=policy.default)
    return {
        "subject": str(message["subject"] or ""),
        "text": _body(message, "plain"),
        "html": _body(message, "html"),
        "headers": {name: str(value) for name, value in message.items() if name.lower() not in STANDARD},
    }


def _body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(cast(Any, subtype),))
    return str(part.get_content()) if part else ""
