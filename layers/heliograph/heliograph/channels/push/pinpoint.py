"""Push over Pinpoint's SendMessages: one message to every device of a person."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from heliograph.channels.errors import PROVIDER_ERRORS, outcome_of
from heliograph.channels.expiry import seconds_to_live
from heliograph.channels.push.devices import data_of, each_in_turn, together
from heliograph.channels.push.open_tokens import OpenTokens
from heliograph.channels.push.spec import PINPOINT_FINAL_CODES
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Accepted, Failed, FailureCode, InDoubt, NotSent, Outcome

if TYPE_CHECKING:
    from types_boto3_pinpoint import PinpointClient
    from types_boto3_pinpoint.type_defs import MessageResultTypeDef

TTL_MOST: Final = 2_419_200  # seconds (28 days): FCM's ttl; APNs keeps messages no longer than that either

GONE: Final = re.compile(r"unregistered|not\s?registered|bad\s?device\s?token", re.IGNORECASE)
"""How FCM (`UNREGISTERED`, `NotRegistered`) and APNs (`Unregistered`, `BadDeviceToken`) say that a token is dead."""


def pinpoint_sender(
    client: PinpointClient,
    *,
    application_id: str,
    tokens: OpenTokens,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Sender:
    """Send by SendMessages, one call for all devices of a person."""

    def send_one(rendered: Rendered) -> Outcome:
        dispatch = rendered.dispatch
        devices = {token: platform for platform, _, token in (each.partition(":") for each in dispatch.addresses)}
        try:
            answer = client.send_messages(
                ApplicationId=application_id,
                MessageRequest={
                    "Addresses": {
                        token: {"ChannelType": platform.upper()}  # type: ignore[typeddict-item]  # as `domain.addresses` named it
                        for token, platform in devices.items()
                    },
                    "MessageConfiguration": _messages(rendered, data_of(rendered, tokens), now()),
                    "TraceId": dispatch.dispatch_id,
                },
            )
        except PROVIDER_ERRORS as error:
            return outcome_of(error, dispatch.dispatch_id, final=PINPOINT_FINAL_CODES)
        results = answer["MessageResponse"].get("Result", {})
        verdicts = {
            f"{platform}:{token}": _verdict(dispatch.dispatch_id, results.get(token))
            for token, platform in devices.items()
        }
        return together(dispatch.dispatch_id, verdicts)

    return each_in_turn(send_one)


def not_set_up_sender() -> Sender:
    """Send nothing: what was planned before push was switched off waits in the dead letters until it is on again."""
    return each_in_turn(lambda rendered: NotSent(dispatch_id=rendered.dispatch.dispatch_id, cause="PushIsNotSetUp"))


def _messages(rendered: Rendered, data: Mapping[str, str], at: datetime) -> Any:
    """What each platform shows; the data is for the app to report that it was opened."""
    url = rendered.content.get("url", "")
    shown: dict[str, Any] = {
        "Title": rendered.content.get("title", ""),
        "Body": rendered.content["body"],
        "Data": data,
        "Action": _action(url),
    }
    shown |= {"Url": url} if url else {}
    expiry = seconds_to_live(rendered.dispatch, at, least=0, most=TTL_MOST)
    limited = shown | ({} if expiry is None else {"TimeToLive": expiry})
    return {
        "DefaultPushNotificationMessage": shown,
        "APNSMessage": limited | {"APNSPushType": "alert"},
        "GCMMessage": limited
        | {"PreferredAuthenticationMethod": "TOKEN"},  # the default, KEY, was switched off by Google
    }


def _action(url: str) -> str:
    if not url:
        return "OPEN_APP"
    return "URL" if url.startswith(("https:", "http:")) else "DEEP_LINK"


def _verdict(dispatch_id: str, result: MessageResultTypeDef | None) -> Outcome:
    """What became of one device. `UpdatedToken` is not kept: neither FCM v1 nor APNs renames tokens, the app does."""
    if result is None:
        return InDoubt(dispatch_id=dispatch_id, cause="NoStatus")
    match result["DeliveryStatus"]:
        case "SUCCESSFUL":
            return Accepted(dispatch_id=dispatch_id, provider_message_id=result.get("MessageId", ""))
        case "PERMANENT_FAILURE":
            return Failed(dispatch_id=dispatch_id, code=_why(result))
        case "OPT_OUT":
            return Failed(dispatch_id=dispatch_id, code=FailureCode.OPTED_OUT)
        case "THROTTLED" | "TEMPORARY_FAILURE" as status:
            return NotSent(dispatch_id=dispatch_id, cause=status)
        case status:
            return InDoubt(dispatch_id=dispatch_id, cause=status)


def _why(result: MessageResultTypeDef) -> FailureCode:
    """A dead token, or a message that the platform refuses; only the former ends the device."""
    if result["StatusCode"] == 410 or GONE.search(result.get("StatusMessage", "")):
        return FailureCode.DEAD_TOKEN
    return FailureCode.REJECTED
