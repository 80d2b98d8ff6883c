"""Rules of signatures: they are those of Standard Webhooks, an endpoint's own, and change without a gap."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime

import pytest

from heliograph.channels.webhook import signature

VECTORS = {
    "of the reference libraries": (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        '{"test": 2432232314}',
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    "of the package standardwebhooks 1.1.0": (
        "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "msg_01JHELIO",
        1795500000,
        '{"type":"message.delivered","timestamp":"2026-11-24T10:00:00Z","data":{"id":"01J"}}',
        "v1,o8Gh9NJKEoAvtaxlanrwcJIc+yzeVujFn6fkpG5gEPI=",
    ),
}


@pytest.mark.parametrize(("secret", "message_id", "at", "body", "expected"), VECTORS.values(), ids=VECTORS)
def test_a_request_is_signed_as_the_specification_says(
    secret: str, message_id: str, at: int, body: str, expected: str
) -> None:
    key = b64decode(secret.removeprefix("whsec_"))
    assert signature.headers(message_id, body.encode(), at=datetime.fromtimestamp(at, UTC), secrets=[key]) == {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": expected,
    }


def test_while_a_secret_changes_a_request_is_signed_with_both() -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    both, old, new = (
        signature.headers("m", b"{}", at=at, secrets=secrets)["webhook-signature"]
        for secrets in ([b"old", b"new"], [b"old"], [b"new"])
    )
    assert both == f"{old} {new}"


def test_every_endpoint_has_a_secret_of_its_own() -> None:
    one, other, later = (
        signature.secret_of(endpoint, key)
        for endpoint, key in (
            ("https://a.example/hooks", "key"),
            ("https://b.example/hooks", "key"),
            ("https://a.example/hooks", "next key"),
        )
    )
    assert len({one, other, later}) == 3
    assert one == signature.secret_of("https://a.example/hooks", "key")


def test_a_secret_is_given_out_as_the_specification_spells_it() -> None:
    secret = signature.secret_of("https://a.example/hooks", "key")
    assert signature.spelled(secret).startswith("whsec_")
    assert b64decode(signature.spelled(secret).removeprefix("whsec_")) == secret
    assert 24 <= len(secret) <= 64
