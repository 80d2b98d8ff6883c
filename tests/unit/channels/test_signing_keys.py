"""Keys can be rotated: what was signed with an old one stays good, and a new one signs when everybody knows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from builders import NOW
from heliograph.channels.push.open_tokens import OpenTokens
from heliograph.delivery.links import SALT, UnsubscribeLinks
from heliograph.runtime import wiring
from heliograph.text import ids

TAGS = {"dispatch_id": "d-0", "recipient_id": "amara", "outcome_key": "p-0", "message": "news", "run_id": ""}


class Secrets:
    """A secret, when it was written, and how often it was asked for."""

    def __init__(self) -> None:
        self.text, self.written_at, self.asked = "old", NOW - timedelta(days=9), 0

    def get_secret_value(self, **_: Any) -> dict[str, Any]:
        self.asked += 1
        return {"SecretString": self.text, "CreatedDate": self.written_at}


class Clock:
    """The time that a function sees."""

    now: datetime = NOW


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(wiring, "now", lambda: clock.now)
    return clock


@pytest.fixture
def secrets(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Secrets]:
    secrets = Secrets()
    monkeypatch.setattr(wiring, "client", lambda _: secrets)
    for name in ("SIGNING_SECRET", "UNSUBSCRIBE_URL", "UNSUBSCRIBE_MAILTO"):
        monkeypatch.setenv(
            f"HELIOGRAPH_{name}", "https://example.com/u" if name == "UNSUBSCRIBE_URL" else "a@example.com"
        )
    wiring.signing_keys.cache_clear()
    yield secrets
    wiring.signing_keys.cache_clear()


def signed_by(key: str) -> bool:
    """Whether the links of now are good under this key alone."""
    token = wiring.links().url("amara", "news").rpartition("/")[2]
    is_good, _ = URLSafeSerializer(key, salt=SALT).loads_unsafe(token)
    return bool(is_good)


def test_what_an_old_key_signed_stays_good() -> None:
    before, after = OpenTokens(["old"]), OpenTokens(["old", "new"])
    assert after.is_genuine(TAGS, before.token(TAGS))
    assert not before.is_genuine(TAGS, after.token(TAGS))


@given(person=st.from_regex(ids.IDENTIFIER, fullmatch=True), topic=st.text(min_size=1), mailto=st.booleans())
def test_every_link_names_its_person_and_topic_to_the_serializer_that_reads_it(
    person: str, topic: str, mailto: bool
) -> None:
    base_url = "" if mailto else "https://example.com/u/"
    url = UnsubscribeLinks(["old", "new"], base_url=base_url, mailto="u@example.com").url(person, topic)
    begins = "mailto:u@example.com?subject=unsubscribe%20" if mailto else "https://example.com/u/"
    assert url.startswith(begins)
    assert URLSafeSerializer("new", salt=SALT).loads(url.removeprefix(begins)) == [person, topic]
    assert URLSafeSerializer("old", salt=SALT).loads_unsafe(url.removeprefix(begins))[0] is False


def test_an_old_link_opens_after_a_rotation() -> None:
    link = UnsubscribeLinks(["old"], base_url="https://example.com/u", mailto="").url("amara", "news")
    read = URLSafeSerializer(["old", "new"], salt=SALT).loads(link.rpartition("/")[2])
    assert read == ["amara", "news"]


def test_a_key_that_was_taken_out_opens_nothing() -> None:
    assert not OpenTokens(["new"]).is_genuine(TAGS, OpenTokens(["leaked"]).token(TAGS))


def test_a_new_key_signs_only_when_every_function_has_heard_of_it(clock: Clock, secrets: Secrets) -> None:
    assert signed_by("old")
    secrets.text, secrets.written_at = "old\nnew\n", clock.now
    earlier = OpenTokens(wiring.keys())
    clock.now += timedelta(seconds=wiring.KEYS_SECONDS)
    assert signed_by("old")
    assert OpenTokens(wiring.keys()).is_genuine(TAGS, OpenTokens(["new"]).token(TAGS))
    clock.now += timedelta(seconds=wiring.KEYS_SECONDS)
    assert signed_by("new")
    assert OpenTokens(wiring.keys()).is_genuine(TAGS, earlier.token(TAGS))


def test_the_keys_are_not_asked_for_with_every_message(clock: Clock, secrets: Secrets) -> None:
    for _ in range(100):
        wiring.links()
    assert secrets.asked == 1
