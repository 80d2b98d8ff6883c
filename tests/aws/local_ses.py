"""Send mails through the SES of a local cloud."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws.local_cloud import ACCOUNT, REGION, Inbox

SENDER = "Example Shop <hello@example.com>"
INLINE = {"Subject": "{{subject}}", "Html": "{{html}}", "Text": "{{text}}"}
WORDS = {"subject": "Hello", "html": "<p>Hello <a href='https://example.com/a'>you</a></p>", "text": "Hello"}


def a_configuration_set(ses: Any) -> str:
    """A configuration set that reports everything to the default bus."""
    name = f"set-{uuid.uuid4().hex[:8]}"
    kinds = ["SEND", "DELIVERY", "BOUNCE", "COMPLAINT", "OPEN", "CLICK", "RENDERING_FAILURE"]
    bus = {"EventBusArn": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"}
    ses.create_configuration_set(ConfigurationSetName=name)
    ses.create_configuration_set_event_destination(
        ConfigurationSetName=name,
        EventDestinationName="bus",
        EventDestination={"Enabled": True, "MatchingEventTypes": kinds, "EventBridgeDestination": bus},
    )
    return name


def send(ses: Any, to: str, **more: Any) -> str:
    body = {"Text": {"Data": WORDS["text"]}, "Html": {"Data": WORDS["html"]}}
    content = {"Simple": {"Subject": {"Data": "Hello"}, "Body": body}}
    mail = {"FromEmailAddress": SENDER, "Destination": {"ToAddresses": [to]}, "Content": content, **more}
    message_id: str = ses.send_email(**mail)["MessageId"]
    return message_id


def entry(to: str, **more: Any) -> dict[str, Any]:
    data = {"ReplacementTemplate": {"ReplacementTemplateData": json.dumps(WORDS)}}
    return {"Destination": {"ToAddresses": [to]}, "ReplacementEmailContent": data, **more}


def send_bulk(ses: Any, *entries: dict[str, Any], **more: Any) -> list[dict[str, str]]:
    default = {"Template": {"TemplateContent": INLINE, "TemplateData": "{}"}}
    mails = {"FromEmailAddress": SENDER, "DefaultContent": default, "BulkEmailEntries": list(entries), **more}
    results: list[dict[str, str]] = ses.send_bulk_email(**mails)["BulkEmailEntryResults"]
    return results


def an_address() -> str:
    return f"{uuid.uuid4().hex}@example.net"


def kinds_of(inbox: Inbox, number: int) -> list[str]:
    return [event["detail-type"] for event in inbox.take(number)]


def refusal(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    return caught.value.response
