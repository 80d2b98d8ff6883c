"""A server on this machine that answers requests byte by byte as a test wrote it down."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO, Final

SILENCE: Final = b"silence"
"""In the place of an answer: none until the test is over."""
HANGS_UP: Final = b"hangs up"
"""In the place of a request: the connection is closed before there is another one."""

EARLY: Final = b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
"""An answer to the head of a request, whose body nobody reads."""


class Scripted:
    """What came, connection by connection; `script` is what each connection answers to one request after the other."""

    def __init__(self, script: Sequence[Sequence[bytes]], certificate: Path | None) -> None:
        self._script = script
        self._listening = socket.create_server(("127.0.0.1", 0))
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._listening = context.wrap_socket(self._listening, server_side=True, do_handshake_on_connect=False)
        self._ended = Event()
        self.port: int = self._listening.getsockname()[1]
        self.came: list[list[bytes]] = []
        self.hung_up = Event()

    def serve(self) -> None:
        """Take as many connections as there are scripts, until the end."""
        threads = []
        with suppress(OSError), self._listening:
            for answers in self._script:
                connection, _ = self._listening.accept()
                self.came.append([])
                threads.append(Thread(target=self._play, args=(connection, answers, self.came[-1])))
                threads[-1].start()
        for thread in threads:
            thread.join()

    def _play(self, connection: socket.socket, answers: Sequence[bytes], requests: list[bytes]) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as reader:
            for answer in answers:
                if answer is HANGS_UP:
                    break
                if not (request := _request(reader, head_only=answer is EARLY)):
                    return
                requests.append(request)
                if answer is SILENCE:
                    self._ended.wait()
                    return
                connection.sendall(answer)
            connection.shutdown(socket.SHUT_RDWR)
            self.hung_up.set()

    def end(self) -> None:
        """Take nothing more."""
        self._ended.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)


def _request(reader: BinaryIO, *, head_only: bool) -> bytes:
    head = b""
    while (line := reader.readline()) and line != b"\r\n":
        head += line
    if head_only:
        return head
    lengths = [line.split()[1] for line in head.splitlines() if line.lower().startswith(b"content-length:")]
    return head + line + (reader.read(int(lengths[0])) if lengths else b"")


@contextmanager
def scripted(*script: Sequence[bytes], certificate: Path | None = None) -> Iterator[Scripted]:
    """A server for the length of a block, with TLS if there is a certificate; each script is of one connection."""
    server = Scripted(script, certificate)
    thread = Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.end()
        thread.join()


def said(body: bytes = b"{}", *, status: int = 200) -> bytes:
    """An answer of AWS."""
    return b"HTTP/1.1 %d x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        len(body),
        body,
    )
