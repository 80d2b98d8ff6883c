"""From what a provider reports to an engagement event of ours: by the ids that travelled with the message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.text.errors import Code, MalformedError
from heliograph.text.ids import is_derived, is_dispatch_id, is_identifier, split_outcome_key
from heliograph.text.payloads import FIRST, LAST

DETAIL_LIMIT = 128  # characters of a provider's own code
BOT = "Bot"
"""The detail of an open or a click by a machine, such as a mail scanner's."""
SHAPES = {"dispatch_id": is_dispatch_id, "recipient_id": is_identifier, "message": is_identifier}


def tagged_event(
    tags: Mapping[str, str],
    *,
    channel: Channel,
    kind: EngagementKind,
    occurred_at: datetime,
    told_apart_by: tuple[str, ...],
    address: str = "",
    permanent: bool = False,
    detail: str = "",
) -> EngagementEvent:
    """An event from the ids of ours that travelled with the message (`Rendered.tags`); raises MalformedError.

    Every id must have the very shape that we give it: it becomes a key of the tables.
    """
    for name, is_ours in SHAPES.items():
        if not is_ours(tags.get(name, "")):
            raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, name, "is missing, or no id of ours")
    if "run_id" in tags and not is_derived(tags["run_id"]):
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, "run_id", "is no id of ours")
    split_outcome_key(tags.get("outcome_key", ""))
    if not FIRST <= occurred_at < LAST:
        raise MalformedError(
            Code.UNREADABLE_PROVIDER_EVENT, "time", f"is not between the years {FIRST.year} and {LAST.year}"
        )
    return EngagementEvent(
        event_id=event_id(tags["dispatch_id"], kind, *told_apart_by),
        dispatch_id=tags["dispatch_id"],
        recipient_id=tags["recipient_id"],
        channel=channel,
        kind=kind,
        occurred_at=occurred_at,
        outcome_key=tags["outcome_key"],
        run_id=tags.get("run_id", ""),
        message=tags.get("message", ""),
        address=address,
        permanent=permanent,
        detail=detail[:DETAIL_LIMIT],
    )


def event_id(*parts: str) -> str:
    """32 hexadecimal digits that are the same for the same event, however often it is delivered."""
    return blake2b("\x1f".join(parts).encode(errors="surrogatepass"), digest_size=16).hexdigest()
