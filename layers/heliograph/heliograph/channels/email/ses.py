"""Email over SES v2: letters out, one or up to fifty a call; what SES reports about them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from email.utils import formataddr
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from heliograph.channels.email.bulk import BULK_LIMIT, Mail, mail, packs, parts, pass_through
from heliograph.channels.errors import PROVIDER_ERRORS, ProviderError, outcome_of
from heliograph.model.channels import Channel
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.model.outcomes import Accepted, Failed, FailureCode, InDoubt, NotSent, Outcome
from heliograph.model.values import JsonObject
from heliograph.recording.consequences import BOT, tagged_event
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted

if TYPE_CHECKING:
    from types_boto3_sesv2 import SESV2Client
    from types_boto3_sesv2.type_defs import BulkEmailEntryResultTypeDef

FINAL_CODES: Final = {"MessageRejected": FailureCode.REJECTED, "BadRequestException": FailureCode.REJECTED}
FINAL_STATUSES: Final = {"MESSAGE_REJECTED": FailureCode.REJECTED, "INVALID_PARAMETER": FailureCode.REJECTED}
UNVERIFIED: Final = "not verified"
"""So SES rejects every mail while our identity is not verified or the account is in the sandbox: that can be mended."""

DAILY_QUOTA: Final = "Daily message quota exceeded"
"""So SES says it; of which class that is in API v2 is not documented."""


def ses_sender(
    client: SESV2Client,
    *,
    sender: str,
    configuration_set: str,
    unsubscribe_mailto: str,
    rate: Callable[[], float] = lambda: BULK_LIMIT,
) -> Sender:
    """Send by SES. `sender` may carry a display name; `unsubscribe_mailto` is an address, or empty.

    SES refuses a call with more recipients than the account may have in a second: `rate` tells how many that are.
    """
    envelope = {"FromEmailAddress": _from(sender), "ConfigurationSetName": configuration_set}

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        sendable = [rendered for rendered in batch if rendered.dispatch.addresses[0].isascii()]
        unsendable = [rendered for rendered in batch if not rendered.dispatch.addresses[0].isascii()]
        if unsendable:
            yield tuple(_failed(rendered, FailureCode.INVALID_ADDRESS) for rendered in unsendable)
        mails = (mail(rendered, unsubscribe_mailto=unsubscribe_mailto) for rendered in sendable)
        for pack in packs(mails, most=int(rate()) if len(sendable) > 1 else 1):
            if len(pack) == 1:
                yield (_send_one(client, envelope, pack[0]),)
            else:
                yield from _send_bulk(client, envelope, pack)

    return send


def _from(sender: str) -> str:
    """`News, Inc. <n@example.com>` as a header says it: quoted, and encoded where it is not ASCII."""
    name, _, address = sender.rpartition("<")
    return formataddr((name.strip().strip('"'), address.strip().removesuffix(">")))


def _send_one(client: SESV2Client, envelope: dict[str, str], single: Mail) -> Outcome:
    rendered, entry = single.rendered, single.entry
    simple: dict[str, Any] = {
        "Subject": {"Data": rendered.content["subject"], "Charset": "UTF-8"},
        "Body": {part.title(): {"Data": rendered.content[part], "Charset": "UTF-8"} for part in parts(rendered)},
        "Headers": entry["ReplacementHeaders"],
    }
    try:
        answer = client.send_email(
            FromEmailAddress=envelope["FromEmailAddress"],
            ConfigurationSetName=envelope["ConfigurationSetName"],
            Destination=entry["Destination"],
            Content={"Simple": simple},  # type: ignore[typeddict-item]  # keys are made from the parts
            EmailTags=entry["ReplacementTags"],
        )
    except PROVIDER_ERRORS as error:
        return _refused(error, rendered)
    return Accepted(dispatch_id=rendered.dispatch.dispatch_id, provider_message_id=answer["MessageId"])


def _send_bulk(client: SESV2Client, envelope: dict[str, str], pack: list[Mail]) -> Iterator[tuple[Outcome, ...]]:
    """One call for all; when SES refuses the call for its content, one call each finds out whose."""
    try:
        answer = client.send_bulk_email(
            FromEmailAddress=envelope["FromEmailAddress"],
            ConfigurationSetName=envelope["ConfigurationSetName"],
            DefaultContent=pass_through(pack[0].rendered),
            BulkEmailEntries=[each.entry for each in pack],
        )
    except PROVIDER_ERRORS as error:
        outcomes = tuple(_refused(error, each.rendered) for each in pack)
        if isinstance(outcomes[0], Failed):
            yield from ((_send_one(client, envelope, each),) for each in pack)
        else:
            yield outcomes
        return
    results = answer["BulkEmailEntryResults"][: len(pack)]
    yield tuple(_outcome(each.rendered, result) for each, result in zip_longest(pack, results))


def _outcome(rendered: Rendered, result: BulkEmailEntryResultTypeDef | None) -> Outcome:
    dispatch_id = rendered.dispatch.dispatch_id
    if result is None:
        return InDoubt(dispatch_id=dispatch_id, cause="NoStatus")
    status = result.get("Status", "FAILED")
    if status == "SUCCESS":
        return Accepted(dispatch_id=dispatch_id, provider_message_id=result.get("MessageId", ""))
    if status in FINAL_STATUSES and UNVERIFIED not in result.get("Error", ""):
        return _failed(rendered, FINAL_STATUSES[status])
    return NotSent(dispatch_id=dispatch_id, cause=status)


def _refused(error: ProviderError, rendered: Rendered) -> Outcome:
    if DAILY_QUOTA in str(error):
        return NotSent(dispatch_id=rendered.dispatch.dispatch_id, cause="DailyQuotaExceeded")
    final = {} if UNVERIFIED in str(error) else FINAL_CODES
    return outcome_of(error, rendered.dispatch.dispatch_id, final=final)


def _failed(rendered: Rendered, code: FailureCode) -> Failed:
    return Failed(dispatch_id=rendered.dispatch.dispatch_id, code=code)


# ---- what SES reports --------------------------------------------------------------------------------------

PAYLOADS: Final = {
    "Send": ("send", EngagementKind.SENT),
    "Delivery": ("delivery", EngagementKind.DELIVERED),
    "Bounce": ("bounce", EngagementKind.BOUNCED),
    "Complaint": ("complaint", EngagementKind.COMPLAINED),
    "Open": ("open", EngagementKind.OPENED),
    "Click": ("click", EngagementKind.CLICKED),
    "Reject": ("reject", EngagementKind.UNDELIVERED),
    "Rendering Failure": ("failure", EngagementKind.UNDELIVERED),
    "DeliveryDelay": ("deliveryDelay", EngagementKind.DELAYED),
    "Subscription": ("subscription", EngagementKind.UNSUBSCRIBED),
}
"""`eventType` -> the key of its payload, and our word for it."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Mail(msgspec.Struct, rename="camel"):
    message_id: str
    timestamp: Moment
    tags: dict[str, list[str]]
    destination: list[str] = []


class _TopicPreferences(msgspec.Struct, rename="camel"):
    unsubscribe_all: bool = False
    topic_subscription_status: list[dict[str, str]] = []

    def declines(self) -> bool:
        return self.unsubscribe_all or any(
            topic.get("subscriptionStatus") == "OptOut" for topic in self.topic_subscription_status
        )


class _Payload(msgspec.Struct, rename="camel"):
    """The fields that matter of every kind of payload."""

    timestamp: Moment | None = None
    feedback_id: str | None = None
    bounce_type: str = ""
    bounce_sub_type: str = ""
    complaint_feedback_type: str | None = None
    complaint_sub_type: str | None = None
    delay_type: str = ""
    reason: str | None = None
    link: str | None = None
    is_bot_event: str | None = None
    new_topic_preferences: _TopicPreferences | None = None

    def is_news(self, kind: EngagementKind) -> bool:
        """`not-spam` takes a complaint back, and a subscription may be an opt-in: neither is an event of ours."""
        match kind:
            case EngagementKind.COMPLAINED:
                return self.complaint_feedback_type != "not-spam"
            case EngagementKind.UNSUBSCRIBED:
                return self.new_topic_preferences is not None and self.new_topic_preferences.declines()
            case _:
                return True

    def detail(self, kind: EngagementKind) -> str:
        """SES's own code."""
        match kind:
            case EngagementKind.BOUNCED:
                return f"{self.bounce_type}/{self.bounce_sub_type}"
            case EngagementKind.OPENED | EngagementKind.CLICKED:
                return BOT if self.is_bot_event == "Likely" else ""
            case _:
                return self.complaint_sub_type or self.complaint_feedback_type or self.delay_type or self.reason or ""


def read_ses_event(event: JsonObject) -> EngagementEvent | None:
    """Read what SES put on the bus; None when the mail is not ours. Raises MalformedError.

    The event's own id is not used: SES may put the same happening on the bus twice, under two ids.
    """
    record = _ours(event.get("detail"))
    if record is None or str(record.get("eventType")) not in PAYLOADS:
        return None
    payload_key, kind = PAYLOADS[record["eventType"]]
    try:
        sent = msgspec.convert(record["mail"], _Mail)
        payload = msgspec.convert(record.get(payload_key) or {}, _Payload)
    except msgspec.ValidationError as error:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, f"SES event {kind}", unquoted(error)) from None
    if not payload.is_news(kind):
        return None
    occurred_at = payload.timestamp or sent.timestamp
    concerns_address = kind in (EngagementKind.BOUNCED, EngagementKind.COMPLAINED)
    return tagged_event(
        {name: values[0] for name, values in sent.tags.items() if values},
        channel=Channel.EMAIL,
        kind=kind,
        occurred_at=occurred_at,
        told_apart_by=(sent.message_id, occurred_at.isoformat(), payload.link or payload.feedback_id or ""),
        address=sent.destination[0] if concerns_address and sent.destination else "",
        permanent=payload.bounce_type == "Permanent",
        detail=payload.detail(kind),
    )


def _ours(record: Any) -> JsonObject | None:
    """The record if its mail carries our ids."""
    about = record.get("mail") if isinstance(record, dict) else None
    tags = about.get("tags") if isinstance(about, dict) else None
    return record if isinstance(tags, dict) and "dispatch_id" in tags else None
