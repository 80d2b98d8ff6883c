"""Fail-over: what a provider that is out of service certainly did not take goes to another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Accepted, InDoubt, NotSent, Outcome

UNREACHABLE: Final = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"})
"""No connection came about (refused, no such host, no answer to it): the message has not left us."""
OUT_OF_SERVICE: Final = frozenset({"ServiceUnavailable", "ServiceUnavailableException", "503"})
"""So says the front door, and may be wrong about this very message, which stays in doubt; the next go elsewhere."""

Noticed = Callable[[str, int], None]
"""Hears of an outage: its cause, and how many messages are handed to the secondary."""


def failing_over(primary: Sender, secondary: Sender, *, secondary_name: str, noticed: Noticed) -> Sender:
    """Send by the primary; once it is seen out of service, hand what it certainly did not take to the secondary.

    Throttling is no outage, and neither a refusal nor a doubt is handed on. The next messages, those of another pack,
    are the primary's again.
    """

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        left = {rendered.dispatch.dispatch_id: rendered for rendered in batch}
        outage = ""
        for outcomes in primary(batch):
            answered = tuple(each for each in outcomes if not _is_unreachable(each))
            for each in answered:
                del left[each.dispatch_id]
            outage = next(filter(None, map(_outage, outcomes)), "")
            if answered:
                yield answered
            if outage:
                break
        if outage and left:
            noticed(outage, len(left))
            for outcomes in secondary(list(left.values())):
                yield tuple(_named(each, secondary_name) for each in outcomes)

    return send


def _is_unreachable(outcome: Outcome) -> bool:
    return isinstance(outcome, NotSent) and outcome.cause in UNREACHABLE


def _outage(outcome: Outcome) -> str:
    """Why the provider is out of service; empty when it is not."""
    match outcome:
        case NotSent(cause=cause) if cause in UNREACHABLE:
            return cause
        case InDoubt(cause=cause) if cause in OUT_OF_SERVICE:
            return cause
        case _:
            return ""


def _named(outcome: Outcome, provider: str) -> Outcome:
    if not isinstance(outcome, Accepted):
        return outcome
    return msgspec.structs.replace(outcome, provider=provider)
