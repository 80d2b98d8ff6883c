"""Answers about what a person consented to: what holds, now or at a time, and everything that was ever said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from heliograph.channels.registry import CHANNELS
from heliograph.model.people import Consent, ConsentState, consent_key
from heliograph.model.policy import Purpose
from heliograph.model.values import JsonObject
from heliograph.people.consents.answers import Statement, as_of
from heliograph.runtime import wiring
from heliograph.text.errors import NotFoundError


def answer(recipient_id: str, at: datetime | None = None) -> JsonObject:
    """The state of every topic and purpose on every channel, and the history until then, oldest first."""
    history = wiring.consents().statements(recipient_id)
    person = wiring.recipients().get_many([recipient_id], consistent=True).get(recipient_id)
    if person is None and not history:
        raise NotFoundError(f"Nobody is known as {recipient_id}.", "`heliograph recipients export` lists everybody.")
    held = as_of(history, at) if at else person.consents if person else {}
    said = [each for each in history if at is None or each.consent.at <= at]
    return {
        "recipient_id": recipient_id,
        "at": at,
        "consents": [_told(key, held.get(key)) for key in _keys({*held, *(each.key for each in said)})],
        "history": [_entry(each, holds=held.get(each.key) == each.consent) for each in said],
    }


def _keys(known: set[str]) -> list[str]:
    """Topics as the policy orders them, others of which somebody spoke once, and purposes."""
    spoken = sorted({key.partition("/")[0] for key in known})
    subjects = dict.fromkeys([*wiring.templates().policy.topics, *spoken])
    topics = [subject for subject in subjects if subject not in set(Purpose)]
    return [consent_key(subject, channel) for subject in (*topics, *Purpose) for channel in CHANNELS]


def _told(key: str, consent: Consent | None) -> JsonObject:
    subject, _, channel = key.partition("/")
    blank: dict[str, str | datetime | None] = {"at": None, "source": "", "text": "", "proof": ""}
    facts = msgspec.structs.asdict(consent) if consent else {"state": ConsentState.NOT_SET, **blank}
    return {"subject": subject, "channel": channel, **facts}


def _entry(said: Statement, *, holds: bool) -> JsonObject:
    return {**_told(said.key, said.consent), "recorded_at": said.recorded_at, "holds": holds}


ACTIONS: Mapping[str, Callable[..., JsonObject]] = {"consents": answer}
"""Questions by their names."""
