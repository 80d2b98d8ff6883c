"""CloudFormation resource types that ministack lacks and a template of ours may hold."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from ministack.services import athena, cloudwatch, eventbridge
from ministack.services.cloudformation import provisioners

from localcloud import push, sms_resources
from localcloud.calls import arn

Properties = dict[str, Any]
Made = tuple[str, dict[str, Any]]
"""What Ref gives, and what GetAtt gives."""
Make = Callable[[str, Properties, str], Made]
Remove = Callable[[str, Properties], Any]


def register(type_name: str, make: Make, remove: Remove = lambda _name, _properties: None) -> None:
    """Teach CloudFormation a type. An update replaces what is kept under the name that it has."""

    def update(name: str, _old: Properties, new: Properties, stack: str, logical_id: str = "") -> Made:
        return make(logical_id, new | {"_physical": name}, stack)

    handlers = {"create": make, "update": update, "update_with_logical_id": True, "delete": remove}
    provisioners._RESOURCE_HANDLERS.setdefault(type_name, handlers)


def physical_name(properties: Properties, key: str, stack: str, logical_id: str) -> str:
    """The name that a resource has, is given, or gets."""
    return str(properties.get("_physical") or properties.get(key) or f"{stack}-{logical_id}-{uuid.uuid4().hex[:12]}")


def _sms_configuration_set(logical_id: str, properties: Properties, stack: str) -> Made:
    name = physical_name(properties, "ConfigurationSetName", stack, logical_id)
    made = sms_resources.create_configuration_set(name, properties.get("EventDestinations") or [])
    for destination in sms_resources.configuration_sets[name]["EventDestinations"]:
        destination["Enabled"] = str(destination.get("Enabled", True)).lower() == "true"
    return name, {"Arn": made["ConfigurationSetArn"]}


def _sms_identity(kind: str, key: str = "") -> Make:
    def make(logical_id: str, properties: Properties, stack: str) -> Made:
        del logical_id, stack
        given = properties.get("_physical") or properties.get(key, "")
        number = f"+1206555{uuid.uuid4().int % 100:02d}99" if kind == "phone-number" else ""
        known = sms_resources.identities.get(given)
        made = known or sms_resources.create_identity(kind, given, number)
        attributes = {"Arn": made["Arn"], "PhoneNumber": made["PhoneNumber"]}
        return made["Id"], attributes | {"PhoneNumberId": made["Id"], "PoolId": made["Id"], "SenderId": made["Id"]}

    return make


def _forget_identity(name: str, _: Properties) -> None:
    sms_resources.forget_identity(name)


def _opt_out_list(logical_id: str, properties: Properties, stack: str) -> Made:
    name = physical_name(properties, "OptOutListName", stack, logical_id)
    return name, {"Arn": arn("sms-voice", f"opt-out-list/{name}")}


def _pinpoint_app(logical_id: str, properties: Properties, stack: str) -> Made:
    known = push.applications.get(properties.get("_physical"))
    made = known or push.create_application(properties.get("Name") or f"{stack}-{logical_id}")
    return made["Id"], {"Arn": made["Arn"]}


def _pinpoint_channel(logical_id: str, properties: Properties, stack: str) -> Made:
    del stack
    return f"{properties['ApplicationId']}-{logical_id}", {"Id": logical_id}


def _archive(logical_id: str, properties: Properties, stack: str) -> Made:
    name = physical_name(properties, "ArchiveName", stack, logical_id)[:48]
    pattern = properties.get("EventPattern")
    kept: Properties = {key: properties[key] for key in ("Description", "RetentionDays") if key in properties}
    request: Properties = {**kept, "ArchiveName": name, "EventPattern": json.dumps(pattern) if pattern else ""}
    if name not in eventbridge._archives:
        _succeed(eventbridge._create_archive(request | {"EventSourceArn": properties.get("SourceArn")}))
    else:
        _succeed(eventbridge._update_archive(request))
    return name, {"Arn": eventbridge._archives[name]["ArchiveArn"], "ArchiveName": name}


def _composite_alarm(logical_id: str, properties: Properties, stack: str) -> Made:
    name = physical_name(properties, "AlarmName", stack, logical_id)
    enabled = str(properties.get("ActionsEnabled", True)).lower() == "true"
    given = {key: value for key, value in properties.items() if key != "_physical"}
    request = {**given, "AlarmName": name, "ActionsEnabled": enabled}
    _succeed(cloudwatch._put_composite_alarm({}, request, is_cbor=False, is_json=True))
    return name, {"Arn": arn("cloudwatch", f"alarm:{name}")}


def _named_query(logical_id: str, properties: Properties, stack: str) -> Made:
    del logical_id, stack
    identity = properties.get("_physical") or str(uuid.uuid4())
    given = {key: value for key, value in properties.items() if key != "_physical"}
    athena._named_queries[identity] = {"WorkGroup": "primary", **given, "NamedQueryId": identity}
    return identity, {"NamedQueryId": identity}


def _succeed(answer: Any) -> None:
    if answer[0] >= 400:
        raise ValueError(f"refused: {answer[2]!r}")


def install() -> None:
    """Register the types."""
    sets = sms_resources.configuration_sets
    register("AWS::SMSVOICE::ConfigurationSet", _sms_configuration_set, lambda name, _: sets.pop(name, None))
    register("AWS::SMSVOICE::PhoneNumber", _sms_identity("phone-number"), _forget_identity)
    register("AWS::SMSVOICE::Pool", _sms_identity("pool"), _forget_identity)
    register("AWS::SMSVOICE::SenderId", _sms_identity("sender-id", "SenderId"), _forget_identity)
    register("AWS::SMSVOICE::OptOutList", _opt_out_list)
    register("AWS::Pinpoint::App", _pinpoint_app, lambda name, _: push.applications.pop(name, None))
    for channel in ("GCMChannel", "APNSChannel", "APNSSandboxChannel"):
        register(f"AWS::Pinpoint::{channel}", _pinpoint_channel)
    register("AWS::Events::Archive", _archive, lambda name, _: eventbridge._archives.pop(name, None))
    alarms = cloudwatch._composite_alarms
    register("AWS::CloudWatch::CompositeAlarm", _composite_alarm, lambda name, _: alarms.pop(name, None))
    register("AWS::Athena::NamedQuery", _named_query, lambda name, _: athena._named_queries.pop(name, None))
