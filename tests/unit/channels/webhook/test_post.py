"""Rules of the POST: what goes to an endpoint, how it is reached, and what its answers mean."""

from __future__ import annotations

import hmac
import json
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import BadStatusLine
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws.webhook_receiver import Receiver, Respond, certificate_for, receiving, status
from builders import EMAIL, a_fallback, a_message, a_rendered
from heliograph.channels.webhook import request, signature
from heliograph.channels.webhook.destination import is_public
from heliograph.channels.webhook.post import GIVEN_UP, LONGEST_DELAY, RETRY_AFTER_MOST, post_sender, wait_of
from heliograph.channels.webhook.request import HEAD_LIMIT, TIME_OUT, Line, read_answer
from heliograph.channels.webhook.spec import NAME as WEBHOOK
from heliograph.delivery.sending.work import CALL_TIME
from heliograph.model.dispatches import Rendered
from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import Accepted, Failed, FailureCode, NotSent, Outcome

HOST = "hooks.example.com"
ASKED = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
KEYS = ["an old key", "the new key"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_for(HOST, tmp_path_factory.mktemp("tls"))


@pytest.fixture
def receiver(certificate: Path) -> Iterator[Receiver]:
    """An endpoint on this machine; its name is that of its certificate."""
    with receiving(certificate) as listening:
        yield listening


@pytest.fixture
def line(certificate: Path) -> Line:
    """Every name leads to this machine, which is permitted."""
    return line_to("127.0.0.1", trust=ssl.create_default_context(cafile=certificate))


def line_to(*addresses: str, trust: ssl.SSLContext | None = None, time_out: float = TIME_OUT) -> Line:
    """Every name has these addresses; loopback is permitted besides what is public."""
    return Line(
        look_up=lambda host, port: addresses,
        is_permitted=lambda address: address == "127.0.0.1" or is_public(address),
        trust=trust or ssl.create_default_context(),
        time_out=time_out,
    )


def endpoint(receiver: Receiver, target: str = "/hooks") -> str:
    return f"https://{HOST}:{receiver.port}{target}"


def a_webhook(address: str, data: str = '{"order":"A-1"}', **dispatch: Any) -> Rendered:
    return a_rendered(WEBHOOK, content={"data": data}, addresses=(address,), requested_at=ASKED, **dispatch)


def send(line: Line, *batch: Rendered, at: datetime = ASKED, keys: Sequence[str] = KEYS) -> list[Outcome]:
    sender = post_sender(keys, line=line, now=lambda: at)
    return [outcome for outcomes in sender(batch) for outcome in outcomes]


# ---- what goes out -----------------------------------------------------------------------------------------


def test_an_endpoint_gets_the_payload_that_the_specification_recommends(receiver: Receiver, line: Line) -> None:
    webhook = a_webhook(endpoint(receiver, "/hooks?tenant=7"), '{"order": "A-1", "lines": [1.50]}')
    assert send(line, webhook) == [
        Accepted(
            dispatch_id=webhook.dispatch.dispatch_id,
            provider_message_id=webhook.dispatch.dispatch_id,
            delivered=True,
        )
    ]
    (got,) = receiver.got
    assert got.target == "/hooks?tenant=7"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == f"{HOST}:{receiver.port}"
    assert json.loads(got.body) == {
        "type": "order-shipped",
        "timestamp": "2026-11-21T10:00:00Z",
        "data": {"order": "A-1", "lines": [1.5]},
    }


def test_a_receiver_can_verify_a_request_with_any_secret_that_it_was_given(receiver: Receiver, line: Line) -> None:
    address = endpoint(receiver)
    send(line, a_webhook(address))
    (got,) = receiver.got
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    signatures = [
        f"v1,{b64encode(hmac.digest(signature.secret_of(address, key), signed, 'sha256')).decode()}" for key in KEYS
    ]
    assert got.headers["webhook-signature"].split() == signatures
    assert got.headers["webhook-timestamp"] == str(int(ASKED.timestamp()))


def test_another_try_has_the_same_id_and_body_and_a_time_of_its_own(receiver: Receiver, line: Line) -> None:
    webhook, later = a_webhook(endpoint(receiver)), ASKED + timedelta(minutes=5)
    send(line, webhook)
    send(line, webhook, at=later)
    first, second = receiver.got
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == webhook.dispatch.dispatch_id
    assert "." not in first.headers["webhook-id"]
    assert second.headers["webhook-timestamp"] == str(int(later.timestamp()))
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


# ---- where it goes -----------------------------------------------------------------------------------------


def is_refused(outcomes: list[Outcome]) -> bool:
    (outcome,) = outcomes
    return isinstance(outcome, Failed) and outcome.code is FailureCode.INVALID_ADDRESS


@pytest.mark.parametrize("inside", ["169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "fd00:ec2::254"])
def test_a_name_that_leads_inside_is_refused_even_if_it_leads_outside_as_well(receiver: Receiver, inside: str) -> None:
    webhook = a_webhook(endpoint(receiver))
    assert is_refused(send(line_to(inside), webhook))
    assert is_refused(send(line_to("127.0.0.1", inside), webhook))
    assert receiver.got == []


@pytest.mark.parametrize("address", ["http://hooks.example.com/", "chatbot:42"])
def test_an_address_that_is_no_endpoint_is_refused(line: Line, address: str) -> None:
    assert is_refused(send(line, a_webhook(address)))


def test_the_connection_goes_to_the_address_that_was_checked(receiver: Receiver, line: Line) -> None:
    looked_up: list[str] = []

    def look_up(host: str, port: int) -> Sequence[str]:
        looked_up.append(host)
        return ["127.0.0.1" if len(looked_up) == 1 else "169.254.169.254"]

    (outcome,) = send(line._replace(look_up=look_up), a_webhook(endpoint(receiver)))
    assert isinstance(outcome, Accepted)
    assert looked_up == [HOST]


def test_nothing_is_said_to_a_server_that_cannot_prove_its_name(receiver: Receiver, line: Line) -> None:
    for outcomes in (
        send(line, a_webhook(f"https://another.example.com:{receiver.port}/")),
        send(line_to("127.0.0.1"), a_webhook(endpoint(receiver))),
    ):
        (outcome,) = outcomes
        assert isinstance(outcome, NotSent)
        assert outcome.cause == "SSLCertVerificationError"
    assert receiver.got == []


# ---- what the answers mean ---------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [200, 201, 202, 204])
def test_any_2xx_is_a_delivery(receiver: Receiver, line: Line, code: int) -> None:
    receiver.respond = status(code)
    (outcome,) = send(line, a_webhook(endpoint(receiver)))
    assert isinstance(outcome, Accepted)


def test_an_endpoint_that_is_gone_is_not_used_again(receiver: Receiver, line: Line) -> None:
    receiver.respond = status(410)
    (outcome,) = send(line, a_webhook(endpoint(receiver)))
    assert isinstance(outcome, Failed)
    assert outcome.dead_addresses == (endpoint(receiver),)


@pytest.mark.parametrize(("code", "why"), [(413, FailureCode.CONTENT_TOO_LARGE), (422, FailureCode.REJECTED)])
def test_a_refusal_of_this_very_message_is_final(receiver: Receiver, line: Line, code: int, why: FailureCode) -> None:
    receiver.respond = status(code)
    (outcome,) = send(line, a_webhook(endpoint(receiver)))
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.dead_addresses) == (why, ())


@pytest.mark.parametrize("code", [304, 400, 401, 403, 404, 408, 429, 500, 502, 503, 504])
def test_any_other_answer_is_asked_for_again(receiver: Receiver, line: Line, code: int) -> None:
    receiver.respond = status(code)
    (outcome,) = send(line, a_webhook(endpoint(receiver)))
    assert isinstance(outcome, NotSent)
    assert outcome.cause == f"HTTP{code}"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(receiver: Receiver, line: Line, code: int) -> None:
    receiver.respond = status(code, Location=endpoint(receiver, "/elsewhere"))
    (outcome,) = send(line, a_webhook(endpoint(receiver)))
    assert isinstance(outcome, NotSent)
    assert [got.target for got in receiver.got] == ["/hooks"]


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def talk_nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n")
    handler.close_connection = True


def dribble(handler: BaseHTTPRequestHandler) -> None:
    """An answer that never comes to its end, and is never silent."""
    while True:
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("respond", [hang_up, talk_nonsense])
def test_a_connection_that_ends_without_an_answer_leaves_the_message_to_be_sent_again(
    receiver: Receiver, line: Line, respond: object
) -> None:
    receiver.respond = respond  # type: ignore[assignment]  # parametrised
    (outcome,) = send(line, a_webhook(endpoint(receiver)))
    assert isinstance(outcome, NotSent)
    assert outcome.until


def test_an_endpoint_that_never_ends_its_answer_holds_up_nobody_for_longer_than_the_time_out(
    receiver: Receiver, line: Line
) -> None:
    receiver.respond = dribble
    (outcome,) = send(line._replace(time_out=0.2), a_webhook(endpoint(receiver)))
    assert isinstance(outcome, NotSent)


def test_an_endpoint_that_never_ends_the_beginning_of_tls_holds_up_nobody_for_longer_than_connecting_may_take(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    drops, many = list[bytes](), 2_000

    def drip(listening: socket.socket) -> None:
        with suppress(OSError), listening.accept()[0] as connected:
            connected.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KB begins
            while len(drops) < many:
                Event().wait(0.01)
                connected.sendall(b"\x02")
                drops.append(b"\x02")

    monkeypatch.setattr(request, "CONNECT_TIME", 0.2)  # for all of it, by the deadline of Python's own handshake
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Thread(target=drip, args=[listening])
        server.start()
        (outcome,) = send(line, a_webhook(f"https://{HOST}:{listening.getsockname()[1]}/hooks"))
        server.join()
    assert isinstance(outcome, NotSent)
    assert 0 < len(drops) < many, "it was hung up on"


def test_a_name_server_that_never_answers_holds_up_nobody_for_long(
    receiver: Receiver, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = Event()

    def look_up(host: str, port: int) -> Sequence[str]:
        answered.wait()
        return ["127.0.0.1"]

    monkeypatch.setattr(request, "LOOK_UP_TIME", 0.05)
    (outcome,) = send(line._replace(look_up=look_up), a_webhook(endpoint(receiver)))
    answered.set()
    assert isinstance(outcome, NotSent)
    assert outcome.cause == "TimeoutError"
    assert receiver.got == []


def test_all_that_a_request_may_take_fits_into_the_time_of_a_call() -> None:
    assert request.LOOK_UP_TIME + 2 * request.CONNECT_TIME + TIME_OUT <= CALL_TIME - 5  # to keep the answer


def says(*lines: bytes) -> Respond:
    """Answer with these lines, whatever they are."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"\r\n".join((*lines, b"", b"")))
        handler.close_connection = True

    return respond


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Type: multipart/mixed; boundary*=idna''x",  # the standard library raises UnicodeError here
        b"Content-Type: multipart/mixed; boundary*=a%00b''x",
        b"Content-Type: multipart/mixed; boundary*" + b"9" * 5_000 + b"=x",
        b"Content-Length: 1, 2",
        b"Content-Length: " + b"9" * 5_000,
        b"no header at all",
        b" goes on from nowhere",
        b"Retry-After: \xff\xfe\x85",
    ],
    ids=lambda header: header[:20].decode("latin-1"),
)
@pytest.mark.parametrize("code", [200, 500])
def test_no_header_of_an_answer_stops_anybody_or_gets_the_url_into_the_logs(
    receiver: Receiver, line: Line, caplog: pytest.LogCaptureFixture, header: bytes, code: int
) -> None:
    receiver.respond = says(b"HTTP/1.1 %d Whatever" % code, header)
    (outcome,) = send(line, a_webhook(endpoint(receiver, "/hooks?token=t0ken")))
    assert isinstance(outcome, Accepted if code == 200 else NotSent)
    assert caplog.text == ""


def test_what_an_endpoint_says_before_its_answer_does_not_count(receiver: Receiver, line: Line) -> None:
    hints = (b"HTTP/1.1 103 Early Hints", b"Retry-After: 86400", b"")
    receiver.respond = says(b"HTTP/1.1 100 Continue", b"", *hints, b"HTTP/1.0 503", b"retry-after:  120 ")
    (outcome,) = send(line, a_webhook(endpoint(receiver)))
    assert isinstance(outcome, NotSent)
    assert outcome.until == ASKED + timedelta(minutes=2)


@pytest.mark.parametrize(
    "lines", [(b"HTTP/1.1 200 OK", b"x: " + b"a" * HEAD_LIMIT), (b"HTTP/1.1 200 OK", *(HEAD_LIMIT * [b"x"]))], ids=len
)
def test_of_an_endless_head_only_some_is_read(receiver: Receiver, line: Line, lines: tuple[bytes, ...]) -> None:
    receiver.respond = says(*lines)
    (outcome,) = send(line, a_webhook(endpoint(receiver)))
    assert isinstance(outcome, NotSent)


@settings(deadline=None)
@given(st.binary())
def test_whatever_an_endpoint_answers_is_read_or_no_answer(said: bytes) -> None:
    for stream in (BytesIO(said), BytesIO(b"HTTP/1.1 200 OK\r\n" + said)):
        with suppress(BadStatusLine):
            assert 200 <= read_answer(stream).status <= 999


def test_nobody_there_and_no_such_name_are_asked_again(receiver: Receiver, line: Line) -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    (nobody,) = send(line, a_webhook(f"https://{HOST}:{free_port()}/"))
    (no_name,) = send(line._replace(look_up=unknown), a_webhook(endpoint(receiver)))
    assert isinstance(nobody, NotSent)
    assert isinstance(no_name, NotSent)


def free_port() -> int:
    """A port at which nobody listens any more."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


# ---- when it is sent again ---------------------------------------------------------------------------------


def wait(receiver: Receiver, line: Line, *, age: timedelta) -> timedelta | None:
    """How long an endpoint that fails is left alone when a message is so old."""
    (outcome,) = send(line, a_webhook(endpoint(receiver)), at=ASKED + age)
    assert isinstance(outcome, NotSent)
    return outcome.until - ASKED - age if outcome.until else None


def test_a_message_is_sent_again_ever_more_rarely(receiver: Receiver, line: Line) -> None:
    receiver.respond = status(500)
    for age, least in (
        (timedelta(), timedelta(seconds=5)),
        (timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(days=2), LONGEST_DELAY),
    ):
        waited = wait(receiver, line, age=age)
        assert waited
        assert least <= waited <= least * 1.25


def test_a_message_that_waited_for_days_before_it_was_tried_is_sent_again_soon(receiver: Receiver, line: Line) -> None:
    receiver.respond = status(500)
    at = ASKED + 2 * GIVEN_UP
    (outcome,) = send(line, a_webhook(endpoint(receiver), claimed_at=at), at=at)
    assert isinstance(outcome, NotSent)
    assert outcome.until
    assert outcome.until <= at + timedelta(seconds=7)


def test_a_message_that_was_tried_for_days_is_parked(receiver: Receiver, line: Line) -> None:
    receiver.respond = status(500)
    assert wait(receiver, line, age=GIVEN_UP) is not None
    assert wait(receiver, line, age=GIVEN_UP + timedelta(seconds=1)) is None


def followed(endpoint: str, *, step: int = 0) -> Rendered:
    """A message that goes by email if it has not arrived within ten minutes."""
    webhook = a_webhook(endpoint, fallbacks=step)
    message = a_message(fallback=(a_fallback(EMAIL, unless=EngagementKind.DELIVERED, within=600),))
    return msgspec.structs.replace(webhook, message=message)


def test_a_message_with_a_fallback_is_tried_for_as_long_as_that_gives_it(receiver: Receiver, line: Line) -> None:
    receiver.respond = status(500)
    for age, wanted in ((5, NotSent), (599, NotSent), (600, Failed)):
        (outcome,) = send(line, followed(endpoint(receiver)), at=ASKED + timedelta(seconds=age))
        assert isinstance(outcome, wanted)
        assert age != 599 or getattr(outcome, "until", None) == ASKED + timedelta(minutes=10)
    (last_step,) = send(line, followed(endpoint(receiver), step=1), at=ASKED + timedelta(hours=1))
    assert isinstance(last_step, NotSent)


def test_an_endpoint_that_asks_for_more_time_than_its_fallback_gives_is_not_waited_for(
    receiver: Receiver, line: Line
) -> None:
    for asked, wanted in (("599", NotSent), ("600", Failed)):
        receiver.respond = status(503, Retry_After=asked)
        (outcome,) = send(line, followed(endpoint(receiver)))
        assert isinstance(outcome, wanted)


def test_an_endpoint_may_ask_to_be_left_alone_for_longer_but_not_for_ever(receiver: Receiver, line: Line) -> None:
    day = timedelta(seconds=RETRY_AFTER_MOST)
    for asked, least in (("120", timedelta(minutes=2)), ("99999999999", day), ("1", timedelta(minutes=1))):
        receiver.respond = status(503, Retry_After=asked)
        waited = wait(receiver, line, age=timedelta(minutes=1))
        assert waited
        assert least <= waited <= max(least, timedelta(seconds=75))


def test_retry_after_is_seconds_or_a_date() -> None:
    soon = datetime.now(UTC) + timedelta(hours=2)
    assert wait_of("7") == timedelta(seconds=7)
    assert timedelta(hours=1.9) < wait_of(format_datetime(soon, usegmt=True)) <= timedelta(hours=2)
    assert [wait_of(each) for each in ("", "soon", "-5", "9" * 5_000)] == [timedelta()] * 4


@settings(deadline=None)
@given(
    st.one_of(
        st.text(), st.from_regex(r"(Mon, )?\d{1,9} [A-Z][a-z]{2} \d{1,12} \d\d:\d\d:\d\d [A-Z+-]\w*", fullmatch=True)
    )
)
def test_whatever_an_endpoint_writes_there_stops_nobody(header: str) -> None:
    assert timedelta() <= wait_of(header) <= timedelta(seconds=RETRY_AFTER_MOST)
