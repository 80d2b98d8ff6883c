"""How AWS is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore import xform_name

from builders import NOW
from heliograph.aws import clients, signing
from trim_botocore import OPERATIONS


class StoppedError(Exception):
    """A request was about to leave, and was stopped."""


@pytest.fixture(autouse=True)
def _own_clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clients of a region and a role of nobody."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in {
        "DEFAULT_REGION": "eu-central-1",
        "ACCESS_KEY_ID": "key",
        "SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    forget()
    yield
    forget()


def forget() -> None:
    """Forget the clients, as a new process."""
    for made in (clients.client, clients.provider, clients._session):
        made.cache_clear()


def requests_of(client: Any, service: str) -> list[Any]:
    """What leaves for each operation of a service."""
    requests: list[Any] = []

    def stop(request: Any, **_: Any) -> None:
        requests.append(request)
        raise StoppedError

    client.meta.events.register(f"before-send.{service}", stop)
    for operation in OPERATIONS[service]:
        needed: dict[str, Any] = {"RequestItems": {}} if operation.startswith("Batch") and "Item" in operation else {}
        with pytest.raises(StoppedError):
            getattr(client, xform_name(operation))(**needed)
    return requests


@pytest.mark.parametrize("service", clients.HOT)
@pytest.mark.parametrize("make", [clients.client, clients.provider])
def test_the_host_that_is_called_is_named_and_signed(make: Callable[[str], Any], service: str) -> None:
    requests = requests_of(make(service), service)
    assert len(requests) == len(OPERATIONS[service]), "nothing is tried twice here"
    for request in requests:
        assert request.headers["Host"].decode() == urlsplit(request.url).netloc
        assert re.search("SignedHeaders=([a-z-]+;)*host;", request.headers["Authorization"].decode())


def test_no_header_numbers_the_tries_of_a_call() -> None:
    for request in requests_of(clients.client("sqs"), "sqs"):
        assert not [name for name in request.headers if name.lower().startswith("amz-sdk")]


@pytest.mark.parametrize(("make", "tries"), [(clients.client, 3), (clients.provider, 1)])
def test_only_what_may_be_done_twice_is_tried_again(make: Callable[[str], Any], tries: int) -> None:
    assert make("sesv2").meta.config.retries["total_max_attempts"] == tries


@pytest.mark.parametrize("token", ["", "the token of a role"])
@pytest.mark.parametrize("service", clients.HOT)
def test_signatures_are_those_of_botocore(service: str, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW)
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    ours = requests_of(clients.client(service), service)
    forget()
    monkeypatch.setattr(signing, "VERSION", "v4")
    theirs = requests_of(clients.client(service), service)
    signatures = [request.headers["Authorization"] for request in ours]
    assert signatures == [request.headers["Authorization"] for request in theirs]
    assert all(b"Signature=" in signature for signature in signatures)
    assert len(set(signatures)) == len(OPERATIONS[service])
