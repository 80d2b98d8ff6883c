"""Builders for tests: say only what matters to the rule under test, the rest is ordinary."""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from heliograph.channels.push.open_tokens import OpenTokens
from heliograph.model.channels import Channel
from heliograph.model.decisions import Decision, Inputs, Reservation, Ruling, Verdict
from heliograph.model.dispatches import Dispatch, Rendered
from heliograph.model.engagement import EngagementKind
from heliograph.model.messages import Fallback, Message
from heliograph.model.people import AddressSuppression, Consent, ConsentState, Recipient, Zone
from heliograph.model.policy import Cap, Hours, Policy, Purpose
from heliograph.model.requests import SendRequest
from heliograph.model.traces import Achieved, Trace, Tried
from heliograph.people.changes import RecipientChange
from heliograph.planning.decisions import NOTHING_ACHIEVED, addresses, decision, inputs_of, unknown_message
from heliograph.planning.rules import PASSED
from heliograph.planning.ruling import decide

EMAIL, SMS, PUSH = (Channel(name) for name in ("email", "sms", "push"))
CHANNELS = (EMAIL, SMS, PUSH)
"""Those that rules are tried with; which there are more makes no difference to a rule."""
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
REQUEST_ID = "01KAJ8ZQG0AMARA0000000000A"
PACK_ID = "01KAJ8ZQG0PACK00000000000P"
RUN_ID = "01KAJ8ZQG0RVN00000000000AR"
KEYS = ("a secret of tests",)
TOKENS = OpenTokens(KEYS)
CONTENT = {
    EMAIL: {"subject": "Hello", "html": "<p>Hello</p>", "text": "Hello"},
    SMS: {"text": "Hello"},
    PUSH: {"title": "Hello", "body": "Hello there", "url": "https://example.com/hello"},
    Channel("webhook"): {"data": '{"hello": "there"}'},
}


def reached_by(*, email: str = "", phone: str = "", devices: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
    """The addresses of a person, by kind."""
    every = {"email": (email,), "phone": (phone,), "device": tuple(devices)}
    return {kind: some for kind, some in every.items() if any(some)}


def a_change(
    recipient_id: str, *, email: str = "", phone: str = "", devices: Collection[str] = (), **fields: Any
) -> RecipientChange:
    """What an import or an event changes about a person."""
    addresses = reached_by(email=email, phone=phone, devices=devices)
    return RecipientChange(recipient_id=recipient_id, addresses=addresses, **fields)


def a_recipient(
    recipient_id: str = "amara",
    *,
    opted_in: Collection[str] = (),
    opted_out: Collection[str] = (),
    pending: Collection[str] = (),
    not_set: Collection[str] = (),
    suppressed: Collection[Channel] = (),
    email: str = "amara@example.com",
    phone: str = "+12065550100",
    devices: Collection[str] = ("gcm:token-1",),
    **fields: Any,
) -> Recipient:
    """A person with an address on every channel; consents by key (`news/email`), suppressions by channel."""
    reachable: dict[str, Any] = {"addresses": reached_by(email=email, phone=phone, devices=devices)}
    person = Recipient(recipient_id=recipient_id, **(reachable | fields))
    answers = {
        **dict.fromkeys(opted_in, ConsentState.OPTED_IN),
        **dict.fromkeys(opted_out, ConsentState.OPTED_OUT),
        **dict.fromkeys(pending, ConsentState.PENDING),
        **dict.fromkeys(not_set, ConsentState.NOT_SET),
    }
    given: dict[str, Any] = {
        "consents": {key: Consent(state=state, at=NOW, source="import:test") for key, state in answers.items()},
        "suppressed": {
            channel: {each: AddressSuppression(reason="hard_bounce", at=NOW) for each in addresses(person, channel)}
            for channel in suppressed
        },
    }
    return Recipient(recipient_id=recipient_id, **(reachable | given | fields))


def a_subscriber(**fields: Any) -> Recipient:
    """A person who opted in to news on every channel."""
    return a_recipient(**({"opted_in": [f"news/{channel}" for channel in CHANNELS]} | fields))


def a_message(name: str = "order-shipped", **fields: Any) -> Message:
    """A transactional message that may take any channel, email first."""
    ordinary: dict[str, Any] = {
        "version": "v1",
        "topic": "orders",
        "purpose": Purpose.TRANSACTIONAL,
        "channels": CHANNELS,
        "locales": dict.fromkeys(CHANNELS, ("en",)),
    }
    return Message(name=name, **(ordinary | fields))


def a_promotion(*channels: Channel, **fields: Any) -> Message:
    """News, on these channels only."""
    ordinary: dict[str, Any] = {"topic": "news", "purpose": Purpose.PROMOTIONAL, "channels": channels or CHANNELS}
    return a_message("news", **(ordinary | fields))


def a_fallback(*channels: Channel, **fields: Any) -> Fallback:
    """What follows two hours later, unless the message was opened."""
    ordinary: dict[str, Any] = {"unless": EngagementKind.OPENED, "within": 7_200}
    return Fallback(channels=channels, **(ordinary | fields))


def hours(name: str = "hours", **fields: Any) -> Hours:
    """A rule on hours, for promotional messages everywhere."""
    return Hours(name=name, **fields)


def a_cap(limit: int, *, days: int | None = None, **fields: Any) -> Cap:
    """A cap over a rolling window of some days; without: over a calendar day."""
    return Cap(limit=limit, seconds=days and days * 86_400, **fields)


def reserved(at: str | datetime, channel: Channel = EMAIL, **fields: Any) -> Reservation:
    """A message of news that counts since a time (UTC)."""
    since = datetime.fromisoformat(at).replace(tzinfo=UTC) if isinstance(at, str) else at
    ordinary: dict[str, Any] = {
        "dispatch_id": f"{channel}-{since.isoformat()}",
        "purpose": Purpose.PROMOTIONAL,
        "topic": "news",
    }
    return Reservation(at=since, channel=channel, **(ordinary | fields))


def at(local: str, zone: str = "UTC", *, fold: int = 0) -> datetime:
    """The moment (UTC) at which clocks in a time zone show a time."""
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def a_request(recipient_id: str = "amara", **fields: Any) -> SendRequest:
    """A request of an ordinary message, made now."""
    ordinary: dict[str, Any] = {"request_id": REQUEST_ID, "message": "order-shipped", "requested_at": NOW}
    return SendRequest(recipient_id=recipient_id, **(ordinary | fields))


def inputs_for(
    person: Recipient | None,
    message: Message | None = None,
    *,
    request: SendRequest | None = None,
    policy: Policy | None = None,
    now: datetime = NOW,
    reserved: Sequence[Reservation] = (),
    achieved: Achieved = NOTHING_ACHIEVED,
    off: Container[Channel] = (),
) -> Inputs:
    """The inputs of a decision on a request that was made just now."""
    return inputs_of(
        request or a_request(requested_at=now),
        message or a_message(),
        person,
        policy=policy or Policy(),
        now=now,
        reserved=tuple(reserved),
        achieved=achieved,
        off=off,
    )


def rule_on(
    person: Recipient | None, message: Message | None = None, policy: Policy | None = None, **asked: Any
) -> Ruling:
    """What the rules make of a message to a person; further fields are those of `inputs_for`."""
    message, policy = message or a_message(), policy or Policy()
    return decide(inputs_for(person, message, policy=policy, **asked), message, policy)


def in_words(ruling: Ruling) -> str:
    """`email`, `no: email not_consented` or `later: sms quiet_hours Sun 08:00` (UTC)."""
    if ruling.outcome is Verdict.DISPATCHED:
        return str(ruling.channel)
    if ruling.outcome is Verdict.SCHEDULED:
        return f"later: {ruling.channel} {ruling.reason} {ruling.until:%a %H:%M}"
    return f"no: {ruling.channel} {ruling.reason}"


def a_trace(words: str) -> Trace:
    """`push:no_address sms:passed` as a trace."""
    tried = (word.partition(":") for word in words.split())
    return tuple(Tried(Channel(channel), "" if result == PASSED else result) for channel, _, result in tried)


def a_zone(words: str) -> Zone:
    """`Europe/Berlin profile` as a zone."""
    return Zone(*words.split())


def plan(
    request: SendRequest,
    message: Message | None,
    recipient: Recipient | None,
    *,
    policy: Policy | None = None,
    now: datetime = NOW,
    **known: Any,
) -> Decision:
    """Decide on a request as `plan` does; `known` are the reservations and the achievements of `inputs_for`."""
    if message is None:
        return unknown_message(request)
    policy = policy or Policy()
    inputs = inputs_for(recipient, message, request=request, policy=policy, now=now, **known)
    return decision(request, message, recipient, decide(inputs, message, policy), policy=policy, slot=0)


def a_dispatch(channel: Channel = EMAIL, *, slot: int = 0, **fields: Any) -> Dispatch:
    """A dispatch to the ordinary recipient; further fields are its own or those of its request."""
    request_id = fields.get("request_id", f"{REQUEST_ID[:-3]}{slot:03d}" if slot else REQUEST_ID)
    asked = {name: fields.pop(name) for name in SendRequest.__struct_fields__ if name in fields and name != "locale"}
    ordinary: dict[str, Any] = {"addresses": addresses(a_recipient(), channel), "locale": "en"}
    request = a_request(**(asked | {"request_id": request_id}))
    return Dispatch(request=request, channel=channel, slot=slot, **(ordinary | fields))


def a_rendered(
    channel: Channel = EMAIL,
    *,
    content: dict[str, str] | None = None,
    purpose: Purpose = Purpose.TRANSACTIONAL,
    unsubscribe_url: str = "",
    claimed_at: datetime | None = None,
    recipient: dict[str, Any] | None = None,
    **dispatch: Any,
) -> Rendered:
    """A rendered dispatch; further fields are those of the dispatch."""
    sent = a_dispatch(channel, **dispatch)
    return Rendered(
        dispatch=sent,
        message=a_message(sent.request.message, purpose=purpose),
        content=CONTENT[channel] if content is None else content,
        outcome_key=f"{PACK_ID}-{sent.slot}",
        claimed_at=claimed_at or sent.request.requested_at,
        unsubscribe_url=unsubscribe_url,
        recipient=recipient or {},
    )
