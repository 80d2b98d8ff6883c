"""The custom channel: signed requests to endpoints, and calls of functions of yours."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from heliograph.channels.spec import (
    AddressKind,
    ChannelSpec,
    Codes,
    Content,
    Limits,
    Measure,
    OptOut,
    Part,
    Price,
    Surroundings,
)
from heliograph.channels.webhook.destination import address
from heliograph.channels.webhook.payload import BODY_LIMIT, ENVELOPE
from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import FailureCode
from heliograph.model.policy import Enforcement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heliograph.model.dispatches import Sender
    from heliograph.model.engagement import EngagementEvent
    from heliograph.model.values import JsonObject

NAME: Final = Channel("webhook")

ENDPOINT_FINAL_CODES: Final = {"HTTP413": FailureCode.CONTENT_TOO_LARGE, "HTTP422": FailureCode.REJECTED}
"""What an endpoint says of this very message. All else is about its set-up, which its owner mends, and is tried again:
400 too, for so answer those that do not know the signature, and 404, for so answer those that are being deployed."""

FUNCTION_FINAL_CODES: Final = dict.fromkeys(
    ("RequestEntityTooLargeException", "RequestTooLargeException"), FailureCode.CONTENT_TOO_LARGE
)
"""Of Invoke: more than 6 MB, as Lambda says it, and as its model and its documentation do. All else is our set-up or
Lambda's state: no such function, no right, throttled."""

FUNCTION_BUSY_CODES: Final = frozenset(
    {
        *("CallerRateLimitExceeded", "ConcurrentInvocationLimitExceeded", "ConcurrentSnapshotCreateLimitExceeded"),
        *("FunctionInvocationRateLimitExceeded", "ReservedFunctionConcurrentInvocationLimitExceeded"),
        "ReservedFunctionInvocationRateLimitExceeded",
    }
)
"""The reasons that Lambda gives with a TooManyRequestsException."""

CODES: Final = Codes(busy=FUNCTION_BUSY_CODES, final=ENDPOINT_FINAL_CODES | FUNCTION_FINAL_CODES)
"""An endpoint without time says itself when it has some (`NotSent.until`)."""

ENDPOINT: Final = AddressKind("endpoint", "endpoint", read=lambda text, _: address(text))


def connect(around: Surroundings) -> Sender:
    """Both ways at once: the address says which."""
    from heliograph.channels.webhook.function import function_sender
    from heliograph.channels.webhook.post import post_sender
    from heliograph.channels.webhook.request import outside
    from heliograph.channels.webhook.sender import webhook_sender

    line = outside()
    return webhook_sender(
        post=lambda: post_sender(around.signing_keys(), line=line),
        call=function_sender(around.provider("lambda"), stack=around.setting("STACK"), warn=around.warn),
    )


def read_event(_: JsonObject, __: Callable[[], Sequence[str]]) -> EngagementEvent | None:
    """Nobody reports anything later: what an endpoint has to say, it answers."""
    return None


def measure(content: Content) -> Measure:
    """One request, whatever its size."""
    return Measure(1, len(content["data"].encode()) + ENVELOPE)


SPEC: Final = ChannelSpec(
    name=NAME,
    noun="webhooks",
    address_kind=ENDPOINT,
    parts={"data": Part("webhook.json")},
    reports=frozenset({EngagementKind.DELIVERED}),
    silent_providers=frozenset(),
    opt_out=OptOut.ELSEWHERE,
    consent_floor=Enforcement.OFF,
    codes=CODES,
    measure=measure,
    limits=Limits(BODY_LIMIT),
    price=Price(Decimal(0), "AWS asks nothing for a request; for a function of yours what its run time costs"),
    connect=connect,
    read_event=read_event,
)
