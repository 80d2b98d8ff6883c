"""Is SMS well? The account's tier and budget, who texts come from, what is reported, and whether one would be sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from heliograph.operations.doctor.channel import ChannelDoctor, Trying
from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, note, well, wrong

SERVICE = "pinpoint-sms-voice-v2"
SIMULATED_PHONE = "+14254147755"  # of AWS, in the United States; nobody has it
TEXT_LIMIT = "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT"
FIRST_LIMIT = 1  # US dollar a month, of a new account
KINDS = {
    "describe_phone_numbers": ("PhoneNumbers", ("PhoneNumber", "PhoneNumberId", "PhoneNumberArn")),
    "describe_pools": ("Pools", ("PoolId", "PoolArn")),
    "describe_sender_ids": ("SenderIds", ("SenderId", "SenderIdArn")),
}
"""Where an origination identity may be: the operation, its list, and what it may be called by, last its id and ARN."""
TWO_WAY = {"describe_phone_numbers": "phone-number", "describe_pools": "pool"}
"""Those of them that people can answer to."""


def account(deployment: Deployment) -> Iterator[Finding]:
    """Texts may go to anybody, and for how much a month."""
    if _by_sns(deployment):
        yield from _sns_account(deployment)
        return
    attributes = deployment.call(SERVICE, "describe_account_attributes")["AccountAttributes"]
    limits = deployment.call(SERVICE, "describe_spend_limits")["SpendLimits"]
    tier = {each["Name"]: each["Value"] for each in attributes}.get("ACCOUNT_TIER")
    limit = {each["Name"]: each["EnforcedLimit"] for each in limits}.get(TEXT_LIMIT, 0)
    if tier != "PRODUCTION":
        mend = "Ask AWS support for production access; until then verify your own number (docs/deploy.md, step 4)."
        yield note("sms account", "in the sandbox: texts go to verified numbers and to simulators only", mend)
    if limit <= FIRST_LIMIT:
        yield _budget(limit, "aws pinpoint-sms-voice-v2 set-text-message-spend-limit-override --monthly-limit 100")
        return
    yield well("sms account", f"{str(tier).lower()}, {limit:,} US dollars a month at most")


def _sns_account(deployment: Deployment) -> Iterator[Finding]:
    if deployment.call("sns", "get_sms_sandbox_account_status")["IsInSandbox"]:
        mend = "Ask AWS support to take the account out of the SMS sandbox of SNS."
        yield note("sms account", "in the sandbox of SNS: texts go to verified numbers only", mend)
    found = deployment.call("sns", "get_sms_attributes", attributes=["MonthlySpendLimit"]).get("attributes", {})
    limit = float(found.get("MonthlySpendLimit", FIRST_LIMIT))
    if limit <= FIRST_LIMIT:
        yield _budget(limit, "aws sns set-sms-attributes --attributes MonthlySpendLimit=100")
        return
    yield well("sms account", f"SNS, {limit:,.0f} US dollars a month at most")


def _budget(limit: float, command: str) -> Finding:
    return note(
        "sms account", f"{limit:g} US dollar a month, about a hundred texts", f"Raise it with AWS, then {command}."
    )


def identity(deployment: Deployment) -> Iterator[Finding]:
    """Texts come from a number, pool or sender id that is ready."""
    if _by_sns(deployment):
        return
    wanted = deployment.parameters.get("SmsOriginationIdentity", "")
    found = _identities(deployment)
    if not found:
        yield wrong("sms sender", "the account has no number, pool or sender id", "Get one (docs/deploy.md, step 4).")
        return
    if not wanted:
        yield note("sms sender", f"AWS picks one of {len(found)}", "Name one in SmsOriginationIdentity and deploy.")
        return
    status = found.get(wanted)
    if status is None:
        mend = "Correct SmsOriginationIdentity and deploy: no text can be sent."
        yield wrong("sms sender", f"{wanted} does not exist in {deployment.region}", mend)
    elif status != "ACTIVE":
        yield wrong("sms sender", f"{wanted} is {status}", "Finish its registration in the console.")
    else:
        yield well("sms sender", f"{wanted} is ready")


def _identities(deployment: Deployment) -> dict[str, str]:
    """The status of each identity under each of its names; a sender id has none and is ready when it is there."""
    found: dict[str, str] = {}
    for operation, (where, names) in KINDS.items():
        for each in deployment.call(SERVICE, operation).get(where, []):
            found |= {each[name]: each.get("Status", "ACTIVE") for name in names if name in each}
    return found


def events(deployment: Deployment) -> Iterator[Finding]:
    """End User Messaging reports what happens to a text."""
    if _by_sns(deployment):
        mend = "Use SmsProvider=end-user-messaging where deliveries matter."
        yield note("sms events", "SNS reports deliveries in its own logs only", mend)
        return
    names = deployment.named("AWS::SMSVOICE::ConfigurationSet")
    if not names:
        yield wrong("sms events", "there is no configuration set", "Deploy again.")
        return
    found = deployment.call(SERVICE, "describe_configuration_sets", ConfigurationSetNames=names)["ConfigurationSets"]
    silent = [
        each["ConfigurationSetName"] for each in found if not any(map(_reports, each.get("EventDestinations", [])))
    ]
    for name in silent:
        mend = "Deploy again: somebody changed the configuration set by hand."
        yield wrong("sms events", f"the configuration set {name} reports nothing to a topic", mend)
    if not silent:
        yield well("sms events", f"{', '.join(names)} reports to its topic")


def replies(deployment: Deployment) -> Iterator[Finding]:
    """AWS deals with whoever answers STOP, and what else people write comes here."""
    if _by_sns(deployment):
        return
    topic = deployment.resource_arn("sns", f"{deployment.stack}_engagement_sms")
    here = 0
    for operation, kind in TWO_WAY.items():
        where, (*_, name, _) = KINDS[operation]
        for each in deployment.call(SERVICE, operation).get(where, []):
            here += bool(each.get("TwoWayEnabled") and each.get("TwoWayChannelArn") == topic)
            if each.get("SelfManagedOptOutsEnabled"):
                mend = f"aws {SERVICE} update-{kind} --{kind}-id {each[name]} --no-self-managed-opt-outs-enabled"
                yield wrong("sms replies", f"{each[name]} takes no STOP: AWS leaves that to us", mend)
    yield well("sms replies", f"{here} numbers and pools bring here what people write")


def _reports(destination: dict[str, Any]) -> bool:
    kinds = set(destination.get("MatchingEventTypes", []))
    return bool(destination.get("Enabled") and "SnsDestination" in destination and kinds & {"ALL", "TEXT_ALL"})


def _by_sns(deployment: Deployment) -> bool:
    return deployment.parameters.get("SmsProvider") == "sns"


def configuration_set(deployment: Deployment) -> str:
    """What texts are sent with; SNS knows no such thing."""
    return "" if _by_sns(deployment) else deployment.resource_arn("sms-voice", f"configuration-set/{deployment.stack}")


def dry_run(trying: Trying) -> Iterator[Finding]:
    """Ask End User Messaging whether it would send a text. It sends none."""
    if _by_sns(trying.deployment):
        yield note("send: sms", "left out: SNS knows no dry run", "")
        return
    text = {
        "DestinationPhoneNumber": trying.simulator,
        "MessageBody": "A dry run.",
        "MessageType": "TRANSACTIONAL",
        "DryRun": True,
        "ConfigurationSetName": trying.deployment.stack,
        "Context": {"doctor": "dry-run"},
    }
    if identity := trying.deployment.parameters.get("SmsOriginationIdentity"):
        text["OriginationIdentity"] = identity
    try:
        trying.deployment.call(SERVICE, "send_text_message", **text)
    except ClientError as error:
        if not (reason := error.response.get("Reason")):
            raise
        yield _refused(error.response["Error"].get("Code", ""), str(reason))
        return
    yield well("send: sms", "a text would be sent (dry run)")


def _refused(code: str, reason: str) -> Finding:
    mend = "AWS's list of reasons says more; with a sender of another country, add --simulator sms=NUMBER."
    return wrong("send: sms", f"a text would be refused: {code}, {reason}", mend)


DOCTOR: Final = ChannelDoctor(
    checks={"sms account": account, "sms sender": identity, "sms events": events, "sms replies": replies},
    calls={"sms-voice:SendTextMessage": configuration_set},
    trials=dry_run,
    simulator=SIMULATED_PHONE,
)
