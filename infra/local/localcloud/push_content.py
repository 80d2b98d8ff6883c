"""Read what a push message says, from Pinpoint's messages and from the JSON that SNS passes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RESERVED = ("aps", "pinpoint")  # keys of an APNS payload that are not the application's


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What a device shows, and the data that its application gets."""

    platform: str
    title: str = ""
    body: str = ""
    url: str = ""
    data: dict[str, str] = field(default_factory=dict)


def read_push(messages: Mapping[str, Any], platform: str, how: Mapping[str, Any]) -> Push:
    """The push message that one address gets: its platform's, else the default, with the address's overrides."""
    kind = "GCM" if platform == "GCM" else "APNS"
    chosen = messages.get(f"{kind}Message") or messages.get("DefaultPushNotificationMessage") or {}
    if raw := how.get("RawContent") or chosen.get("RawContent"):
        return read_raw_push(raw, platform)
    fallback = messages.get("DefaultMessage") or {}
    return Push(
        platform=platform,
        title=how.get("TitleOverride") or chosen.get("Title") or "",
        body=how.get("BodyOverride") or chosen.get("Body") or fallback.get("Body") or "",
        url=chosen.get("Url") or "",
        data=_strings({**(chosen.get("Data") or {}), **(how.get("Context") or {})}),
    )


def read_raw_push(raw: str, platform: str) -> Push:
    """The push message in a payload of FCM or APNS; text that is not JSON is the body itself."""
    try:
        payload = json.loads(raw)
    except ValueError:
        payload = raw
    if not isinstance(payload, dict):
        return Push(platform=platform, body=raw)
    if "aps" in payload:
        return _read_apns(payload, platform)
    message = (payload.get("fcmV1Message") or {}).get("message") or payload
    said, data = message.get("notification") or {}, message.get("data") or {}
    return Push(platform=platform, title=said.get("title", ""), body=said.get("body", ""), data=_strings(data))


def _read_apns(payload: Mapping[str, Any], platform: str) -> Push:
    alert = payload["aps"].get("alert") or {}
    said = alert if isinstance(alert, dict) else {"body": alert}
    data = {key: value for key, value in payload.items() if key not in RESERVED}
    return Push(platform=platform, title=said.get("title", ""), body=said.get("body", ""), data=_strings(data))


def _strings(data: Mapping[str, Any]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in data.items()}
