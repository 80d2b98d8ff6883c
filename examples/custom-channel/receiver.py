"""Takes Heliograph's webhooks: believes only what is signed and fresh, and does each thing once. Nothing to install.

    python receiver.py certificate.pem whsec_...

In other languages, use one of the libraries of https://www.standardwebhooks.com.
"""

from __future__ import annotations

import hmac
import json
import ssl
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer

TOLERANCE = 300  # seconds that a request may be old, or ahead
LARGEST = 65_536  # bytes


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, *, now: float) -> bool:
    """Whether whoever knows the secret made this request, just now."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > TOLERANCE:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = b"v1," + b64encode(hmac.digest(b64decode(secret.removeprefix("whsec_")), signed, "sha256"))
    given = headers.get("webhook-signature", "").split()  # several, while a secret changes
    return any(hmac.compare_digest(expected, each.encode()) for each in given)


class Receiver(BaseHTTPRequestHandler):
    """Answers 2xx to what it has done: everything else comes again."""

    secret = ""
    done: set[str] = set()  # yours: a table, with an expiry of a few days

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if length > LARGEST:
            self.answer(413)
            return
        body = self.rfile.read(length)
        if not is_genuine(self.secret, self.headers, body, now=time.time()):
            self.answer(400)
            return
        if self.headers["webhook-id"] not in self.done:
            self.act(json.loads(body))
            self.done.add(self.headers["webhook-id"])
        self.answer(204)

    def act(self, message: dict[str, object]) -> None:
        """What a message is for."""
        print(message["type"], message["timestamp"], json.dumps(message["data"]), flush=True)  # noqa: T201 - so that you see it

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main(certificate: str, secret: str, port: int = 8443) -> None:
    """Listen on this machine."""
    Receiver.secret = secret
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HTTPServer(("127.0.0.1", port), Receiver) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
