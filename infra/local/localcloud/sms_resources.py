"""What End User Messaging SMS keeps: configuration sets, origination identities and opt-out lists."""

from __future__ import annotations

import uuid
from typing import Any

from ministack.core.responses import AccountRegionScopedDict

from localcloud import faults
from localcloud.calls import Call, RefusedError, arn

DEFAULT_OPT_OUT_LIST = "Default"
SENDER_ID = "HELIOGRAPH"  # the account has one, registered by hand
MONTHLY_LIMIT = 1000  # US dollars; a new account on AWS has 1
SIMULATORS = ("+14254147755", "+14254147167")
"""Of AWS in the United States: one that gets every text, and one that gets none. Nobody has them."""

configuration_sets: Any = AccountRegionScopedDict()  # name -> {"Arn", "EventDestinations": [...]}
identities: Any = AccountRegionScopedDict()  # id or number -> {"Arn", "PhoneNumber"}
_opted_out: Any = AccountRegionScopedDict()  # number -> opt-out list


def create_configuration_set(name: str, event_destinations: list[dict[str, Any]]) -> dict[str, Any]:
    """Keep a configuration set with its event destinations."""
    found = {"ConfigurationSetName": name, "ConfigurationSetArn": arn("sms-voice", f"configuration-set/{name}")}
    configuration_sets[name] = {**found, "EventDestinations": event_destinations}
    return found


def configuration_set(name_or_arn: str) -> dict[str, Any]:
    """A configuration set by name or ARN. Raises RefusedError."""
    found = configuration_sets.get(name_or_arn.rpartition("/")[2])
    if found is None:
        raise missing("configuration-set", name_or_arn)
    return dict(found)


def create_identity(kind: str, identity: str = "", number: str = "") -> dict[str, str]:
    """Keep a phone number, pool or sender id; it is found by its id, its ARN and its number."""
    identity = identity or f"{kind.partition('-')[0]}-{uuid.uuid4().hex}"
    found = {"Id": identity, "Arn": arn("sms-voice", f"{kind}/{identity}"), "PhoneNumber": number}
    for name in filter(None, (identity, found["Arn"], number)):
        identities[name] = found
    return found


def forget_identity(identity: str) -> None:
    """Forget an identity under all its names."""
    found = identities.get(identity) or {}
    for name in filter(None, (identity, found.get("Arn"), found.get("PhoneNumber"))):
        identities.pop(name, None)


def identity_arn(identity: str) -> str:
    """The ARN that a policy must allow for sending from an identity."""
    if identity in identities:
        return str(identities[identity]["Arn"])
    if not identity:
        return arn("sms-voice", "phone-number/*")  # AWS picks one of the account's numbers
    if identity.startswith("arn:"):
        return identity
    kind = {"+": "phone-number", "phone": "phone-number", "pool": "pool"}
    prefix = "+" if identity.startswith("+") else identity.partition("-")[0]
    return arn("sms-voice", f"{kind.get(prefix, 'sender-id')}/{identity.lstrip('+')}")


def missing(kind: str, identity: str) -> RefusedError:
    """The refusal for a resource that does not exist."""
    words = f"The {kind} {identity} does not exist."
    return RefusedError("ResourceNotFoundException", words, ResourceType=kind, ResourceId=identity)


def is_opted_out(number: str) -> bool:
    """Whether a person said STOP."""
    return number in _opted_out


def call_create_configuration_set(call: Call) -> dict[str, Any]:
    """CreateConfigurationSet."""
    return create_configuration_set(call.data["ConfigurationSetName"], [])


def call_create_event_destination(call: Call) -> dict[str, Any]:
    """CreateEventDestination."""
    found = configuration_set(call.data["ConfigurationSetName"])
    destination = {k: v for k, v in call.data.items() if k not in ("ConfigurationSetName", "ClientToken")}
    found["EventDestinations"].append({"Enabled": True, **destination})
    names = {key: found[key] for key in ("ConfigurationSetName", "ConfigurationSetArn")}
    return {**names, "EventDestination": found["EventDestinations"][-1]}


def call_describe_configuration_sets(call: Call) -> dict[str, Any]:
    """DescribeConfigurationSets."""
    wanted = call.data.get("ConfigurationSetNames") or list(configuration_sets)
    return {"ConfigurationSets": [configuration_set(name) for name in wanted]}


def call_describe_account_attributes(_: Call) -> dict[str, Any]:
    """DescribeAccountAttributes: an account in production unless `faults` say sandbox."""
    tier = "SANDBOX" if faults.of("sms").sandbox else "PRODUCTION"
    return {"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": tier}]}


def call_describe_spend_limits(_: Call) -> dict[str, Any]:
    """DescribeSpendLimits."""
    limit = 1 if faults.of("sms").sandbox else MONTHLY_LIMIT
    facts = {"EnforcedLimit": limit, "MaxLimit": limit, "Overridden": False}
    return {"SpendLimits": [{"Name": "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", **facts}]}


def call_describe_phone_numbers(_: Call) -> dict[str, Any]:
    """DescribePhoneNumbers: all."""
    numbers = [each for each in _of_kind("phone-number") if each["PhoneNumber"]]
    facts = {"Status": "ACTIVE", "IsoCountryCode": "US", "NumberType": "LONG_CODE", "TwoWayEnabled": False}
    facts |= {"MessageType": "TRANSACTIONAL", "NumberCapabilities": ["SMS"], "MonthlyLeasingPrice": "1.00"}
    facts |= {"SelfManagedOptOutsEnabled": False, "DeletionProtectionEnabled": False}
    return {
        "PhoneNumbers": [
            {**facts, **_named("PhoneNumber", each), "PhoneNumber": each["PhoneNumber"], "OptOutListName": "Default"}
            for each in numbers
        ]
    }


def call_describe_pools(_: Call) -> dict[str, Any]:
    """DescribePools: all."""
    return {"Pools": [{**_named("Pool", each), "Status": "ACTIVE"} for each in _of_kind("pool")]}


def call_describe_sender_ids(_: Call) -> dict[str, Any]:
    """DescribeSenderIds: all."""
    known = [*_of_kind("sender-id"), {"Id": SENDER_ID, "Arn": arn("sms-voice", f"sender-id/{SENDER_ID}")}]
    facts = {"IsoCountryCode": "GB", "MessageTypes": ["TRANSACTIONAL"], "Registered": True}
    return {"SenderIds": [{"SenderId": each["Id"], "SenderIdArn": each["Arn"], **facts} for each in known]}


def _of_kind(kind: str) -> list[dict[str, str]]:
    found = {each["Arn"]: each for each in identities.values() if f":{kind}/" in each["Arn"]}
    return list(found.values())


def _named(what: str, identity: dict[str, str]) -> dict[str, str]:
    return {f"{what}Id": identity["Id"], f"{what}Arn": identity["Arn"]}


def call_put_opted_out_number(call: Call) -> dict[str, Any]:
    """PutOptedOutNumber."""
    _opted_out[call.data["OptedOutNumber"]] = call.data["OptOutListName"]
    return _opted_out_facts(call)


def call_delete_opted_out_number(call: Call) -> dict[str, Any]:
    """DeleteOptedOutNumber."""
    if _opted_out.pop(call.data["OptedOutNumber"], None) is None:
        raise missing("opted-out-number", call.data["OptedOutNumber"])
    return _opted_out_facts(call)


def _opted_out_facts(call: Call) -> dict[str, Any]:
    name = call.data["OptOutListName"]
    facts = {"OptOutListName": name, "OptOutListArn": arn("sms-voice", f"opt-out-list/{name}")}
    return {**facts, "OptedOutNumber": call.data["OptedOutNumber"], "EndUserOptedOut": False}
