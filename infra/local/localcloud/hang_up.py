"""End a call without an answer: its caller cannot know whether it was heard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from hypercorn.events import Closed
from ministack import app

from localcloud.calls import HANG_UP

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_MARK = HANG_UP.encode()


def install() -> None:
    """Close the connection in place of every answer that is marked so."""
    others = app.app

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        over = False

        async def send_unless_over(message: MutableMapping[str, Any]) -> None:
            nonlocal over
            if not over and any(name.lower() == _MARK for name, _ in message.get("headers", ())):
                over = True
                await _close(send)
            if not over:
                await send(message)

        await others(scope, receive, send_unless_over)

    app.app = serve


async def _close(send: Any) -> None:
    """Close the connection that hypercorn's `send` writes to; ASGI has no word for that."""
    stream = send.__self__
    stream.closed = True  # or hypercorn would say 500 in place of the answer that does not come
    await stream.send.__self__.send(Closed())
