"""What SES reports of a mail: events for Firehose, EventBridge and SNS, as its configuration set asks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import ses_v2

from localcloud import firehose
from localcloud.announce import notify, put_event
from localcloud.calls import arn
from localcloud.mail import Mail

Payload = dict[str, Any]

KINDS = {  # API type -> (eventType, payload key, EventBridge detail-type)
    "SEND": ("Send", "send", "Email Sent"),
    "DELIVERY": ("Delivery", "delivery", "Email Delivered"),
    "BOUNCE": ("Bounce", "bounce", "Email Bounced"),
    "COMPLAINT": ("Complaint", "complaint", "Email Complaint Received"),
    "OPEN": ("Open", "open", "Email Opened"),
    "CLICK": ("Click", "click", "Email Clicked"),
    "RENDERING_FAILURE": ("Rendering Failure", "failure", "Email Rendering Failed"),
}
WITHOUT_HEADERS = {"RENDERING_FAILURE"}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
MAILBOX_IP = "192.0.2.9"  # TEST-NET-1, as is the next
PERSON_IP = "192.0.2.1"


def report(mail: Mail, kind: str, payload: Payload) -> None:
    """Publish one event to every destination of the mail's configuration set that asks for its kind."""
    event_type, key, detail_type = KINDS[kind]
    wanting = [to for to in destinations(mail.configuration_set) if kind in to["MatchingEventTypes"]]
    if not wanting:
        return
    facts = mail_facts(mail, kind)
    record = {"eventType": event_type, "mail": facts, key: payload}
    for destination in wanting:
        if "EventBridgeDestination" in destination:
            put_event(source="aws.ses", detail_type=detail_type, detail=record, resources=[facts["sourceArn"]])
        if "KinesisFirehoseDestination" in destination:
            stream = destination["KinesisFirehoseDestination"]["DeliveryStreamArn"]
            firehose.put(stream, json.dumps(record).encode() + b"\n")
        if "SnsDestination" in destination:
            notify(destination["SnsDestination"]["TopicArn"], record, subject="Amazon SES Email Event Notification")


def destinations(configuration_set: str) -> Iterable[Mapping[str, Any]]:
    """The enabled event destinations of a configuration set."""
    stored = ses_v2._config_sets.get(configuration_set) or {}
    return [found for found in (stored.get("EventDestinations") or {}).values() if found.get("Enabled")]


def mail_facts(mail: Mail, kind: str) -> dict[str, Any]:
    """The `mail` object that every event holds."""
    domain = parseaddr(mail.sender)[1].rpartition("@")[2]
    automatic = {
        "ses:operation": mail.operation,
        "ses:configuration-set": mail.configuration_set,
        "ses:source-ip": "127.0.0.1",
        "ses:from-domain": domain,
        "ses:caller-identity": mail.caller,
    } | ({"ses:outgoing-ip": MAILBOX_IP} if kind == "DELIVERY" else {})
    facts: dict[str, Any] = {
        "timestamp": timestamp(mail.sent_at),
        "source": mail.sender,
        "sourceArn": arn("ses", f"identity/{domain}"),
        "sendingAccountId": get_account_id(),
        "messageId": mail.message_id,
        "destination": list(mail.recipients),
        "tags": {name: [value] for name, value in (automatic | mail.tags).items()},
    }
    return facts if kind in WITHOUT_HEADERS else facts | _headers(mail)


def _headers(mail: Mail) -> dict[str, Any]:
    lines = {"From": mail.sender, "To": ", ".join(mail.to), "Cc": ", ".join(mail.cc)}
    lines |= {"Reply-To": ", ".join(mail.reply_to), "Subject": mail.subject, "MIME-Version": "1.0", **mail.headers}
    common = {"from": [mail.sender], "to": list(mail.to), "messageId": mail.message_id, "subject": mail.subject}
    optional = {"cc": list(mail.cc), "replyTo": list(mail.reply_to)}
    return {
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in lines.items() if value],
        "commonHeaders": common | {name: value for name, value in optional.items() if value},
    }


def timestamp(at: datetime | None = None) -> str:
    """A time as SES writes it."""
    return (at or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def feedback_id() -> str:
    """The id of a bounce or complaint."""
    return f"0100{uuid.uuid4()}-000000"


def delivery(recipients: Sequence[str]) -> Payload:
    """The mailbox took it."""
    return {
        "timestamp": timestamp(),
        "processingTimeMillis": 546,
        "recipients": list(recipients),
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": "a8-50.smtp-out.amazonses.com",
        "remoteMtaIp": MAILBOX_IP,
    }


def bounce(recipients: Sequence[str], *, sub_type: str = "General") -> Payload:
    """The mailbox refused it for good; a suppressed address never was asked, so there is no diagnosis."""
    diagnosis = {"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
    known = diagnosis if sub_type == "General" else {}
    facts = {"bounceType": "Permanent", "bounceSubType": sub_type, "timestamp": timestamp()}
    bounced = [{"emailAddress": address, **known} for address in recipients]
    reporter = {"reportingMTA": "dsn; a8-50.smtp-out.amazonses.com"} if known else {}
    return {**facts, "bouncedRecipients": bounced, "feedbackId": feedback_id(), **reporter}


def complaint(recipients: Sequence[str]) -> Payload:
    """A person pressed "spam"."""
    return {
        "complainedRecipients": [{"emailAddress": address} for address in recipients],
        "timestamp": timestamp(),
        "feedbackId": feedback_id(),
        "complaintSubType": None,
        "userAgent": "Amazon SES Mailbox Simulator",
        "complaintFeedbackType": "abuse",
        "arrivalDate": timestamp(),
    }


def opening() -> Payload:
    """A person opened it."""
    return {"ipAddress": PERSON_IP, "timestamp": timestamp(), "userAgent": BROWSER, "isBotEvent": "Unlikely"}


def click(link: str) -> Payload:
    """A person followed a link."""
    return {**opening(), "link": link, "linkTags": {}}
