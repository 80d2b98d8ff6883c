"""SNS messages to phones and devices: shown in the outbox, and refused for disabled endpoints."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from ministack.services import sns

from localcloud import outbox, push
from localcloud.calls import Answer
from localcloud.push_content import read_raw_push
from localcloud.sms import OPTED_OUT, number_ending

DEAD = "dead-"  # a publish to such a token succeeds; only then is its endpoint disabled, as on AWS

_MESSAGE_ID = re.compile(rb"<MessageId>([^<]+)</MessageId>")
_ENDPOINT = re.compile(rb"<EndpointArn>([^<]+)</EndpointArn>")


def install() -> None:
    """Look at every Publish that goes to a phone or a device."""
    publish = sns._publish

    def seen(params: Mapping[str, Any]) -> Answer:
        number, target = sns._p(params, "PhoneNumber"), sns._p(params, "TargetArn")
        if ":endpoint/" in target:
            return _publish_to_device(params, target)
        result: Answer = publish(params)
        if number and result[0] == 200 and number_ending(number) != OPTED_OUT:
            outbox.keep(_text(params, number, result))
        return result

    sns._publish = seen
    create = sns._create_platform_endpoint
    sns._create_platform_endpoint = lambda params: _with_endpoint_arn(create(params))


def _with_endpoint_arn(created: Answer) -> Answer:
    """The endpoint of a device under `endpoint/…`, as on AWS; ministack keeps it under `app/…`."""
    status, headers, content = created
    found = _ENDPOINT.search(content)
    if status != 200 or found is None or b":app/" not in found[1]:
        return created
    old = found[1].decode()
    arn = old.replace(":app/", ":endpoint/")
    sns._platform_endpoints[arn] = sns._platform_endpoints.pop(old) | {"arn": arn}
    return status, headers, content.replace(old.encode(), arn.encode())


def _text(params: Mapping[str, Any], number: str, result: Answer) -> outbox.Sent:
    attributes = sns._parse_message_attributes(params)
    values = {name.rpartition(".")[2]: str(given.get("StringValue", "")) for name, given in attributes.items()}
    sender = values.get("SenderID") or values.get("OriginationNumber", "")
    headers = {"From": sender, "Message-Type": values.get("SMSType", "Promotional")}
    found = _MESSAGE_ID.search(result[2])
    return outbox.Sent(
        provider_message_id=found[1].decode() if found else str(uuid.uuid4()),
        channel="sms",
        to=(number,),
        text=sns._p(params, "Message"),
        headers={name: value for name, value in headers.items() if value},
    )


def _publish_to_device(params: Mapping[str, Any], target: str) -> Answer:
    endpoint = sns._platform_endpoints.get(target)
    if endpoint is None:
        return _refused("InvalidParameter", "Invalid parameter: TargetArn Reason: No endpoint found for the target arn")
    if endpoint["attributes"].get("Enabled", "true").lower() != "true":
        return _refused("EndpointDisabled", "Endpoint is disabled")
    platform = target.split("/")[1]
    message = sns._p(params, "Message")
    if sns._p(params, "MessageStructure") == "json":
        message = _for_platform(message, platform)
    if message is None:
        return _refused("InvalidParameter", "Invalid parameter: Message Structure - JSON message body failed to parse")
    message_id, token = str(uuid.uuid4()), endpoint["attributes"]["Token"]
    if token.startswith(DEAD):
        endpoint["attributes"]["Enabled"] = "false"
    else:
        outbox.keep(push.shown(read_raw_push(message, platform), token, message_id))
    result = f"<PublishResult><MessageId>{message_id}</MessageId></PublishResult>"
    answer: Answer = sns._xml(200, "PublishResponse", result)
    return answer


def _for_platform(message: str, platform: str) -> str | None:
    """What a platform gets of a JSON message: its own part, else `default`, which must be there; both are strings."""
    try:
        parts = json.loads(message)
    except ValueError:
        return None
    if not isinstance(parts, dict) or not isinstance(parts.get("default"), str):
        return None
    part = parts.get(platform, parts["default"])
    return part if isinstance(part, str) else None


def _refused(code: str, words: str) -> Answer:
    answer: Answer = sns._error(code, words, 400)
    return answer
