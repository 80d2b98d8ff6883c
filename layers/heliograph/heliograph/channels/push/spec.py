"""Push notifications, by Pinpoint's SendMessages or SNS."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from heliograph.channels.addresses import DEVICE
from heliograph.channels.spec import (
    ChannelSpec,
    Codes,
    Content,
    Holds,
    Limits,
    Measure,
    OptOut,
    Part,
    Price,
    Surroundings,
)
from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import FailureCode
from heliograph.model.policy import Enforcement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heliograph.model.dispatches import Sender
    from heliograph.model.engagement import EngagementEvent
    from heliograph.model.values import JsonObject

NAME: Final = Channel("push")
LARGEST: Final = 262_144  # bytes of Message: SNS Publish; platforms take 4 KB and refuse the rest themselves

PINPOINT_FINAL_CODES: Final = {
    "BadRequestException": FailureCode.REJECTED,
    "PayloadTooLargeException": FailureCode.CONTENT_TOO_LARGE,
}
SNS_FINAL_CODES: Final = {"InvalidParameter": FailureCode.REJECTED}

CODES: Final = Codes(
    halted=frozenset({"PlatformApplicationDisabled", "PlatformApplicationDisabledException"}),
    busy=frozenset({"THROTTLED", "TEMPORARY_FAILURE"}),
    final=PINPOINT_FINAL_CODES | SNS_FINAL_CODES,
)
"""SNS: the credentials of an app have expired. Pinpoint: statuses of a device."""


def is_off(setting: Callable[[str], str]) -> bool:
    """Whether nobody has set push up; email and SMS need no set-up here."""
    return setting("PUSH_PROVIDER") == "none"


def connect(around: Surroundings) -> Sender:
    """Pinpoint's SendMessages, or SNS with its platform applications."""
    from heliograph.channels.push.open_tokens import OpenTokens
    from heliograph.channels.push.pinpoint import not_set_up_sender, pinpoint_sender
    from heliograph.channels.push.sns import sns_sender

    def tokens() -> OpenTokens:
        return OpenTokens(around.signing_keys())

    if is_off(around.setting):
        return not_set_up_sender()
    if around.setting("PUSH_PROVIDER") == "sns":
        applications = json.loads(around.setting("PUSH_PLATFORM_APPLICATIONS"))
        return sns_sender(around.provider("sns"), platform_applications=applications, tokens=tokens())
    return pinpoint_sender(
        around.provider("pinpoint"), application_id=around.setting("PUSH_APPLICATION"), tokens=tokens()
    )


def read_event(content: JsonObject, signing_keys: Callable[[], Sequence[str]]) -> EngagementEvent | None:
    """What an app reports; it must prove that it got the push."""
    if content.get("detail-type") != "PushOpened":
        return None
    from heliograph.channels.push.events import read_push_opened
    from heliograph.channels.push.open_tokens import OpenTokens

    return read_push_opened(content, OpenTokens(signing_keys()))


def measure(content: Content) -> Measure:
    """One push, to all devices of a person."""
    return Measure(1, sum(len(text.encode()) for text in content.values()))


SPEC: Final = ChannelSpec(
    name=NAME,
    noun="push notifications",
    address_kind=DEVICE,
    parts={
        "title": Part("push.title.txt", is_one_line=True),
        "body": Part("push.body.txt"),
        "url": Part("push.url.txt", Holds.LINK, is_one_line=True, is_optional=True),
    },
    reports=frozenset({EngagementKind.OPENED, EngagementKind.BOUNCED}),
    silent_providers=frozenset(),
    opt_out=OptOut.ELSEWHERE,
    consent_floor=Enforcement.OFF,
    codes=CODES,
    measure=measure,
    limits=Limits(LARGEST),
    price=Price(Decimal("0.000001"), "Pinpoint, $1.00 per million after the first of a month (2026-08-13)"),
    connect=connect,
    is_off=is_off,
    read_event=read_event,
)
