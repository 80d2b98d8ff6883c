"""Push over SNS: an endpoint for every device token, made on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from heliograph.channels.errors import PROVIDER_ERRORS, ProviderError, code_of, outcome_of
from heliograph.channels.push.devices import data_of, each_in_turn, together
from heliograph.channels.push.open_tokens import OpenTokens
from heliograph.channels.push.spec import SNS_FINAL_CODES
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Accepted, Failed, FailureCode, NotSent, Outcome
from heliograph.model.values import JsonObject

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

EXISTING_ENDPOINT: Final = re.compile(r"arn:aws[a-z-]*:sns:[^\s:]+:\d*:endpoint/\S+")


def sns_sender(client: SNSClient, *, platform_applications: Mapping[str, str], tokens: OpenTokens) -> Sender:
    """Send by SNS, two calls a device; `platform_applications` is platform -> ARN.

    SNS disables an endpoint when the platform calls its token dead. It is deleted then, so that the token, should the
    app register it anew, starts as a fresh endpoint.
    """

    def send_to(rendered: Rendered, device: str, data: Mapping[str, str]) -> Outcome:
        dispatch_id = rendered.dispatch.dispatch_id
        platform, _, token = device.partition(":")
        if platform not in platform_applications:
            return NotSent(dispatch_id=dispatch_id, cause="NoPlatformApplication")
        try:
            endpoint = _endpoint(client, platform_applications[platform], token)
        except PROVIDER_ERRORS as error:
            return _not_now(error, dispatch_id)
        try:
            answer = client.publish(
                TargetArn=endpoint, MessageStructure="json", Message=_payload(rendered, platform, data)
            )
        except client.exceptions.EndpointDisabledException:
            return _buried(client, endpoint, dispatch_id)
        except PROVIDER_ERRORS as error:
            return outcome_of(error, dispatch_id, final=SNS_FINAL_CODES)
        return Accepted(dispatch_id=dispatch_id, provider_message_id=answer["MessageId"])

    def send_one(rendered: Rendered) -> Outcome:
        data = data_of(rendered, tokens)
        verdicts = {device: send_to(rendered, device, data) for device in rendered.dispatch.addresses}
        return together(rendered.dispatch.dispatch_id, verdicts)

    return each_in_turn(send_one)


def _endpoint(client: SNSClient, application: str, token: str) -> str:
    """The endpoint of a token. SNS refuses to make one that exists with other attributes, and names it."""
    try:
        return client.create_platform_endpoint(PlatformApplicationArn=application, Token=token)["EndpointArn"]
    except client.exceptions.InvalidParameterException as error:
        existing = EXISTING_ENDPOINT.search(str(error))
        if existing is None:
            raise
        return existing[0]


def _buried(client: SNSClient, endpoint: str, dispatch_id: str) -> Outcome:
    try:
        client.delete_endpoint(EndpointArn=endpoint)
    except PROVIDER_ERRORS as error:
        return _not_now(error, dispatch_id)
    return Failed(dispatch_id=dispatch_id, code=FailureCode.DEAD_TOKEN)


def _not_now(error: ProviderError, dispatch_id: str) -> NotSent:
    """A call that does not send can be made again, whatever became of it."""
    return NotSent(dispatch_id=dispatch_id, cause=code_of(error))


def _payload(rendered: Rendered, platform: str, data: Mapping[str, str]) -> str:
    """What SNS hands to a platform: JSON within JSON, with a `default` that must be there."""
    title, body, url = (rendered.content.get(part, "") for part in ("title", "body", "url"))
    data = {**data, "url": url} if url else data
    if platform.startswith("apns"):
        native: JsonObject = {"aps": {"alert": {"title": title, "body": body}}, **data}
    elif platform == "gcm":
        native = {"fcmV1Message": {"message": {"notification": {"title": title, "body": body}, "data": data}}}
    else:
        native = {"data": {"title": title, "body": body, **data}}
    return json.dumps({"default": body, platform.upper(): json.dumps(native, ensure_ascii=False)}, ensure_ascii=False)
