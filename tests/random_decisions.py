"""Decisions at random: any policy, person, message and time that there may be, the wrong ones among them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple, TypeVar

import msgspec

from builders import CHANNELS, PUSH, a_message, a_recipient, a_request
from heliograph.model.decisions import Inputs, Reservation
from heliograph.model.engagement import EngagementKind
from heliograph.model.messages import Fallback, Message
from heliograph.model.people import Preferences, Recipient, consent_key
from heliograph.model.policy import Cap, Enforcement, Hours, Policy, Purpose
from heliograph.model.requests import EarlierDispatch
from heliograph.model.traces import Achieved, Confirmation
from heliograph.planning.decisions import inputs_of
from heliograph.text import ids

T = TypeVar("T")
START = datetime(2026, 1, 1, tzinfo=UTC)
OWN = 0.02
"""How often there is room reserved already."""
OFF = 0.05
"""How often nobody has set up a channel."""
TOPICS = ("offers", "orders")
SECRETS = ("zoe.private@example.com", "+4915112345678", "gcm:secret-device", "Zoë Geheim", "Rue Cachée 7")
"""What must never get into inputs."""
ZONES = ("", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Mars/Olympus", "../etc", "Europe")
WINDOWS = ("21:00-08:00", "00:00-24:00", "08:00-20:00", "12:00-13:30", "23:59-00:01", "02:00-03:00")
COUNTRIES = ("", "DE", "US", "NP")


class Case(NamedTuple):
    """What a decision is made of."""

    inputs: Inputs
    message: Message
    policy: Policy
    person: Recipient | None


def a_case(rng: Random) -> Case:
    """Any decision."""
    message, policy = _message(rng), _policy(rng)
    now = _time(rng)
    person = _person(rng, message, now) if rng.random() < 0.95 else None
    request = a_request(
        requested_at=now - timedelta(seconds=rng.choice((0, 60, 86_400, 7 * 86_400))),
        not_after=now + timedelta(seconds=rng.choice((-1, 0, 3600, 10**6))) if rng.random() < 0.3 else None,
        fallbacks=rng.randint(0, len(message.fallback)),
        earlier=_earlier(rng),
        attributes={"name": SECRETS[3]},
        data={"street": SECRETS[4]},
        email=SECRETS[0] if rng.random() < 0.3 else "",
    )
    opened = Achieved(Confirmation(PUSH, EngagementKind.OPENED))
    achieved = rng.choice((*[Achieved()] * 10, opened, Achieved(awaited_until=now + timedelta(minutes=5))))
    reserved = [_reservation(rng, now) for _ in range(rng.choice((0, 0, 1, 4)))]
    if rng.random() < OWN:
        own = ids.dispatch_id(request.request_id, request.step)
        reserved.append(msgspec.structs.replace(_reservation(rng, now), dispatch_id=own))
    inputs = inputs_of(
        request,
        message,
        person,
        policy=policy,
        now=now,
        reserved=tuple(reserved),
        achieved=achieved,
        off=_some(rng, CHANNELS, most=1) if rng.random() < OFF else (),
    )
    return Case(inputs, message, policy, person)


def _message(rng: Random) -> Message:
    channels = _some(rng, CHANNELS, least=1)
    fallback = tuple(
        Fallback(unless=rng.choice((EngagementKind.OPENED, EngagementKind.DELIVERED)), within=600, channels=further)
        for further in (_some(rng, CHANNELS, least=1) for _ in range(rng.choice((0, 0, 1, 2))))
    )
    return a_message(
        purpose=rng.choice(tuple(Purpose)),
        topic=rng.choice(TOPICS),
        channels=channels,
        fallback=fallback,
        wait_at_most=rng.choice((None, 0, 3600, 10 * 86_400)),
        by_engagement=rng.choice((None, True, False)),
        locales=dict.fromkeys(CHANNELS, ("en",)),
    )


def _policy(rng: Random) -> Policy:
    return Policy(
        version="p1",
        default_timezone=rng.choice(("UTC", "Asia/Kolkata", "Nowhere/Land")),
        enforcement={rng.choice(tuple(Purpose)): {rng.choice(CHANNELS): rng.choice(tuple(Enforcement))}},
        caps=tuple(_cap(rng) for _ in range(rng.choice((0, 1, 3)))),
        hours=tuple(_hours(rng) for _ in range(rng.choice((0, 1, 2)))),
        wait_at_most=rng.choice((0, 3600, 3 * 86_400)),
        by_engagement=rng.random() < 0.5,
    )


def _cap(rng: Random) -> Cap:
    return Cap(
        limit=rng.randint(1, 3),
        seconds=rng.choice((None, 86_400, 7 * 86_400)),
        purpose=rng.choice(tuple(Purpose)),
        channel=rng.choice((None, *CHANNELS)),
        topic=rng.choice(("", *TOPICS)),
    )


def _hours(rng: Random) -> Hours:
    holidays: list[Any] = [None, None, {rng.choice(COUNTRIES): tuple(_time(rng).date().isoformat() for _ in range(5))}]
    return Hours(
        name="rule",
        purpose=rng.choice(tuple(Purpose)),
        channels=_some(rng, CHANNELS),
        countries=_some(rng, COUNTRIES[1:]) if rng.random() < 0.3 else (),
        days=tuple(sorted(rng.sample(range(7), rng.choice((0, 0, 2))))),
        dates=rng.choice(holidays),
        allowed=rng.choice((None, None, (rng.choice(WINDOWS),))),
        quiet=_some(rng, WINDOWS[:1] + WINDOWS[2:], most=2),
    )


def _person(rng: Random, message: Message, now: datetime) -> Recipient:
    subjects = [consent_key(each, channel) for each in (message.topic, message.purpose) for channel in CHANNELS]
    return a_recipient(
        known=rng.random() < 0.95,
        readable=rng.random() < 0.98,
        email=rng.choice((SECRETS[0], SECRETS[0], "")),
        phone=rng.choice((SECRETS[1], SECRETS[1], "")),
        devices=rng.choice(((SECRETS[2],), ())),
        opted_in=[key for key in subjects if rng.random() < 0.6],
        opted_out=[key for key in subjects if rng.random() < 0.1],
        suppressed=_some(rng, CHANNELS) if rng.random() < 0.2 else (),
        invalid=_some(rng, CHANNELS) if rng.random() < 0.1 else (),
        attributes={"name": SECRETS[3], "street": SECRETS[4]},
        timezone=rng.choice(ZONES),
        phone_timezone=rng.choice(ZONES),
        country_timezone=rng.choice(ZONES),
        country=rng.choice(COUNTRIES),
        engaged={channel: _time(rng) for channel in _some(rng, CHANNELS)},
        preferences=Preferences(
            channels=_some(rng, CHANNELS),
            time=rng.choice(("", "", "18:30", "02:30")),
            quiet=_some(rng, WINDOWS[2:], most=1),
            paused_until=now + timedelta(hours=rng.randint(-5, 50)) if rng.random() < 0.1 else None,
        ),
    )


def _reservation(rng: Random, now: datetime) -> Reservation:
    return Reservation(
        dispatch_id=f"{rng.randrange(10**6)}-0",
        at=now - timedelta(seconds=rng.randrange(8 * 86_400)),
        channel=rng.choice(CHANNELS),
        purpose=rng.choice(tuple(Purpose)),
        topic=rng.choice(TOPICS),
    )


def _earlier(rng: Random) -> tuple[EarlierDispatch, ...]:
    if rng.random() < 0.8:
        return ()
    channel = rng.choice(CHANNELS)
    return (EarlierDispatch(outcome_key="p-1", channel=channel, unless=EngagementKind.OPENED, within=600, at=START),)


def _time(rng: Random) -> datetime:
    return START + timedelta(microseconds=rng.randrange(2 * 365 * 86_400 * 10**6))


def _some(rng: Random, things: Sequence[T], *, least: int = 0, most: int = 3) -> tuple[T, ...]:
    return tuple(rng.sample(things, rng.randint(least, min(most, len(things)))))
