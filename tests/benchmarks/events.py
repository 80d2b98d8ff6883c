"""What SES tells about mails, and when: the assumptions that the bill of recording rests on."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from benchmarks.polling import Arrival

SEND = (0.5, 0.5)
"""`Send`: median seconds after the mail was taken and spread (sigma of a lognormal); not published by AWS, assumed."""
MAILBOX = (1.5, 1.0)
"""`Delivery` of those that are prompt: with sigma 1, one of ten takes 5 s or more, one of a hundred 15 s."""
LATE = 0.05
"""Deliveries that greylisting, full mailboxes and throttling providers hold up."""
LATE_SECONDS = (60.0, 4 * 3_600.0)
BOUNCED = 0.005
"""An address of two hundred bounces: a kept list; SES reviews an account at 5 %."""
OPENED, CLICKED = 0.30, 0.05
OPEN = (2 * 3_600.0, 1.7)
"""First opens: half within two hours, a tenth in 14 minutes, a tenth after 18 hours, a hundredth after four days."""
CLICK = (60.0, 1.0)


class Mail(NamedTuple):
    """A mail that SES took, and when (seconds)."""

    at: float
    run_id: str
    pack_id: str
    slot: int


class Told(NamedTuple):
    """What SES tells of a mail."""

    kind: str
    mail: Mail


def _after(at: float, delay: tuple[float, float], rng: random.Random) -> float:
    median, sigma = delay
    return at + rng.lognormvariate(math.log(median), sigma)


def prompt(mails: Iterable[Mail], rng: random.Random) -> Iterator[Arrival[Told]]:
    """`Send` of every mail, and `Delivery` or `Bounce` of all that are not late; in no order."""
    for mail in mails:
        yield Arrival(_after(mail.at, SEND, rng), Told("Send", mail))
        if rng.random() >= LATE:
            kind = "Bounce" if rng.random() < BOUNCED else "Delivery"
            yield Arrival(_after(mail.at, MAILBOX, rng), Told(kind, mail))


def late(mails: Iterable[Mail], start: float, end: float, rng: random.Random) -> Iterator[Arrival[Told]]:
    """The late deliveries of mails that were sent long ago, as they come while others are sent.

    Sending goes on longer than they are late, so as many come in a while as are sent in it, and at any time in it.
    """
    for mail in mails:
        if rng.random() < LATE:
            yield Arrival(rng.uniform(start, end), Told("Delivery", mail))


def engagement(mails: int, rate: float, rng: random.Random) -> list[Arrival[int]]:
    """When a run's mails, so many a second, are opened and clicked; each by the number of its mail."""
    found = []
    for number in range(mails):
        draw = rng.random()
        if draw < OPENED:
            opened = _after(number / rate, OPEN, rng)
            found.append(Arrival(opened, number))
            if draw < CLICKED:
                found.append(Arrival(_after(opened, CLICK, rng), number))
    return sorted(found)
