"""Connections over which requests of HTTP go one after the other, and their answers come whole."""

from __future__ import annotations

import select
import socket
import ssl
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, NamedTuple

RECEIVED: Final = 65_536
"""Bytes to ask a socket for. A record of TLS has 16,384 at most, so nothing of one is left where no poll sees it."""
LINE_LIMIT: Final = 65_536  # bytes of a line of an answer's head, as in http.client
LINES_LIMIT: Final = 100  # lines of a head, as in http.client
BODY_LIMIT: Final = 1 << 25  # bytes; AWS's largest answer is BatchGetItem's, 16 MB
IDLE_LIMIT: Final = 30.0
"""Seconds for which an idle connection is used again. The other side closes it after a minute or more, of which a
function that was frozen hears nothing: what it sends then is in doubt."""
CLOSED: Final = "the connection was closed"
NO_BODY: Final = (204, 304)


class BrokenAnswerError(Exception):
    """What came is no answer of HTTP, or not all of one."""


class Address(NamedTuple):
    """Where a request goes."""

    scheme: str
    host: str
    port: int


class Answer(NamedTuple):
    """An answer in full."""

    status: int
    headers: dict[str, str]
    """By their names in lower case."""
    body: bytes
    is_last: bool
    """Whether the connection ends with it."""

    def stream(self) -> Iterator[bytes]:
        """The body, as botocore asks urllib3 for it."""
        yield self.body


class Reader:
    """What the other side says. It knows whether more has come than was read."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        """`receive` is that of a socket: as many bytes at most; none when the connection was closed."""
        self._receive = receive
        self._held = b""
        self._at = 0

    @property
    def has_more(self) -> bool:
        """Whether anything came that nobody has read."""
        return self._at < len(self._held)

    def readline(self, limit: int) -> bytes:
        """A line with its end. What has none was broken off, or is longer than `limit` bytes."""
        while not (end := self._held.find(b"\n", self._at, self._at + limit) + 1):
            if len(self._held) - self._at >= limit or not self._fill():
                return self.read(min(limit, len(self._held) - self._at))
        line, self._at = self._held[self._at : end], end
        return line

    def read(self, size: int) -> bytes:
        """So many bytes; fewer when the connection was closed before."""
        pieces = []
        while size and (self.has_more or self._fill()):
            pieces.append(self._held[self._at : self._at + size])
            self._at += len(pieces[-1])
            size -= len(pieces[-1])
        return b"".join(pieces)

    def _fill(self) -> bool:
        """Wait for more behind what was not read; False when the connection was closed."""
        more = self._receive(RECEIVED)
        self._held, self._at = self._held[self._at :] + more, 0
        return more != b""


class Connection:
    """A connection for one request at a time."""

    def __init__(self, address: Address, trusted: ssl.SSLContext | None, *, timeout: float) -> None:
        """Raises OSError, as which come TimeoutError and, where nobody vouches for the other side, ssl.SSLError."""
        self._socket = socket.create_connection(address[1:], timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if trusted:
            self._socket = trusted.wrap_socket(self._socket, server_hostname=address.host)
        self._reader = Reader(self._socket.recv)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._used_at = time.time()
        self.close = weakref.finalize(self, self._socket.close)
        """Closes it; so does whoever forgets it."""

    def is_usable(self) -> bool:
        """Whether it was used just now, and the other side has neither closed it nor spoken unasked."""
        return time.time() - self._used_at < IDLE_LIMIT and not self._poll.poll(0)

    def ask(self, request: bytes, *, timeout: float) -> Answer:
        """Send a request and read its answer; the other side may be silent for `timeout` seconds.

        Raises OSError and BrokenAnswerError: the request may have arrived.
        """
        self._socket.settimeout(timeout)
        with suppress(BrokenPipeError):  # whoever reads no further may have answered
            self._socket.sendall(request)
        answer = read_answer(self._reader)
        self._used_at = time.time()
        return answer


def read_answer(reader: Reader) -> Answer:
    """Read the next answer. Raises BrokenAnswerError, and what the reader raises.

    Whatever came behind it is the answer to nothing: the connection ends, lest the next request takes it for its own.
    """
    status, version = _status(reader)
    headers = _headers(reader)
    while status < 200:  # such as 100 Continue: the answer is still to come
        status, version = _status(reader)
        headers = _headers(reader)
    body, ends_with_it = _body(reader, status, headers)
    says_so = "close" in headers.get("connection", "").lower() or version == b"HTTP/1.0"
    return Answer(status, headers, body, ends_with_it or says_so or reader.has_more)


def _body(reader: Reader, status: int, headers: dict[str, str]) -> tuple[bytes, bool]:
    """A body, and whether the connection ends with it: where it has no end of its own, or may come unasked."""
    if status in NO_BODY:
        return b"", True
    if "transfer-encoding" in headers:
        return _chunks(reader), False
    if "content-length" in headers:
        return _exactly(reader, _number(headers["content-length"].encode(), base=10)), False
    return _rest(reader), True


def _status(reader: Reader) -> tuple[int, bytes]:
    line = _line(reader)
    match line.split(None, 2):
        case [version, status, *_] if version.startswith(b"HTTP/1."):
            return _number(status, base=10), version
    raise BrokenAnswerError("no status")


def _headers(reader: Reader) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(LINES_LIMIT):
        line = _line(reader)
        if not line:
            return headers
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise BrokenAnswerError("a header without a name")
        headers[name.lower()] = value.strip()
    raise BrokenAnswerError(f"more than {LINES_LIMIT} headers")


def _line(reader: Reader) -> bytes:
    line = reader.readline(LINE_LIMIT)
    if not line.endswith(b"\n"):
        raise BrokenAnswerError(CLOSED if len(line) < LINE_LIMIT else f"a line of more than {LINE_LIMIT} bytes")
    return line.rstrip(b"\r\n")


def _chunks(reader: Reader) -> bytes:
    """A body in chunks, each after its size; what they call trailers is read over."""
    chunks, left = [], BODY_LIMIT
    while size := _number(_line(reader).partition(b";")[0], base=16, most=left):
        chunks.append(_exactly(reader, size))
        _line(reader)
        left -= size
    _headers(reader)
    return b"".join(chunks)


def _number(text: bytes, *, base: int, most: int = BODY_LIMIT) -> int:
    try:
        number = int(text, base)
    except ValueError:
        raise BrokenAnswerError("no number") from None
    if not 0 <= number <= most:
        raise BrokenAnswerError(f"a body of more than {BODY_LIMIT} bytes")
    return number


def _exactly(reader: Reader, size: int) -> bytes:
    content = reader.read(size)
    if len(content) < size:
        raise BrokenAnswerError(CLOSED)
    return content


def _rest(reader: Reader) -> bytes:
    content = reader.read(BODY_LIMIT + 1)
    if len(content) > BODY_LIMIT:
        raise BrokenAnswerError(f"a body of more than {BODY_LIMIT} bytes")
    return content
