"""Write the EventBridge rules that turn product events into messages, as plain CloudFormation."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from heliograph.model.messages import Message, Trigger

HEAD = "# One rule for each trigger in templates/messages/: written by `heliograph build`, never by hand.\n"
RETRIES = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}  # EventBridge's own most, said aloud
PARAMETERS = {
    "BusName": {"Type": "String", "Description": "The application's event bus"},
    "EventsQueueArn": {"Type": "String", "Description": "The queue that ingest_event reads"},
    "DeadLettersArn": {"Type": "String", "Default": "", "Description": "Where events go that the queue did not take"},
}
NOTHING = {"NoTriggers": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}  # a template needs a resource


def write(messages: Iterable[Message], path: Path) -> None:
    """Write the template with the rule of every message that has a trigger."""
    rules = {logical_id(message.name): _rule(message.name, message.trigger) for message in messages if message.trigger}
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Heliograph: which product event sends which message",
        "Parameters": PARAMETERS,
        "Conditions": {"HasDeadLetters": {"Fn::Not": [{"Fn::Equals": [{"Ref": "DeadLettersArn"}, ""]}]}},
        "Resources": dict(sorted(rules.items())) or NOTHING,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + _yaml(document), encoding="utf-8")


def event_pattern(trigger: Trigger) -> dict[str, Any]:
    """What EventBridge matches events with."""
    return {"source": [trigger.source], "detail-type": [trigger.detail_type], **trigger.filter}


def logical_id(message: str) -> str:
    """The name of a message's rule in the template: letters and digits, and never that of another message."""
    words = "".join(word[:1].upper() + word[1:] for word in re.split(r"[_-]+", message))
    return f"{words}Trigger{hashlib.sha256(message.encode()).hexdigest()[:6]}"


def _rule(message: str, trigger: Trigger) -> dict[str, Any]:
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Description": f"{trigger.detail_type} from {trigger.source} sends {message}"[:512],
            "EventBusName": {"Ref": "BusName"},
            "EventPattern": event_pattern(trigger),
            "State": "ENABLED",
            "Targets": [_target(message)],
        },
    }


def _target(message: str) -> dict[str, Any]:
    return {
        "Id": "events-queue",
        "Arn": {"Ref": "EventsQueueArn"},
        "InputTransformer": {"InputTemplate": f'{{"message": "{message}", "event": <aws.events.event.json>}}'},
        "RetryPolicy": RETRIES,
        "DeadLetterConfig": {"Fn::If": ["HasDeadLetters", {"Arn": {"Ref": "DeadLettersArn"}}, {"Ref": "AWS::NoValue"}]},
    }


def _yaml(value: object, indent: int = 0) -> str:
    """YAML of maps and lists, with scalars as JSON (which YAML includes), so that no library is needed."""
    pad = "  " * indent
    if isinstance(value, Mapping) and value:
        return "".join(f"{pad}{_key(key)}:{_nested(inner, indent + 1)}" for key, inner in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{pad}- {_yaml(inner, indent + 1).lstrip()}" for inner in value)
    return f"{pad}{json.dumps(value, ensure_ascii=False)}\n"


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z][A-Za-z0-9:_-]*", key) else json.dumps(key, ensure_ascii=False)


def _nested(value: object, indent: int) -> str:
    if isinstance(value, Mapping | list) and value:
        return f"\n{_yaml(value, indent)}"
    return f" {_yaml(value)}"
