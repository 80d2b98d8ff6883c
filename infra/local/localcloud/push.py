"""Push through Pinpoint's SendMessages: a result for every device token, and cards in the outbox."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Mapping
from typing import Any

from ministack import app
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import eventbridge

from localcloud import announce, faults, outbox
from localcloud.calls import Call, RefusedError, arn, permit, played
from localcloud.push_content import Push, read_push

FATES = {  # by what a token starts with: delivery status, status code, error of the push service, error of Pinpoint
    "dead-": ("PERMANENT_FAILURE", 410, "UNREGISTERED", "Unregistered or expired token"),
    "invalid-": ("PERMANENT_FAILURE", 400, "INVALID_ARGUMENT", "Invalid notification"),
    "throttled-": ("THROTTLED", 429, "QUOTA_EXCEEDED", "Request throttled"),
    "unavailable-": ("TEMPORARY_FAILURE", 503, "UNAVAILABLE", "Push service unavailable"),
}
TAKEN = ("SUCCESSFUL", 200, None, None)

CHANNELS = {"gcm": "GCM", "apns": "APNS", "apns_sandbox": "APNS_SANDBOX"}
"""Their credentials are there, and good, until a test says otherwise by an update."""

applications: Any = AccountRegionScopedDict()  # id -> {"Id", "Arn", "Name"}
_channels: Any = AccountRegionScopedDict()  # (application, channel) -> what an update said of it

_APP = re.compile(r"/v1/apps/([^/]+)(/messages)?")
_CHANNEL = re.compile(r"/v1/apps/([^/]+)/channels/(\w+)")


def create_application(name: str) -> dict[str, Any]:
    """Keep an application."""
    identity = uuid.uuid4().hex
    applications[identity] = {"Id": identity, "Name": name, "Arn": arn("mobiletargeting", f"apps/{identity}")}
    return dict(applications[identity])


def _play(call: Call) -> Any:
    if call.path.rstrip("/") == "/v1/apps" and call.method == "POST":
        return create_application(call.data.get("Name", ""))
    if channel := _CHANNEL.fullmatch(call.path.rstrip("/")):
        return _channel(call, *channel.groups())
    match = _APP.fullmatch(call.path.rstrip("/"))
    if match is None:
        raise RefusedError("BadRequestException", "The local cloud plays applications, channels and SendMessages only.")
    permit_application(call, match[1], sends=bool(match[2]))
    if match[1] not in applications:
        raise RefusedError("NotFoundException", "Resource not found", status=404, RequestID=str(uuid.uuid4()))
    return send_messages(call, match[1]) if match[2] else applications[match[1]]


def _channel(call: Call, application: str, channel: str) -> dict[str, Any]:
    """GetGcmChannel, UpdateGcmChannel and the like."""
    kind = CHANNELS.get(channel)
    if kind is None or application not in applications:
        raise RefusedError("NotFoundException", "Resource not found", status=404, RequestID=str(uuid.uuid4()))
    verb = "Get" if call.method == "GET" else "Update"
    name = "".join(part.title() for part in channel.split("_"))
    resource = arn("mobiletargeting", f"apps/{application}/channels/{channel}")
    permit(call, action=f"mobiletargeting:{verb}{name}Channel", resource=resource, status=403)
    if call.method == "PUT":
        _channels[application, channel] = call.data
    said = {"Enabled": True, "DefaultAuthenticationMethod": "TOKEN", **(_channels.get((application, channel)) or {})}
    shown = {key: said[key] for key in ("Enabled", "DefaultAuthenticationMethod")}
    has = {"HasCredential": True, "HasTokenKey": True, "HasFcmServiceCredentials": True, "Id": channel}
    return {**shown, **has, "ApplicationId": application, "Platform": kind}


def permit_application(call: Call, application: str, *, sends: bool) -> None:
    """Raises RefusedError when the caller may not use this application."""
    action = "mobiletargeting:SendMessages" if sends else "mobiletargeting:GetApp"
    resource = arn("mobiletargeting", f"apps/{application}" + ("/messages" if sends else ""))
    permit(call, action=action, resource=resource, status=403)


def send_messages(call: Call, application: str) -> dict[str, Any]:
    """SendMessages: 200 even when every address failed."""
    addresses = call.data.get("Addresses") or {}
    if not addresses or "MessageConfiguration" not in call.data:
        raise RefusedError("BadRequestException", "Addresses and MessageConfiguration are required.")
    messages = call.data["MessageConfiguration"]
    faults.admit("push", recipients=len(addresses))
    results = faults.risk("push", lambda: {token: _send(messages, token, how) for token, how in addresses.items()})
    return {"ApplicationId": application, "RequestId": str(uuid.uuid4()), "Result": results}


def _send(messages: Mapping[str, Any], token: str, how: Mapping[str, Any]) -> dict[str, Any]:
    platform = how.get("ChannelType", "")
    fate = next((fate for start, fate in FATES.items() if token.startswith(start)), TAKEN)
    status, code, error, explanation = fate
    message_id = str(uuid.uuid4())
    if fate is TAKEN:
        outbox.keep(shown(read_push(messages, platform, how), token, message_id))
    words = {"errorMessage": explanation, "channelType": platform, "pushProviderStatusCode": str(code)}
    reply = {**words, "pushProviderError": error, "pushProviderResponse": "" if error else message_id}
    return {"DeliveryStatus": status, "MessageId": message_id, "StatusCode": code, "StatusMessage": json.dumps(reply)}


def shown(push: Push, token: str, message_id: str) -> outbox.Sent:
    """A push message as the outbox keeps it."""
    return outbox.Sent(
        provider_message_id=message_id,
        channel="push",
        to=(token,),
        subject=push.title,
        text=push.body,
        headers={"Platform": push.platform} | ({"Url": push.url} if push.url else {}),
        tags=push.data,
        reactions={"open": lambda _: _report_opened(push.data)},
    )


def _report_opened(data: Mapping[str, str]) -> None:
    """What an application does when a person taps a message: tell its bus, with the data that came with it."""
    stack = os.environ.get("HELIOGRAPH_STACK", "heliograph")
    for bus in list(eventbridge._event_buses):
        if bus.startswith(stack):
            announce.put_event(source="app.local", detail_type="PushOpened", detail=data, bus=bus)


def install() -> None:
    """Answer the service under its signing name."""
    app.SERVICE_HANDLERS["mobiletargeting"] = played(_play)
