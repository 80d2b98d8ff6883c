"""How rendered mails share a SendBulkEmail call: as replacement data of a pass-through template, packed by bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from heliograph.model.dispatches import Rendered
from heliograph.model.policy import Purpose

if TYPE_CHECKING:
    from types_boto3_sesv2.type_defs import (
        BulkEmailContentTypeDef,
        MessageHeaderTypeDef,
        MessageTagTypeDef,
    )

BULK_LIMIT: Final = 50  # SendBulkEmail: destinations a call
BULK_BYTES: Final = 1_000_000  # SendBulkEmail with an inline template: the whole input JSON
TEMPLATE_DATA_LIMIT: Final = 262_144  # characters of ReplacementTemplateData; there are at least as many bytes
TEMPLATE_BYTES: Final = 1_000  # the rest of the input: sender, configuration set, pass-through template

_encode = msgspec.json.Encoder().encode


class Mail(NamedTuple):
    """A rendered message and its entry in a bulk call."""

    rendered: Rendered
    entry: msgspec.Raw
    """The JSON that is sent."""
    size: int
    """Bytes of the entry in the request; a mail that may not go in bulk has the size of a whole call."""


def mail(rendered: Rendered, *, unsubscribe_mailto: str) -> Mail:
    """Address, tags, headers and rendered text of one message, written once."""
    data = _encode({part: rendered.content[part] for part in ("subject", *parts(rendered))})
    entry = {
        "Destination": {"ToAddresses": [rendered.dispatch.addresses[0]]},
        "ReplacementTags": tags(rendered),
        "ReplacementHeaders": headers(rendered, unsubscribe_mailto),
        "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": _quoted(data)}},
    }
    written = _encode(entry)
    return Mail(rendered, msgspec.Raw(written), len(written) if len(data) <= TEMPLATE_DATA_LIMIT else BULK_BYTES)


def _quoted(data: bytes) -> msgspec.Raw:
    """JSON as a string within JSON: nothing but quotes and backslashes is left in it that has to be escaped."""
    return msgspec.Raw(b'"%b"' % data.replace(b"\\", b"\\\\").replace(b'"', b'\\"'))


def packs(mails: Iterable[Mail], *, most: int = BULK_LIMIT) -> Iterator[list[Mail]]:
    """Mails with the same parts, as many as one call takes; `most` is what the account's rate allows."""
    alike: defaultdict[tuple[str, ...], list[Mail]] = defaultdict(list)
    for each in mails:
        alike[parts(each.rendered)].append(each)
    for same in alike.values():
        yield from _filled(same, max(1, min(BULK_LIMIT, most)))


def _filled(mails: list[Mail], most: int) -> Iterator[list[Mail]]:
    separator = len(",")
    pack: list[Mail] = []
    room = BULK_BYTES - TEMPLATE_BYTES
    for each in mails:
        if pack and (len(pack) == most or each.size > room):
            yield pack
            pack, room = [], BULK_BYTES - TEMPLATE_BYTES
        pack.append(each)
        room -= each.size + separator
    yield pack


def pass_through(rendered: Rendered) -> BulkEmailContentTypeDef:
    """The template that SES fills with what we rendered; SES escapes nothing (SES guide, advanced personalization)."""
    placeholders = {part.title(): f"{{{{{part}}}}}" for part in ("subject", *parts(rendered))}
    return {"Template": {"TemplateContent": placeholders, "TemplateData": "{}"}}  # type: ignore[typeddict-item]  # keys are made from the parts


def parts(rendered: Rendered) -> tuple[str, ...]:
    """The bodies that this message has: an empty one would be shown as an empty mail."""
    return tuple(part for part in ("html", "text") if rendered.content.get(part))


def tags(rendered: Rendered) -> list[MessageTagTypeDef]:
    """Our ids, as SES brings them back with every event."""
    return [{"Name": name, "Value": value} for name, value in rendered.tags().items()]


def headers(rendered: Rendered, unsubscribe_mailto: str) -> list[MessageHeaderTypeDef]:
    """Unsubscribe headers, on promotional mail only; one-click (RFC 8058) where there is a page to take it."""
    if rendered.message.purpose is not Purpose.PROMOTIONAL or not rendered.unsubscribe_url:
        return []
    if not rendered.unsubscribe_url.startswith("https:"):
        return [{"Name": "List-Unsubscribe", "Value": f"<{rendered.unsubscribe_url}>"}]
    ways = [f"<{rendered.unsubscribe_url}>"]
    if unsubscribe_mailto:
        ways.append(f"<mailto:{unsubscribe_mailto}>")
    return [
        {"Name": "List-Unsubscribe", "Value": ", ".join(ways)},
        {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
    ]
