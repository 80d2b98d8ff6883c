"""An endpoint that takes webhooks, with TLS and a certificate of its own: what is genuine is in the outbox.

It does what docs/webhooks.md asks of everybody: examples/custom-channel/receiver.py verifies the signatures here, too.
"""

from __future__ import annotations

import hmac
import importlib.util
import os
import re
import ssl
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from ministack.services import secretsmanager

from localcloud import outbox

NAME = "localhost"
ABOVE = 100  # its port is so much above the gateway's; if somebody has that, any free one
SETTING = "HELIOGRAPH_LOCAL_ENDPOINT"
"""Tells functions the certificate, and that they may reach this endpoint, on the loopback interface, and no other."""
LARGEST = 65_536  # bytes
ANSWERS = re.compile(r"/([2-5][0-9]{2})(?:\?.*)?$")
"""A path that ends with a status is answered with it: https://localhost:4680/410 is gone."""
DAY = timedelta(days=1)

address = ""
"""Where it is, `https://localhost:4680/`; empty before it listens."""


def install() -> None:
    """Listen, and let the functions know: they see the environment of this process."""
    global address
    folder = Path(tempfile.mkdtemp(prefix="endpoint-"))
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    _certify(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = _listening()
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, name="localcloud-endpoint", daemon=True).start()
    address = f"https://{NAME}:{server.server_address[1]}/"
    os.environ[SETTING] = str(certificate)


class Endpoint(BaseHTTPRequestHandler):
    """Shows each message once, and answers 204, or what the path says."""

    done: set[str] = set()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if length > LARGEST:
            return self._answer(413)
        body = self.rfile.read(length)
        url = f"https://{self.headers.get('Host', '')}{self.path}"
        if not any(is_genuine(secret, self.headers, body, now=time.time()) for secret in _secrets_of(url)):
            return self._answer(400)
        if asked := ANSWERS.search(self.path):
            return self._answer(int(asked[1]))
        if self.headers["webhook-id"] not in self.done:
            self.done.add(self.headers["webhook-id"])
            self._show(url, body.decode())
        return self._answer(204)

    def _show(self, url: str, body: str) -> None:
        headers = {name: value for name, value in self.headers.items() if name.startswith("webhook-")}
        tags = {"dispatch_id": headers["webhook-id"]}
        outbox.keep(
            outbox.Sent(
                provider_message_id=headers["webhook-id"],
                channel="webhook",
                to=(url,),
                text=body,
                headers=headers,
                tags=tags,
            )
        )

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def _listening() -> ThreadingHTTPServer:
    with suppress(OSError, OverflowError):  # taken, or beyond the last port
        return ThreadingHTTPServer(("127.0.0.1", int(os.environ["GATEWAY_PORT"]) + ABOVE), Endpoint)
    return ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)


def _secrets_of(url: str) -> Iterator[str]:
    """The secrets of an endpoint at every stack here, as `heliograph webhook secret` shows them."""
    for kept in list(secretsmanager._secrets._data.values()):
        for version in kept["Versions"].values():
            for key in (version["SecretString"] or "").split():
                secret = hmac.digest(key.encode(), f"heliograph webhook {url}".encode(), "sha256")
                yield f"whsec_{b64encode(secret).decode()}"


def _example() -> Any:
    path = Path(__file__).parents[3] / "examples/custom-channel/receiver.py"
    spec = importlib.util.spec_from_file_location("receiver", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


is_genuine = _example().is_genuine


def _certify(certificate: Path, key: Path) -> None:
    """A key and a certificate for a day's play, signed by itself: whoever trusts the file trusts the name."""
    made, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(made.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + 365 * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(made, hashes.SHA256())
    )
    text, pkcs8, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key.write_bytes(made.private_bytes(text, pkcs8, plain))
    certificate.write_bytes(signed.public_bytes(text))
