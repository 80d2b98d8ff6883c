"""One request to an endpoint: to the address that was checked, once, following nobody anywhere, bounded in time."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from http.client import BadStatusLine, HTTPException
from threading import Thread, Timer
from typing import BinaryIO, Final, NamedTuple

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

from heliograph.channels.webhook.destination import Destination, is_public

LOOK_UP_TIME: Final = 5.0  # seconds for the name
CONNECT_TIME: Final = 2.0  # seconds, for the connection and for TLS each, however many bytes come
TIME_OUT: Final = 15.0  # seconds for the request and its answer; Standard Webhooks: 15 to 30
HEAD_LIMIT: Final = 65_536  # bytes of what an answer begins with
STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: .*)?\r?\n")

LOCAL_ENDPOINT: Final = "HELIOGRAPH_LOCAL_ENDPOINT"
"""The file with the certificate of the endpoint that the local cloud plays. It sets this; no template may."""
LOOPBACK: Final = "127.0.0.1"

NETWORK_ERRORS: Final = (OSError, HTTPException, HTTPError)
"""What a name that is not found, a connection, TLS and HTTP raise."""


class ForbiddenAddressError(Exception):
    """A host is, or pretends to be, somewhere inside."""


class Answer(NamedTuple):
    """What an endpoint said."""

    status: int
    retry_after: str


class Line(NamedTuple):
    """How endpoints are reached; tests have their own."""

    look_up: Callable[[str, int], Sequence[str]]
    """Host and port -> its IP addresses."""
    is_permitted: Callable[[str], bool]
    trust: ssl.SSLContext
    time_out: float


def look_up(host: str, port: int) -> Sequence[str]:
    """The IP addresses of a host, of the kinds that this machine can reach."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(address[0]) for _, _, _, _, address in found]


def outside() -> Line:
    """Where endpoints are: on the internet, or, in the local cloud alone, in the local cloud alone."""
    certificate = os.environ.get(LOCAL_ENDPOINT, "")
    return local(certificate) if certificate else internet()


def internet() -> Line:
    """The internet, and the authorities that the machine trusts."""
    return Line(look_up, is_public, ssl.create_default_context(), TIME_OUT)


def local(certificate: str) -> Line:
    """The endpoint that the local cloud plays, and nothing else, not even a name server: nothing leaves the machine."""
    trust = ssl.create_default_context(cafile=certificate)
    return Line(lambda host, _: [LOOPBACK] if host == "localhost" else [], LOOPBACK.__eq__, trust, TIME_OUT)


def post(destination: Destination, signed: dict[str, str], body: bytes, line: Line) -> Answer:
    """Ask an endpoint, and look at what its answer begins with. Raises ForbiddenAddressError and NETWORK_ERRORS.

    The name is looked up once, and the connection goes to an address that was checked: a name that means another
    address a moment later leads nowhere. TLS still proves that it is the host of the URL.
    """
    connection = HTTPSConnection(
        _address_of(destination, line),
        destination.port,
        server_hostname=destination.host,
        ssl_context=line.trust,
        timeout=CONNECT_TIME,
    )
    headers = {
        "Host": destination.authority,
        "User-Agent": "Heliograph",
        "Content-Type": "application/json",
        **signed,
    }
    try:
        connection.connect()
        with _ended_after(line.time_out, connection):
            connection.request("POST", destination.target, body=body, headers=headers)
            with connection.sock.makefile("rb") as stream:
                return read_answer(stream)
    finally:
        connection.close()


def read_answer(stream: BinaryIO) -> Answer:
    """The status that counts (1xx do not), and the one header that is looked at. Raises BadStatusLine.

    It is read here, as an endpoint may write anything: HTTP libraries look at every header, raise whatever their
    parsers raise, and log what they do not understand together with the URL.
    """
    status, head = 100, [b""]
    while status < 200:
        head = _head(stream)
        said = STATUS.fullmatch(head[0])
        if not said:
            raise BadStatusLine("")
        status = int(said[1])
    fields = (line.partition(b":") for line in head[1:])
    asked = (value.strip().decode("latin-1") for name, _, value in fields if name.lower() == b"retry-after")
    return Answer(status, next(asked, ""))


def _head(stream: BinaryIO) -> list[bytes]:
    """The lines up to an empty one."""
    head, left = [], HEAD_LIMIT
    while (line := stream.readline(left)) not in (b"\r\n", b"\n"):
        head.append(line)
        left -= len(line)
        if not line or not left:
            raise BadStatusLine("")
    return head or [b""]


def _address_of(destination: Destination, line: Line) -> str:
    """One of the host's addresses, IPv4 first, as functions rarely have another; if any is inside, none is trusted."""
    addresses = sorted(_look_up(destination, line), key=lambda address: ":" in address)
    if not addresses or not all(map(line.is_permitted, addresses)):
        raise ForbiddenAddressError
    return addresses[0]


def _look_up(destination: Destination, line: Line) -> Sequence[str]:
    """The addresses of a host; its name server is somebody's as well, and may let us wait for longer than we live."""
    found: Future[Sequence[str]] = Future()

    def ask() -> None:
        try:
            found.set_result(line.look_up(destination.host, destination.port))
        except Exception as error:  # noqa: BLE001 - it is raised below
            found.set_exception(error)

    Thread(target=ask, daemon=True).start()
    return found.result(LOOK_UP_TIME)


@contextmanager
def _ended_after(seconds: float, connection: HTTPSConnection) -> Iterator[None]:
    """End what takes longer: a time-out of a socket begins anew with every byte that comes."""
    connection.timeout = seconds  # for the silent; what follows is for those who dribble
    timer = Timer(seconds, _hang_up, [connection.sock])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(own: socket.socket) -> None:
    """Shut the socket below TLS: shutting TLS itself would let what is written meanwhile go out in the clear."""
    with suppress(OSError):
        socket.socket.shutdown(own, socket.SHUT_RDWR)
