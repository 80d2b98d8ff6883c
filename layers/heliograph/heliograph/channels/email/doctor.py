"""Is email well? SES: the account, the identity of the sender, what it reports back, and its simulator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import parseaddr
from typing import Any, Final

import msgspec
from botocore.exceptions import ClientError

from heliograph.operations.doctor.channel import ChannelDoctor, Trying
from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, note, well, wrong
from heliograph.operations.doctor.trials import PAUSE, Chosen, Trial, person_of, profile_of

NEEDED = {"SEND", "REJECT", "BOUNCE", "COMPLAINT", "DELIVERY", "RENDERING_FAILURE"}
"""What outcomes are made of; opens and clicks may be left out on purpose."""
TAKING = {"EventBridgeDestination", "KinesisFirehoseDestination"}
"""The kinds of event destinations that lead to us."""
NEARLY = 0.9  # of a day's quota
SIMULATOR = "simulator.amazonses.com"
IN_THE_CAMPAIGN = 3  # people
NOT_THERE = "NotFoundException"


def sender_of(deployment: Deployment) -> str:
    """The address that mails come from."""
    return parseaddr(deployment.parameters.get("EmailSender", ""))[1]


def domain_of(deployment: Deployment) -> str:
    """The identity that roles may send as."""
    return deployment.resource_arn("ses", f"identity/{sender_of(deployment).rpartition('@')[2]}")


def account(deployment: Deployment) -> Iterator[Finding]:
    """SES lets this account send, and to whom."""
    found = deployment.call("sesv2", "get_account")
    quota, standing = found["SendQuota"], found.get("EnforcementStatus", "HEALTHY")
    if not found.get("SendingEnabled", False):
        yield wrong("email account", "SES has paused this account", "The console of SES says why, and how to appeal.")
    if standing != "HEALTHY":
        mend = "Stop what bounces or is complained about, then answer the case in the console of SES."
        yield wrong("email account", f"SES has put this account under {standing}", mend)
    most, sent = quota["Max24HourSend"], quota["SentLast24Hours"]
    if 0 <= most <= sent / NEARLY:
        yield note("email account", f"{sent:,.0f} of {most:,.0f} mails a day are used", "Ask SES for a higher quota.")
    if not found["ProductionAccessEnabled"]:
        mend = (
            "To write to anybody else: `aws sesv2 put-account-details --production-access-enabled …` (docs/deploy.md)."
        )
        yield note("email account", "in the sandbox: mails go to verified addresses and to the simulator only", mend)
        return
    limit = "without limit" if most < 0 else f"{most:,.0f} a day"
    yield well("email account", f"in production: {limit}, {quota['MaxSendRate']:g} a second")


def identity(deployment: Deployment) -> Iterator[Finding]:
    """The sender is verified, and its mails are signed."""
    sender = sender_of(deployment)
    for name in (sender, sender.rpartition("@")[2]):
        if found := _identity(deployment, name):
            yield from _judged(name, found)
            return
    mend = f"aws sesv2 create-email-identity --email-identity {sender.rpartition('@')[2]}"
    yield wrong("email identity", f"SES does not know {sender} nor its domain in {deployment.region}", mend)


def _identity(deployment: Deployment, name: str) -> Any:
    try:
        return deployment.call("sesv2", "get_email_identity", EmailIdentity=name)
    except ClientError as error:
        if error.response["Error"].get("Code") != NOT_THERE:
            raise
        return None


def _judged(name: str, found: dict[str, Any]) -> Iterator[Finding]:
    dkim = found.get("DkimAttributes") or {}
    if not found.get("VerifiedForSendingStatus"):
        mend = "Put the CNAME records of its DKIM tokens into the DNS (docs/deploy.md, step 2)."
        yield wrong("email identity", f"{name} is not verified: SES refuses every mail", mend)
        return
    if "@" not in name and (dkim.get("Status") != "SUCCESS" or not dkim.get("SigningEnabled")):
        mend = "Look at its CNAME records; Gmail and Yahoo refuse bulk mail that is not signed."
        yield wrong("email identity", f"DKIM of {name} is {dkim.get('Status', 'off')}", mend)
        return
    yield well("email identity", f"{name} is verified" + ("" if "@" in name else " and signed (DKIM)"))


def events(deployment: Deployment) -> Iterator[Finding]:
    """SES reports what happens to a mail."""
    for name in deployment.named("AWS::SES::ConfigurationSet"):
        found = deployment.call("sesv2", "get_configuration_set_event_destinations", ConfigurationSetName=name)
        ours = [
            each for each in found.get("EventDestinations", []) if each.get("Enabled") and not TAKING.isdisjoint(each)
        ]
        reported = {kind for each in ours for kind in each.get("MatchingEventTypes", [])}
        if missing := sorted(NEEDED - reported):
            mend = "Deploy again: somebody changed the configuration set by hand."
            yield wrong("email events", f"the configuration set {name} does not report {', '.join(missing)}", mend)
            continue
        yield well("email events", f"{name} reports {len(reported)} kinds of events")


def collected(deployment: Deployment) -> Iterator[Finding]:
    """Firehose takes what SES reports."""
    for name in deployment.named("AWS::KinesisFirehose::DeliveryStream"):
        found = deployment.call("firehose", "describe_delivery_stream", DeliveryStreamName=name)
        state = found["DeliveryStreamDescription"]["DeliveryStreamStatus"]
        if state == "ACTIVE":
            yield well("email stream", f"{name} is active")
        else:
            mend = "Until it is, deploy with Engagement=eventbridge: no event is collected."
            yield wrong("email stream", f"the stream {name} is {state}", mend)


def trials(trying: Trying) -> Iterator[Trial | Finding]:
    """Mails that end in every way, one by one and in a campaign, and one that is scheduled."""
    if mail := trying.transactional:
        yield from endings(mail, stamp=trying.stamp)
    else:
        mend = "Run `make build` in the folder that was deployed, or name one with --message."
        yield wrong("send: email", "no transactional message goes by email", mend)
    if offer := trying.promotional:
        yield scheduled(offer, stamp=trying.stamp, now=trying.now)
    else:
        yield note("send: scheduled", "left out: no promotional message goes by email", "")


def endings(message: Chosen, *, stamp: str) -> Iterator[Trial]:
    """The ways in which a mail can end, one by one and in a campaign."""
    for word, wanted in (("success", "delivered"), ("bounce", "bounced"), ("complaint", "complained")):
        yield _mailed(f"send: {wanted}", message, stamp=stamp, who=wanted, word=word, wanted=wanted)
    for number in range(1, IN_THE_CAMPAIGN + 1):
        one = _mailed(
            "send: campaign", message, stamp=stamp, who=f"campaign-{number}", word="success", wanted="delivered"
        )
        yield msgspec.structs.replace(one, by_campaign=True)


def scheduled(message: Chosen, *, stamp: str, now: datetime) -> Trial:
    """A promotional message to somebody who wants none for a minute and a half."""
    due = now + PAUSE
    agreed = dict.fromkeys((f"{message.topic}/email", "promotional/email"), "confirmed")
    one = _mailed("send: scheduled", message, stamp=stamp, who="scheduled", word="success", wanted="delivered")
    wishes = {"paused_until": due.isoformat(timespec="seconds"), "consents": agreed, "consent_source": "api:doctor"}
    return msgspec.structs.replace(one, profile={**one.profile, **wishes}, due=due)


def _mailed(check: str, message: Chosen, *, stamp: str, who: str, word: str, wanted: str) -> Trial:
    person = person_of(stamp, who)
    profile = profile_of(person, message, email=f"{word}+{stamp}-{who}@{SIMULATOR}")
    return Trial(check=check, person=person, message=message, profile=profile, wanted=wanted)


def unlist(deployment: Deployment, planned: Sequence[Trial]) -> None:
    """SES does not list its simulator's addresses by itself; somebody may have."""
    for address in (str(each.profile["email"]) for each in planned if "email" in each.profile):
        try:
            deployment.call("sesv2", "delete_suppressed_destination", EmailAddress=address)
        except ClientError as error:
            if error.response["Error"].get("Code") != NOT_THERE:
                raise


DOCTOR: Final = ChannelDoctor(
    checks={"email account": account, "email identity": identity, "email events": events, "email stream": collected},
    calls={"ses:SendEmail": domain_of, "ses:SendBulkEmail": domain_of},
    trials=trials,
    leftovers={"suppressed addresses": unlist},
)
