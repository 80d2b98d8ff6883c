"""What the body of a queue's message is, and whom it concerns, as far as that can be told without trusting it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from heliograph.channels.registry import CHANNELS, spec
from heliograph.model.values import JsonObject
from heliograph.text.ids import is_identifier

NAMED = 10
"""How many people of a pack are named."""


class Kind(StrEnum):
    """What travels in the queues."""

    EVENT = "product event"
    PERSON = "change of a person"
    UPLOAD = "upload of a campaign"
    IMPORT = "file of people"
    REQUESTS = "pack of send requests"
    DISPATCHES = "pack of dispatches"
    PROVIDER_EVENT = "provider event"
    PROVIDER_EVENTS = "minute of provider events"
    INBOUND = "message of a person"
    CHANGES = "batch of changes of records"
    FOREIGN = "text that is not ours"


def read(body: str) -> JsonObject:
    """The body, if it is a JSON object; a notification of SNS is opened."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    if content.get("Type") == "Notification" and isinstance(content.get("Message"), str):
        return read(content["Message"])
    return content


def kind_of(content: JsonObject) -> Kind:
    match content:
        case {"dispatches": list(), "channel": str()}:
            return Kind.DISPATCHES
        case {"requests": list()} | {"segment": {"rows": list(), "columns": list()}}:
            return Kind.REQUESTS
        case {"source": "aws.s3", "detail": {"object": {"key": str(key)}}} if key.startswith("imports/"):
            return Kind.IMPORT
        case {"source": "aws.s3", "detail": {"object": {"key": str(key)}}} if key.startswith("raw/"):
            return Kind.PROVIDER_EVENTS
        case {"source": "aws.s3"}:
            return Kind.UPLOAD
        case {"source": "aws.ses"} | {"detail-type": "PushOpened"} | {"mail": dict()} | {"context": dict()}:
            return Kind.PROVIDER_EVENT
        case {"events": list()} | {"ahead": dict()} | {"unfinished": dict()}:
            return Kind.PROVIDER_EVENT
        case {"inboundMessageId": _} | {"originationNumber": _}:
            return Kind.INBOUND
        case {"DDBStreamBatchInfo": dict()}:
            return Kind.CHANGES
        case {"detail-type": "RecipientUpdated"}:
            return Kind.PERSON
        case {"event": dict()} | {"detail-type": str()}:
            return Kind.EVENT
    return Kind.FOREIGN


def named(kind: Kind, content: JsonObject) -> str:
    """What people call it: a pack of dispatches by what its channel sends."""
    channel = content.get("channel")
    return f"pack of {spec(channel).noun}" if kind is Kind.DISPATCHES and channel in CHANNELS else kind.value


def whom(kind: Kind, content: JsonObject) -> dict[str, Any]:
    """Whom and what it concerns: identifiers only, and nothing that only might be one."""
    match kind:
        case Kind.REQUESTS:
            return _of_pack(content, content.get("requests") or _of_rows(content.get("segment")))
        case Kind.DISPATCHES:
            return _of_pack(content, [_request(each) for each in content["dispatches"]])
        case Kind.UPLOAD:
            return _of_upload(content)
        case Kind.PROVIDER_EVENT:
            return _of_provider_event(content)
        case Kind.EVENT | Kind.PERSON:
            return _of_event(content)
        case Kind.INBOUND | Kind.IMPORT | Kind.PROVIDER_EVENTS | Kind.CHANGES | Kind.FOREIGN:
            return {}


def _of_pack(pack: JsonObject, works: list[Any]) -> dict[str, Any]:
    people = [_ids(work, "recipient_id").get("recipient_id") for work in works]
    named = list(dict.fromkeys(filter(None, people)))
    messages = {_ids(work, "message").get("message") for work in works} - {None}
    return {
        **_ids(pack, "pack_id", "run_id"),
        "messages": sorted(map(str, messages)),
        "people": len(works),
        "recipient_ids": named[:NAMED],
    }


def _request(dispatch: Any) -> Any:
    return dispatch.get("request") if isinstance(dispatch, dict) else None


def _of_rows(segment: Any) -> list[Any]:
    """The rows of a segment as requests, as far as they name anybody."""
    match segment:
        case {"columns": list(columns), "rows": list(rows)} if "recipient_id" in columns:
            position, message = columns.index("recipient_id"), segment.get("message")
            cells = [row[position] if isinstance(row, list) and len(row) > position else None for row in rows]
            return [{"recipient_id": cell, "message": message} for cell in cells]
    return []


def _of_upload(event: JsonObject) -> dict[str, Any]:
    """The name of the campaign, out of `campaigns/<name>/campaign.toml`."""
    match event:
        case {"detail": {"object": {"key": str(key)}}}:
            name = [*key.split("/"), ""][1]
            return {"campaign": name} if is_identifier(name) else {}
    return {}


def _of_event(content: JsonObject) -> dict[str, Any]:
    """Which event it is; a trigger's own fields are not looked into, for they may hold anything."""
    inner = content.get("event")
    event: JsonObject = inner if isinstance(inner, dict) else content
    told = {"event_id": event.get("id"), "event": event.get("detail-type")}
    detail = _ids(event.get("detail"), "message", "recipient_id")
    return detail | _ids(content, "message") | _ids(told, *told)


def _of_provider_event(content: JsonObject) -> dict[str, Any]:
    names = ("recipient_id", "run_id", "message", "dispatch_id")
    match content:
        case {"events": [dict(first), *_]}:
            return _ids(first, *names)
        case {"unfinished": dict(rest)}:
            return _ids(rest, *names)
        case {"context": dict(tags)} | {"detail-type": "PushOpened", "detail": dict(tags)}:
            return _ids(tags, *names)
        case (
            {"mail": {"tags": dict(tags)}}
            | {"detail": {"mail": {"tags": dict(tags)}}}
            | {"ahead": {"mail": {"tags": dict(tags)}}}
        ):
            return _ids(
                {name: values[0] for name, values in tags.items() if isinstance(values, list) and values}, *names
            )
    return {}


def _ids(content: Any, *names: str) -> dict[str, str]:
    if not isinstance(content, dict):
        return {}
    return {name: content[name] for name in names if _is_id(content.get(name))}


def _is_id(value: object) -> bool:
    return isinstance(value, str) and is_identifier(value)
