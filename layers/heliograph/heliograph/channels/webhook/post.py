"""Send by a signed POST. What the endpoint answers counts, and nothing else does.

By Standard Webhooks a message has arrived when its endpoint said 2xx, and one that comes again has the same
`webhook-id`, by which its receiver knows it. So a time-out or an error of the server leaves nothing in doubt here:
the message is sent again, ever more rarely. Why: docs/decisions/webhooks-repeat.md
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from urllib3 import Retry
from urllib3.exceptions import InvalidHeader

from heliograph.channels.webhook import signature
from heliograph.channels.webhook.destination import read
from heliograph.channels.webhook.payload import body_of
from heliograph.channels.webhook.request import NETWORK_ERRORS, ForbiddenAddressError, Line, post
from heliograph.channels.webhook.spec import ENDPOINT_FINAL_CODES
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Accepted, Failed, FailureCode, NotSent, Outcome
from heliograph.text.errors import MalformedError

GONE: Final = 410
FIRST_DELAY: Final = timedelta(seconds=5)
LONGEST_DELAY: Final = timedelta(hours=1)
RETRY_AFTER_MOST: Final = 86_400  # seconds; for no longer does an endpoint put us off
GIVEN_UP: Final = timedelta(days=3)
"""After so long a message is parked in the dead letters; Standard Webhooks tries for about three days."""


def post_sender(keys: Sequence[str], *, line: Line, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Sender:
    """Send by POST, one request a message; `keys` are what the endpoints' secrets are made from, the old ones too."""

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        for rendered in batch:
            yield (_send_one(rendered, keys, line, now()),)

    return send


def _send_one(rendered: Rendered, keys: Sequence[str], line: Line, at: datetime) -> Outcome:
    dispatch_id, endpoint = rendered.dispatch.dispatch_id, rendered.dispatch.addresses[0]
    body = body_of(rendered)
    secrets = [signature.secret_of(endpoint, key) for key in keys]
    signed = signature.headers(dispatch_id, body, at=at, secrets=secrets)
    try:
        answer = post(read(endpoint), signed, body, line)
    except (MalformedError, ForbiddenAddressError):
        return Failed(dispatch_id=dispatch_id, code=FailureCode.INVALID_ADDRESS)
    except NETWORK_ERRORS as error:
        return later(rendered, type(error).__name__, at)
    if 200 <= answer.status < 300:
        return Accepted(dispatch_id=dispatch_id, provider_message_id=dispatch_id, delivered=True)
    if answer.status == GONE:
        return Failed(dispatch_id=dispatch_id, code=FailureCode.DEAD_TOKEN, dead_addresses=(endpoint,))
    cause = f"HTTP{answer.status}"
    if cause in ENDPOINT_FINAL_CODES:
        return Failed(dispatch_id=dispatch_id, code=ENDPOINT_FINAL_CODES[cause])
    return later(rendered, cause, at, retry_after=answer.retry_after)


def later(rendered: Rendered, cause: str, at: datetime, *, retry_after: str = "") -> NotSent | Failed:
    """Sent again after about as long as it has been tried for; the endpoint may ask for longer.

    A message with a fallback is tried for as long as the fallback gives it; then it has failed, and the next follows.
    """
    dispatch_id, age, wait = rendered.dispatch.dispatch_id, at - rendered.claimed_at, wait_of(retry_after)
    followed = followed_after(rendered)
    if followed and age + wait >= followed:
        return Failed(dispatch_id=dispatch_id, code=FailureCode.REJECTED)
    if age > GIVEN_UP:
        return NotSent(dispatch_id=dispatch_id, cause="GivenUp")
    delay = max(FIRST_DELAY, min(LONGEST_DELAY, age))
    spread = delay * (zlib.crc32(f"{dispatch_id}{at}".encode()) % 256) / 1_024  # up to a quarter: not all at once again
    until = at + max(delay + spread, wait)
    return NotSent(
        dispatch_id=dispatch_id, cause=cause, until=min(until, rendered.claimed_at + followed) if followed else until
    )


def followed_after(rendered: Rendered) -> timedelta | None:
    """How much time the fallback gives that follows on this dispatch; None without one."""
    stage = rendered.dispatch.request.fallbacks
    return next((timedelta(seconds=step.within) for step in rendered.message.fallback[stage : stage + 1]), None)


def wait_of(retry_after: str) -> timedelta:
    """What a Retry-After header asks for, in seconds or until a date; nothing if it cannot be read."""
    try:
        return timedelta(seconds=Retry(retry_after_max=RETRY_AFTER_MOST).parse_retry_after(retry_after))
    except (InvalidHeader, ValueError, OverflowError):  # an endpoint may write anything
        return timedelta()
