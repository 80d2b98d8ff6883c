"""`heliograph webhook secret`: what it shows verifies what is sent."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from click.testing import CliRunner, Result

from aws.fake import FakeAws
from aws.http import answered
from builders import NOW
from heliograph.channels.webhook import signature
from heliograph.channels.webhook.secret import HEARD_OF_AFTER
from heliograph.runtime import wiring
from heliograph_cli.main import cli

CREATED = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
URL = "https://hooks.example.com/a"
SIGNING = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:signing-1"


@pytest.fixture
def keys(fake_aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The signing keys of a stack with the channel, the newest last."""
    kept = ["old", "new"]
    fake_aws.parameters = {"Channels": "email,webhook"}

    def function(request: AWSPreparedRequest) -> AWSResponse:
        assert request.url.endswith("/functions/heliograph-deliver-webhook/configuration")
        variables = {"HELIOGRAPH_SIGNING_SECRET": SIGNING}
        return answered(request.url, json.dumps({"Environment": {"Variables": variables}}))

    def secret(request: AWSPreparedRequest) -> AWSResponse:
        assert isinstance(request.body, bytes)
        assert json.loads(request.body) == {"SecretId": SIGNING}
        return answered(request.url, json.dumps({"SecretString": "\n".join(kept), "CreatedDate": CREATED.timestamp()}))

    monkeypatch.setattr(fake_aws, "_lambda", function)
    monkeypatch.setattr(fake_aws, "_secretsmanager", secret, raising=False)
    return kept


def run(*words: str) -> Result:
    where = ("--endpoint-url", "http://127.0.0.1:4999")
    return CliRunner().invoke(cli, ["webhook", "secret", *words, *where], catch_exceptions=False)


def of(keys: Sequence[str], url: str = URL) -> list[str]:
    return [signature.spelled(signature.secret_of(url, key)) for key in keys]


def test_an_owner_is_given_the_secret_of_the_newest_key_and_may_still_have_earlier_ones(keys: list[str]) -> None:
    earlier, newest = of(keys)
    assert json.loads(run(URL, "--json").stdout) == {"endpoint": URL, "secret": newest, "earlier": [earlier]}
    shown = run(URL).stdout
    assert shown.index(newest) < shown.index(earlier)


def test_the_secret_is_that_of_the_url_as_it_is_kept(keys: list[str]) -> None:
    told = json.loads(run("https://HOOKS.example.com.:443/a", "--json").stdout)
    assert (told["endpoint"], told["secret"]) == (URL, of(keys)[-1])


def test_what_no_request_could_go_to_has_no_secret(keys: list[str]) -> None:
    for url, why in (("http://hooks.example.com/", "does not begin with https://"), ("chatbot:42", "https://")):
        refused = run(url)
        assert (refused.exit_code, why in refused.stderr) == (2, True)


def test_a_stack_without_the_channel_says_how_to_add_it_to_those_that_it_has(
    keys: list[str], fake_aws: FakeAws
) -> None:
    fake_aws.parameters = {"Channels": "email,push"}
    refused = run(URL)
    assert refused.exit_code == 1
    assert "`heliograph up --channels email,push,webhook`" in " ".join(refused.stderr.split())


@pytest.mark.parametrize(
    ("age", "kept", "is_told"), [(9, ["old", "new"], True), (11, ["old", "new"], False), (9, ["first"], False)]
)
def test_a_secret_that_may_not_sign_yet_is_shown_with_when_it_does(
    keys: list[str], monkeypatch: pytest.MonkeyPatch, age: int, kept: list[str], *, is_told: bool
) -> None:
    keys[:] = kept
    monkeypatch.setattr("heliograph_cli.commands.webhook.now", lambda: CREATED + timedelta(minutes=age))
    assert ("from 10:10 UTC on" in run(URL, "--json").stderr) is is_told


def test_a_key_signs_once_every_function_has_heard_of_it() -> None:
    assert timedelta(seconds=2 * wiring.KEYS_SECONDS) == HEARD_OF_AFTER


def test_every_secret_that_is_shown_verifies_what_is_sent(keys: list[str]) -> None:
    shown = json.loads(run(URL, "--json").stdout)
    sent = signature.headers("m", b"{}", at=NOW, secrets=[signature.secret_of(URL, key) for key in keys])
    signed = f"m.{sent['webhook-timestamp']}.{{}}".encode()
    for secret in (shown["secret"], *shown["earlier"]):
        expected = b64encode(hmac.digest(b64decode(secret.removeprefix("whsec_")), signed, "sha256")).decode()
        assert f"v1,{expected}" in sent["webhook-signature"].split()
