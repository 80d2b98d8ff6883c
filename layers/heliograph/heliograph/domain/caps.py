"""How many messages a person gets: caps over rolling windows and calendar days, and the reservations they count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from heliograph.domain.model import Cap, Channel, Inputs, Message, Policy, Reservation, Ruling, Verdict


def caps_on(message: Message, policy: Policy) -> tuple[Cap, ...]:
    """The caps that a message counts against, on one channel or another."""
    return tuple(cap for cap in policy.caps if cap.purpose is message.purpose and cap.topic in ("", message.topic))


def full_until(
    caps: Iterable[Cap], reserved: Sequence[Reservation], *, channel: Channel, at: datetime, zone: ZoneInfo
) -> datetime | None:
    """When the last of the caps that are full at `at` has room again (UTC); None when all have room.

    A window is half-open: what was sent exactly its length ago no longer counts.
    """
    frees = (_frees(cap, reserved, at, zone) for cap in caps if cap.channel in (None, channel))
    return max((free for free in frees if free), default=None)


def _frees(cap: Cap, reserved: Sequence[Reservation], at: datetime, zone: ZoneInfo) -> datetime | None:
    counted = sorted(each.at for each in reserved if _counts(cap, each))
    if cap.seconds is None:
        today = at.astimezone(zone).date()
        sent_today = [each for each in counted if each.astimezone(zone).date() == today]
        tomorrow = datetime.combine(today + timedelta(days=1), time.min, tzinfo=zone)
        return tomorrow.astimezone(UTC) if len(sent_today) >= cap.limit else None
    length = timedelta(seconds=cap.seconds)
    inside = [each for each in counted if each > at - length]
    return inside[-cap.limit] + length if len(inside) >= cap.limit else None


def _counts(cap: Cap, reservation: Reservation) -> bool:
    return (
        cap.purpose is reservation.purpose
        and cap.channel in (None, reservation.channel)
        and cap.topic in ("", reservation.topic)
    )


def reserved_after(inputs: Inputs, ruling: Ruling, message: Message, policy: Policy) -> tuple[Reservation, ...]:
    """A person's reservations after a ruling: with one for this request if it is sent, without if it is not."""
    own = next((each for each in inputs.reserved if each.dispatch_id == inputs.dispatch_id), None)
    channel = ruling.channel if ruling.outcome is Verdict.DISPATCHED else None
    if (own.channel if own else None) is channel:
        return inputs.reserved
    others = [each for each in inputs.reserved if each is not own and each.at > inputs.now - longest(policy)]
    if channel is None:
        return tuple(others)
    mine = Reservation(
        dispatch_id=inputs.dispatch_id,
        at=inputs.now,
        channel=channel,
        purpose=message.purpose,
        topic=message.topic,
    )
    return (*others, mine)


def longest(policy: Policy) -> timedelta:
    """How far back the caps of a policy look; a calendar day may have 25 hours, and zones differ by 26."""
    seconds = (cap.seconds or 2 * 86_400 for cap in policy.caps)
    return timedelta(seconds=max(seconds, default=0))
