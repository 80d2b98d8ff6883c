"""How many messages a person gets: caps over rolling windows and calendar days, and the reservations they count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from heliograph.model.channels import Channel
from heliograph.model.decisions import Inputs, Reservation, Ruling, Verdict
from heliograph.model.messages import Message
from heliograph.model.policy import Cap, Policy


def caps_on(message: Message, policy: Policy) -> tuple[Cap, ...]:
    """The caps that a message counts against, on one channel or another."""
    return tuple(cap for cap in policy.caps if cap.purpose is message.purpose and cap.topic in ("", message.topic))


def full_until(
    caps: Iterable[Cap], reserved: Sequence[Reservation], *, channel: Channel, at: datetime, zone: ZoneInfo
) -> datetime | None:
    """When the last of the caps that are full at `at` has room again (UTC); None when all have room.

    A window is half-open: what was sent exactly its length ago no longer counts.
    """
    frees = (free_at(cap, reserved, at=at, zone=zone) for cap in caps if cap.channel in (None, channel))
    return max((free for free in frees if free), default=None)


def free_at(cap: Cap, reserved: Sequence[Reservation], *, at: datetime, zone: ZoneInfo) -> datetime | None:
    """When a cap that is full at `at` has room again (UTC); None when it has room."""
    inside = counted(cap, reserved, at=at, zone=zone)
    if len(inside) < cap.limit:
        return None
    if cap.seconds is None:
        tomorrow = at.astimezone(zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time.min, tzinfo=zone).astimezone(UTC)
    return inside[-cap.limit] + timedelta(seconds=cap.seconds)


def counted(cap: Cap, reserved: Sequence[Reservation], *, at: datetime, zone: ZoneInfo) -> list[datetime]:
    """The times of the messages that count against a cap at `at`, the oldest first."""
    times = sorted(each.at for each in reserved if _counts(cap, each))
    if cap.seconds is None:
        today = at.astimezone(zone).date()
        return [each for each in times if each.astimezone(zone).date() == today]
    return [each for each in times if each > at - timedelta(seconds=cap.seconds)]


def _counts(cap: Cap, reservation: Reservation) -> bool:
    return (
        cap.purpose is reservation.purpose
        and cap.channel in (None, reservation.channel)
        and cap.topic in ("", reservation.topic)
    )


def own_reservation(inputs: Inputs) -> Reservation | None:
    """What an earlier try has reserved for this very request."""
    return next((each for each in inputs.reserved if each.dispatch_id == inputs.dispatch_id), None)


def reserved_after(inputs: Inputs, ruling: Ruling, message: Message, policy: Policy) -> tuple[Reservation, ...]:
    """A person's reservations after a ruling: with one for this request if it is sent.

    Plan takes none back: what it has once dispatched, deliver sends, or skips and gives back.
    """
    if ruling.channel is None or ruling.outcome is not Verdict.DISPATCHED or own_reservation(inputs):
        return inputs.reserved
    mine = Reservation(
        dispatch_id=inputs.dispatch_id,
        at=inputs.now,
        channel=ruling.channel,
        purpose=message.purpose,
        topic=message.topic,
    )
    return (*(each for each in inputs.reserved if each.at > inputs.now - longest(policy)), mine)


def longest(policy: Policy) -> timedelta:
    """How far back the caps of a policy look; a calendar day may have 25 hours, and zones differ by 26."""
    seconds = (cap.seconds or 2 * 86_400 for cap in policy.caps)
    return timedelta(seconds=max(seconds, default=0))
