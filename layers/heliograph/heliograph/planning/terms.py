"""What a message and the policy ask of everybody, whoever the person is: worked out once for all of them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from heliograph.model.channels import Channel
from heliograph.model.messages import Message
from heliograph.model.people import consent_key
from heliograph.model.policy import Enforcement, Hours, Policy, Purpose
from heliograph.planning.caps import caps_on
from heliograph.planning.hours import next_permitted

DEFAULT_ENFORCEMENT = {
    Purpose.PROMOTIONAL: Enforcement.OPT_IN,
    Purpose.TRANSACTIONAL: Enforcement.OPT_OUT,
}
TERMS_AT_HAND: Final = 128  # messages with their policy
TIMES_AT_HAND: Final = 1_024  # times, in a country and a zone, of a message on a channel


class ChannelTerms:
    """What is asked of a message on one channel."""

    def __init__(self, message: Message, policy: Policy, channel: Channel) -> None:
        self.enforcement: Final = enforcement_of(message.purpose, channel, policy)
        self.topic: Final = consent_key(message.topic, channel)
        self.purpose: Final = consent_key(message.purpose, channel)
        self._hours = tuple(
            rule
            for rule in policy.hours
            if rule.purpose is message.purpose and (not rule.channels or channel in rule.channels)
        )
        self.permitted_from: Final = lru_cache(TIMES_AT_HAND)(self._permitted_from)
        """The first moment from one on that the policy permits in a country and a zone; None: never."""

    def hours(self, country: str) -> tuple[Hours, ...]:
        """The rules on hours that hold in a country."""
        return tuple(rule for rule in self._hours if not rule.countries or country in rule.countries)

    def _permitted_from(self, moment: datetime, country: str, zone: ZoneInfo) -> datetime | None:
        return next_permitted(self.hours(country), country, moment, zone)


class Terms:
    """What is asked of a message."""

    def __init__(self, message: Message, policy: Policy) -> None:
        self.message: Final = message
        self.policy: Final = policy
        self.is_promotional: Final = message.purpose is Purpose.PROMOTIONAL
        self.channels: Final = message.every_channel()
        self.steps: Final = (message.channels, *(each.channels for each in message.fallback))
        """The channels that are tried first, and those of each fallback."""
        self.by_engagement: Final = policy.by_engagement if message.by_engagement is None else message.by_engagement
        self.wait_at_most: Final = policy.wait_at_most if message.wait_at_most is None else message.wait_at_most
        """Seconds."""
        self.caps: Final = caps_on(message, policy)
        self.on: Final = lru_cache(None)(self._on)
        """Those of a channel."""
        self.alone: Final = lru_cache(None)(self._alone)
        """Those of the message as if a channel were its only one."""
        on_each = [self.on(each) for each in self.channels]
        self.subjects: Final = (*(each.topic for each in on_each), *(each.purpose for each in on_each))
        """The consents that are asked for."""

    def _on(self, channel: Channel) -> ChannelTerms:
        return ChannelTerms(self.message, self.policy, channel)

    def _alone(self, channel: Channel) -> Terms:
        return Terms(msgspec.structs.replace(self.message, channels=(channel,), fallback=()), self.policy)


_at_hand: dict[tuple[int, int], Terms] = {}
"""By what they are made of, which they hold: no id in it is ever that of something else."""


def terms_of(message: Message, policy: Policy) -> Terms:
    """The terms of a message under a policy."""
    key = (id(message), id(policy))
    if key not in _at_hand:
        if len(_at_hand) == TERMS_AT_HAND:
            _at_hand.clear()
        _at_hand[key] = Terms(message, policy)
    return _at_hand[key]


def enforcement_of(purpose: Purpose, channel: Channel, policy: Policy) -> Enforcement:
    """How strictly consents are enforced."""
    return policy.enforcement.get(purpose, {}).get(channel, DEFAULT_ENFORCEMENT[purpose])
