"""Trim the layer's botocore to what the functions call: every cold start reads, and parses, all that is left.

Called by the Makefile beside this file with the folder of the layer's packages. Why: docs/decisions/packing-and-cost.md
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

OPERATIONS = {
    "dynamodb": (
        *("BatchExecuteStatement", "BatchGetItem", "BatchWriteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
    ),
    "lambda": ("Invoke",),
    "pinpoint": ("SendMessages",),
    "pinpoint-sms-voice-v2": ("SendTextMessage",),
    "s3": ("GetObject", "HeadObject", "PutObject"),
    "scheduler": ("CreateSchedule",),
    "secretsmanager": ("GetSecretValue",),
    "sesv2": ("GetAccount", "SendBulkEmail", "SendEmail"),
    "sns": ("CreatePlatformEndpoint", "DeleteEndpoint", "Publish"),
    "sqs": ("ChangeMessageVisibility", "SendMessage", "SendMessageBatch"),
}
"""Service -> what is called. A new call of the functions is added here."""

AS_THEY_ARE = {
    "dynamodb": (
        *("AttributeMap", "BatchGetRequestMap", "BatchGetResponseMap", "BatchWriteItemRequestMap"),
        *("ExpressionAttributeNameMap", "ExpressionAttributeValueMap", "ItemList", "Key"),
        *("PartiQLBatchRequest", "PartiQLBatchResponse", "PutItemInputAttributeMap"),
    ),
    "sesv2": ("BulkEmailEntryList", "BulkEmailEntryResultList", "BulkEmailContent", "EmailContent", "MessageTagList"),
    "sqs": ("SendMessageBatchRequestEntryList", "SendMessageBatchResultEntryList", "BatchResultErrorEntryList"),
}
"""Large shapes whose values are the JSON that travels: as "documents" botocore hands them on without walking through.

True of everything but bytes, which come as base64; `aws.spelling` sends them so.
"""

ADDRESSED_BY_RULES = ("s3",)
"""Services whose addresses depend on what is called: botocore asks their rules at every call, a twentieth of its CPU.

All others have one address in a region; without rules botocore takes it from endpoints.json, when a client is made.
"""

KEPT = ("_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json")


def trim(packages: Path) -> None:
    """Leave in botocore's data what is called, without its documentation."""
    data = packages / "botocore/data"
    models = {service: _latest(data / service) for service in OPERATIONS}
    for path in data.iterdir():
        if path.is_dir() and path.name not in OPERATIONS:
            shutil.rmtree(path)
        elif path.is_file() and path.name not in KEPT:
            path.unlink()
    prefixes = {_trim_service(service, folder) for service, folder in models.items()}
    _trim_endpoints(data / "endpoints.json", prefixes)


def _latest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda version: version.name)


def _trim_service(service: str, folder: Path) -> str:
    """Rewrite a service's model; the prefix of its endpoints."""
    model = _read(folder, "service-2")
    model["operations"] = {name: model["operations"][name] for name in OPERATIONS[service]}
    for name in AS_THEY_ARE.get(service, ()):
        model["shapes"][name] = {"type": "structure", "members": {}, "document": True}
    needed = set(_needed(model["operations"], model["shapes"]))
    model["shapes"] = {name: _undocumented(shape) for name, shape in model["shapes"].items() if name in needed}
    model["operations"] = _undocumented(model["operations"])
    files = {"service-2": model}
    if service in ADDRESSED_BY_RULES:
        files["endpoint-rule-set-1"] = _read(folder, "endpoint-rule-set-1")
    if any(folder.glob("paginators-1.json*")):
        pages = _read(folder, "paginators-1")["pagination"]
        pages = {name: page for name, page in pages.items() if name in OPERATIONS[service]}
        files["paginators-1"] = {"pagination": pages}
    extras = {path.name: path.read_bytes() for path in folder.glob("*.sdk-extras.json") if "service" in path.name}
    shutil.rmtree(folder.parent)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content, separators=(",", ":")))
    for name, text in extras.items():
        (folder / name).write_bytes(text)
    return str(model["metadata"]["endpointPrefix"])


def _read(folder: Path, name: str) -> Json:
    plain, packed = folder / f"{name}.json", folder / f"{name}.json.gz"
    content: Json = json.loads(plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes()))
    return content


def _needed(operations: Json, shapes: Json) -> Iterator[str]:
    """The shapes that operations are made of."""
    found: set[str] = set()
    waiting = list(_named(operations))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            yield name
            waiting += _named(shapes[name])


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("shape"), str):
            yield node["shape"]
        for value in node.values():
            yield from _named(value)
    elif isinstance(node, list):
        for value in node:
            yield from _named(value)


def _undocumented(node: Any) -> Any:
    """A model without its prose; a member may be called `documentation`, but then it is an object."""
    if isinstance(node, dict):
        return {
            name: _undocumented(value)
            for name, value in node.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [_undocumented(value) for value in node] if isinstance(node, list) else node


def _trim_endpoints(path: Path, prefixes: set[str]) -> None:
    content = json.loads(path.read_bytes())
    for partition in content["partitions"]:
        partition["services"] = {name: each for name, each in partition["services"].items() if name in prefixes}
    path.write_text(json.dumps(content, separators=(",", ":")))


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
