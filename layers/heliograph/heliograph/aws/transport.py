"""How calls travel that are made for every message: over our own connections, in the place of urllib3."""

from __future__ import annotations

import os
import ssl
from collections import defaultdict, deque
from contextlib import suppress
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from heliograph.aws.connections import Address, BrokenAnswerError, Connection

PORTS = {"http": 80, "https": 443}


class Transport:
    """The connections of a session, which threads may share: each has one to itself while it asks."""

    def __init__(self, ca_bundle: str | None) -> None:
        self._ca_bundle = ca_bundle
        self._idle: defaultdict[Address, deque[Connection]] = defaultdict(deque)
        self._trusted = cache(self._trust)

    def send(self, request: Any, **_: Any) -> AWSResponse | None:
        """Send a request of botocore (`before-send`); None leaves to botocore what goes through a proxy.

        Raises what botocore raises: ConnectTimeoutError, EndpointConnectionError and SSLError when nothing was sent;
        ReadTimeoutError and ConnectionClosedError when that is in doubt.
        """
        address, target = _parts(request.url)
        if address is None:
            return None
        config = request.context["client_config"]
        connection = self._connection(address, request.url, timeout=config.connect_timeout)
        try:
            answer = connection.ask(_written(request, target), timeout=config.read_timeout)
        except TimeoutError as error:
            connection.close()
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
        except (OSError, BrokenAnswerError) as error:
            connection.close()
            raise ConnectionClosedError(endpoint_url=request.url, request=request, error=error) from error
        if answer.is_last:
            connection.close()
        else:
            self._idle[address].append(connection)
        headers: Any = answer.headers  # of any mapping AWSResponse makes headers that do not mind the case
        return AWSResponse(request.url, answer.status, headers, answer)

    def _connection(self, address: Address, url: str, *, timeout: float) -> Connection:
        """The connection that was used last, if it still can be; or else a new one."""
        idle = self._idle[address]
        with suppress(IndexError):  # there is none, or another thread has just taken the last one
            while not (connection := idle.pop()).is_usable():
                connection.close()
            return connection
        try:
            return Connection(address, self._trusted() if address.scheme == "https" else None, timeout=timeout)
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=url, error=error) from error
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=url, error=error) from error
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=url, error=error) from error

    def _trust(self) -> ssl.SSLContext:
        """Those whom botocore trusts; reading who they are takes as long as thirty calls."""
        bundle = self._ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or get_cert_path(verify=True)
        return ssl.create_default_context(cafile=bundle)


@cache
def _parts(url: str) -> tuple[Address | None, str]:
    """Where a request goes, unless it goes to a proxy, and what it asks for there."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme in get_environ_proxies(url):
        return None, target
    return Address(parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme]), target


def _written(request: Any, target: str) -> bytes:
    """The bytes of a request, head and body."""
    lines = [f"{request.method} {target} HTTP/1.1".encode(), b"Accept-Encoding: identity"]
    lines += [b"%b: %b" % (name.encode(), _bytes(value)) for name, value in request.headers.items()]
    return b"\r\n".join([*lines, b"", request.body or b""])


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
