"""Read what SendEmail and SendBulkEmail are given into mails, with the limits of SES."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.calls import RefusedError

HEADER_LIMIT = 15  # Content.*.Headers and ReplacementHeaders
HEADER_NAME = re.compile(r"[!-9;-~]{1,126}")  # printable ASCII without a colon
HEADER_VALUE = re.compile(r"[ -~]{1,995}")
RECIPIENT_LIMIT = 50  # per message, To, Cc and Bcc together
TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
TEMPLATE_DATA_LIMIT = 262_144  # characters of TemplateData

Headers = dict[str, str]
Template = Mapping[str, str]
"""As ministack stores it: `SubjectPart`, `HtmlPart`, `TextPart`."""

_VARIABLE = re.compile(r"\{\{\{?\s*([^{}]*?)\s*\}?\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail that SES took."""

    message_id: str
    operation: str
    caller: str
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    headers: Headers = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    configuration_set: str = ""
    template: str = ""
    unrendered: str = ""
    """The error of the template; such a mail is taken and never sent."""
    sent_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody who gets it."""
        return self.to + self.cc + self.bcc


def new_message_id() -> str:
    """An id of the shape that SES gives."""
    millis = int(datetime.now(UTC).timestamp() * 1000)
    return f"0100{millis:012x}-{uuid.uuid4()}-000000"


def read_destination(destination: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The `to`, `cc` and `bcc` of a mail."""
    found = {
        short: tuple(destination.get(name) or ())
        for short, name in (("to", "ToAddresses"), ("cc", "CcAddresses"), ("bcc", "BccAddresses"))
    }
    count = sum(map(len, found.values()))
    if not 1 <= count <= RECIPIENT_LIMIT:
        raise RefusedError("BadRequestException", f"Recipient count {count} is not between 1 and {RECIPIENT_LIMIT}.")
    if not all("@" in address for addresses in found.values() for address in addresses):
        raise RefusedError("BadRequestException", "Missing final '@domain'")
    return found


def read_tags(*sources: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Message tags; a later source wins."""
    tags = {tag["Name"]: tag["Value"] for source in sources for tag in source or ()}
    for text in (*tags.keys(), *tags.values()):
        if not TAG.fullmatch(text):
            words = f"Invalid tag <{text}>: only alphanumeric ASCII characters, '_', and '-' are allowed."
            raise RefusedError("BadRequestException", words)
    return tags


def read_headers(*sources: Iterable[Mapping[str, str]] | None) -> Headers:
    """Message headers; of two with the same name, the one of the later source."""
    by_name: dict[str, tuple[str, str]] = {}
    for source in sources:
        given = list(source or ())
        if len(given) > HEADER_LIMIT:
            raise RefusedError("BadRequestException", f"More than {HEADER_LIMIT} headers.")
        by_name |= {header["Name"].lower(): (header["Name"], header["Value"]) for header in given}
    for name, value in by_name.values():
        if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
            raise RefusedError("BadRequestException", f"Header <{name}> has a name or value that is not allowed.")
    return dict(by_name.values())


def render(template: Template, template_data: str) -> dict[str, str]:
    """The parts of a template with its variables filled in, or `unrendered`: why that is not possible."""
    data = read_template_data(template_data)
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in data:
            missing.append(name)
        return str(data.get(name, ""))

    parts = {
        part: _VARIABLE.sub(value, template.get(stored) or "")
        for part, stored in (("subject", "SubjectPart"), ("html", "HtmlPart"), ("text", "TextPart"))
    }
    if missing:
        return {"unrendered": f"Attribute '{missing[0]}' is not present in the rendering data."}
    return parts


def read_template_data(text: str) -> dict[str, Any]:
    """The variables of a template."""
    if len(text) > TEMPLATE_DATA_LIMIT:
        raise RefusedError("BadRequestException", f"Template data is longer than {TEMPLATE_DATA_LIMIT} characters.")
    try:
        data = json.loads(text or "{}")
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise RefusedError("BadRequestException", "Template data is not a JSON object.")
    return data


def check_simple(template: Template) -> None:
    """Inline templates take simple substitutions only, and the local cloud renders nothing else."""
    for match in _VARIABLE.finditer("".join(str(text or "") for text in template.values())):
        if match[1][:1] in ("#", "/", "^", ">", "&", "!") or match[1] == "else":
            raise RefusedError("BadRequestException", f"Only simple substitutions are rendered, not <{match[0]}>.")
