"""Calls to AWS over our own connections: the bytes, answers and errors of botocore's, over real sockets and TLS."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)

from aws.scripted import EARLY, HANGS_UP, SILENCE, said, scripted
from aws.webhook_receiver import certificate_for, receiving
from builders import NOW
from heliograph.aws import clients, connections
from heliograph.aws.connections import IDLE_LIMIT, Address
from heliograph.aws.transport import Transport, _parts
from heliograph.channels.errors import outcome_of
from heliograph.model.outcomes import InDoubt, NotSent

SENT = said(b'{"MessageId": "ses-1"}')
MAIL: dict[str, Any] = {
    "FromEmailAddress": "a@example.com",
    "Destination": {"ToAddresses": ["b@example.com"]},
    "Content": {"Simple": {"Subject": {"Data": "Grüße"}, "Body": {"Text": {"Data": "x" * 100_000}}}},
}
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


@pytest.fixture(autouse=True)
def _no_connections_of_others(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process with credentials that has called nobody yet, without a proxy."""
    for name in (*PROXIES, *map(str.upper, PROXIES), "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION"):
        monkeypatch.setenv(f"AWS_{name}", "eu-west-1")
    forget()
    yield
    forget()


def forget() -> None:
    """Forget connections and what is known of the surroundings."""
    for made in (clients._session, _parts):
        made.cache_clear()


def ses(port: int, *, scheme: str = "http", host: str = "127.0.0.1", read_timeout: float = 20) -> Any:
    """A client of SES that sends once, as the product's."""
    config = clients._signing(clients.SEND.merge(Config(read_timeout=read_timeout)), "sesv2")
    return clients._session().create_client("sesv2", endpoint_url=f"{scheme}://{host}:{port}", config=config)


def error_of(call: Callable[[], object]) -> BotoCoreError:
    """The error of a call that does not come off."""
    with pytest.raises(BotoCoreError) as raised:
        call()
    return raised.value


def test_calls_follow_each_other_over_one_connection() -> None:
    with scripted([SENT, SENT, SENT]) as server:
        client = ses(server.port)
        assert [client.send_email(**MAIL)["MessageId"] for _ in range(3)] == ["ses-1"] * 3
    assert [len(requests) for requests in server.came] == [3]


@pytest.mark.parametrize("token", ["", "the token of a role"])
@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("sesv2", "send_email", MAIL),
        ("sesv2", "get_account", {}),
        ("dynamodb", "update_item", {"TableName": "t", "Key": {"a": {"S": "ü"}}}),
        ("sqs", "send_message", {"QueueUrl": "https://q", "MessageBody": "x"}),
    ],
)
def test_the_bytes_are_those_that_botocore_sends(
    service: str, operation: str, params: dict[str, Any], token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW)
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    with scripted([said()], [said()]) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        for send in (Transport.send, lambda *_, **__: None):
            monkeypatch.setattr(Transport, "send", send)
            forget()
            config = clients._signing(clients.SEND, service)
            client = clients._session().create_client(service, config=config)
            getattr(client, operation)(**params)
            if send is not Transport.send:
                client.close()
    (ours,), (theirs,) = ([_parted(request) for request in requests] for requests in server.came)
    assert ours == theirs
    assert any(line.startswith(b"Authorization: AWS4-HMAC-SHA256 ") for line in ours[1])


def _parted(request: bytes) -> tuple[bytes, list[bytes], bytes]:
    """First line, headers in order of their names, body."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    return first, sorted(headers), body


def test_a_connection_that_was_closed_meanwhile_is_not_used() -> None:
    with scripted([SENT, HANGS_UP], [SENT]) as server:
        client = ses(server.port)
        client.send_email(**MAIL)
        assert server.hung_up.wait(60)
        client.send_email(**MAIL)
    assert [len(requests) for requests in server.came] == [1, 1]


def test_a_connection_that_was_idle_for_long_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.0, IDLE_LIMIT, IDLE_LIMIT, IDLE_LIMIT])
    monkeypatch.setattr(connections, "time", SimpleNamespace(time=lambda: next(clock)))
    with scripted([SENT, SILENCE], [SENT]) as server:
        client = ses(server.port)
        client.send_email(**MAIL)
        client.send_email(**MAIL)
    assert [len(requests) for requests in server.came] == [1, 1]


@pytest.mark.parametrize("closes", ["Connection: close", "connection: Close"])
def test_a_connection_that_ends_with_its_answer_is_not_used(closes: str) -> None:
    last = SENT.replace(b"\r\n\r\n", f"\r\n{closes}\r\n\r\n".encode())
    with scripted([last], [SENT]) as server:
        client = ses(server.port)
        client.send_email(**MAIL)
        client.send_email(**MAIL)
    assert [len(requests) for requests in server.came] == [1, 1]


@pytest.mark.parametrize(
    "answer",
    [
        SENT + said(b'{"MessageId": "of nobody"}'),
        SENT + b"\r\n",
        said(b'{"MessageId": "of nobody"}', status=204),
        said(b'{"MessageId": "of nobody"}', status=304),
    ],
    ids=["another answer", "a line break", "a body of 204", "a body of 304"],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_comes_behind_an_answer_is_never_that_of_the_next_call(
    answer: bytes, scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certificate_for("localhost", tmp_path) if scheme == "https" else None
    if certificate:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    with scripted([answer, SENT], [SENT], certificate=certificate) as server:
        client = ses(server.port, scheme=scheme, host="localhost" if certificate else "127.0.0.1")
        with suppress(client.exceptions.ClientError):
            client.send_email(**MAIL)
        assert client.send_email(**MAIL)["MessageId"] == "ses-1"
    assert [len(requests) for requests in server.came] == [1, 1]


@pytest.mark.parametrize("answer", [b"", SENT[:20], SENT[:-1], b"220 smtp.example.com ready\r\n"])
def test_what_was_sent_and_not_answered_is_in_doubt(answer: bytes) -> None:
    with scripted([answer]) as server:
        error = error_of(lambda: ses(server.port).send_email(**MAIL))
    assert isinstance(error, ConnectionClosedError)
    assert isinstance(outcome_of(error, "d-1", final={}), InDoubt)


def test_a_connection_that_breaks_between_two_calls_leaves_the_second_in_doubt() -> None:
    with scripted([SENT, b""]) as server:
        client = ses(server.port)
        client.send_email(**MAIL)
        error = error_of(lambda: client.send_email(**MAIL))
    assert isinstance(outcome_of(error, "d-1", final={}), InDoubt)
    assert [len(requests) for requests in server.came] == [2], "it was sent once"


def test_what_is_answered_too_late_is_in_doubt() -> None:
    with scripted([SILENCE]) as server:
        error = error_of(lambda: ses(server.port, read_timeout=0.01).send_email(**MAIL))
    assert isinstance(error, ReadTimeoutError)
    assert isinstance(outcome_of(error, "d-1", final={}), InDoubt)


def test_a_connection_whose_answer_came_too_late_is_not_used() -> None:
    with scripted([SILENCE], [SENT]) as server:
        error_of(lambda: ses(server.port, read_timeout=0.01).send_email(**MAIL))
        assert ses(server.port).send_email(**MAIL)["MessageId"] == "ses-1"
    assert [len(requests) for requests in server.came] == [1, 1]


def test_what_found_nobody_is_not_sent() -> None:
    with scripted() as server:
        port = server.port
    error = error_of(lambda: ses(port).send_email(**MAIL))
    assert isinstance(error, EndpointConnectionError)
    assert isinstance(outcome_of(error, "d-1", final={}), NotSent)


def test_what_found_nobody_in_time_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_: object, timeout: float) -> None:
        raise TimeoutError(timeout)

    monkeypatch.setattr("socket.create_connection", connect)
    error = error_of(lambda: ses(1).send_email(**MAIL))
    assert isinstance(error, ConnectTimeoutError)
    assert isinstance(outcome_of(error, "d-1", final={}), NotSent)


def test_a_refusal_that_comes_before_everything_is_sent_is_read() -> None:
    large = MAIL | {"FromEmailAddress": "x" * 20_000_000}
    with scripted([EARLY]) as server:
        client = ses(server.port)
        with pytest.raises(client.exceptions.ClientError, match="413"):
            client.send_email(**large)


@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b""])
def test_an_error_of_a_gateway_is_in_doubt_and_leaves_the_connection_as_it_is(body: bytes) -> None:
    with scripted([said(body, status=502), SENT]) as server:
        client = ses(server.port)
        with pytest.raises(client.exceptions.ClientError) as raised:
            client.send_email(**MAIL)
        assert isinstance(outcome_of(raised.value, "d-1", final={}), InDoubt)
        client.send_email(**MAIL)
    assert [len(requests) for requests in server.came] == [2]


def test_only_what_may_be_done_twice_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with scripted([b""], [said()]) as server:
        url = f"http://127.0.0.1:{server.port}"
        client = clients._session().create_client(
            "dynamodb", endpoint_url=url, config=clients._signing(clients.READ, "dynamodb")
        )
        client.get_item(TableName="t", Key={})
    assert [len(requests) for requests in server.came] == [1, 1]


class Answering(BaseHTTPRequestHandler):
    """A mail's id is its subject; connections are kept."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer."""
        mail = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"MessageId": mail["Content"]["Simple"]["Subject"]["Data"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_threads_never_read_the_answers_of_others() -> None:
    def send(client: Any, name: str) -> bool:
        content = {"Simple": {"Subject": {"Data": name}, "Body": {}}}
        return bool(client.send_email(**(MAIL | {"Content": content}))["MessageId"] == name)

    with receiving(handler=Answering) as receiver, ThreadPoolExecutor(4) as threads:
        client = ses(receiver.port)
        assert all(threads.map(lambda number: send(client, f"mail-{number}"), range(100)))
        clients._session.cache_clear()
        client.close()


class Taken(deque[Any]):
    """Idle connections of which another thread takes the last one between two steps."""

    def __bool__(self) -> bool:
        return True


def test_a_connection_that_another_thread_has_taken_is_missed_by_nobody() -> None:
    transport = Transport(None)
    with scripted([SENT]) as server:
        transport._idle[Address("http", "127.0.0.1", server.port)] = Taken()
        context = {"client_config": Config(connect_timeout=20, read_timeout=20)}
        url = f"http://127.0.0.1:{server.port}/"
        answer = transport.send(SimpleNamespace(url=url, method="GET", headers={}, body=b"", context=context))
    assert answer
    assert answer.content == b'{"MessageId": "ses-1"}'


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_calls_go_over_tls_to_whom_somebody_vouches_for(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certificate_for("localhost", tmp_path)
    monkeypatch.setenv(variable, str(certificate))
    with receiving(certificate, Answering) as receiver:
        client = ses(receiver.port, scheme="https", host="localhost")
        assert [client.send_email(**MAIL)["MessageId"] for _ in range(3)] == ["Grüße"] * 3


@pytest.mark.parametrize(("host", "trusted"), [("localhost", False), ("127.0.0.1", True)])
def test_to_nobody_else_anything_is_sent(
    host: str, trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certificate_for("localhost", tmp_path)
    if trusted:  # but for another name
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    with receiving(certificate) as receiver:
        error = error_of(lambda: ses(receiver.port, scheme="https", host=host).send_email(**MAIL))
        assert receiver.got == []
    assert isinstance(error, SSLError)
    assert isinstance(outcome_of(error, "d-1", final={}), NotSent)


@pytest.mark.parametrize("but_not", ["", "127.0.0.1"])
def test_what_goes_through_a_proxy_is_left_to_botocore(but_not: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted([SENT]) as server, scripted([SENT]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", but_not)
        client = ses(server.port)
        client.send_email(**MAIL)
        client.close()
    through, direct = len(proxy.came), len(server.came)
    assert (through, direct) == ((0, 1) if but_not else (1, 0))
