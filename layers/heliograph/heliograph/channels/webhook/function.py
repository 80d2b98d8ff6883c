"""A function of yours that gets what Amazon Pinpoint's custom channels gave it: such functions work as they are.

Pinpoint called it for up to 50 endpoints at once and took any answer for a success. So do we; it gets 20 seconds
(`aws.clients.SEND`) where Pinpoint gave it 15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from heliograph.channels.errors import PROVIDER_ERRORS, code_of, outcome_of
from heliograph.channels.webhook.spec import FUNCTION_FINAL_CODES
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Accepted, Failed, InDoubt, NotSent, Outcome
from heliograph.model.values import JsonObject

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

CALL_LIMIT: Final = 50  # endpoints a call; docs of Pinpoint's custom channels

NOT_THERE: Final = frozenset({"AccessDeniedException", "ResourceNotFoundException", "ValidationException"})
"""How Lambda says that a name is none of ours or too long for one, or that we may not call it."""
NEVER_RAN: Final = frozenset(
    {
        *("EC2AccessDeniedException", "EC2ThrottledException", "EC2UnexpectedException", "ENILimitReachedException"),
        *("ENINotReadyException", "InvalidRuntimeException", "InvalidSecurityGroupIDException"),
        *("InvalidSubnetIDException", "InvalidZipFileException", "KMSAccessDeniedException", "KMSDisabledException"),
        *("KMSInvalidStateException", "KMSNotFoundException", "ResourceNotReadyException"),
        "SubnetIPAddressLimitReachedException",
    }
)
"""How Lambda says that it could not start a function, with a status of 502: another one from 500 on is in doubt."""
ADVICE: Final = dict.fromkeys(
    NOT_THERE,
    "A function of a custom channel could not be called: its name must be <stack>_webhook_<what addresses say>,"
    " 64 characters at most",
) | dict.fromkeys(NEVER_RAN, "A function of a custom channel could not be started: see its configuration")

Warn = Callable[[str, str], None]


def function_sender(client: LambdaClient, *, stack: str, warn: Warn) -> Sender:
    """Send by calling functions, for all at once to whom the same is said; `warn` hears of one that is not there.

    An address says which is called, and may come from anybody: so only those whose names begin `<stack>_webhook_`.
    """

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        for function, group in groups(batch):
            call = partial(_call, client, f"{stack}_webhook_{function}", warn)
            yield from _tell(call, group, application=stack)

    return send


def _tell(
    call: Callable[[JsonObject, Sequence[str]], tuple[Outcome, ...]], group: Sequence[Rendered], *, application: str
) -> Iterator[tuple[Outcome, ...]]:
    """Call for a group; if what is known of its people is more than a call takes, for each half of them."""
    outcomes = call(payload(group, application=application), [each.dispatch.dispatch_id for each in group])
    if len(group) > 1 and all(isinstance(each, Failed) for each in outcomes):
        half = len(group) // 2
        yield from _tell(call, group[:half], application=application)
        yield from _tell(call, group[half:], application=application)
    else:
        yield outcomes


def _call(
    client: LambdaClient, function: str, warn: Warn, event: JsonObject, dispatch_ids: Sequence[str]
) -> tuple[Outcome, ...]:
    """One call. A function that failed may have seen to some endpoints: that is in doubt, as after a time-out."""
    try:
        answer = client.invoke(FunctionName=function, Payload=msgspec.json.encode(event))
    except PROVIDER_ERRORS as error:
        if advice := ADVICE.get(code := code_of(error)):
            warn(advice, code)
            return tuple(NotSent(dispatch_id=each, cause=code) for each in dispatch_ids)
        return tuple(outcome_of(error, each, final=FUNCTION_FINAL_CODES) for each in dispatch_ids)
    answer["Payload"].close()
    if failure := answer.get("FunctionError"):
        return tuple(InDoubt(dispatch_id=each, cause=f"Function{failure}") for each in dispatch_ids)
    request = answer["ResponseMetadata"]["RequestId"]
    return tuple(Accepted(dispatch_id=each, provider_message_id=request) for each in dispatch_ids)


def groups(batch: Iterable[Rendered]) -> Iterator[tuple[str, list[Rendered]]]:
    """Functions, and whom each is told of in a call: people to whom the same is said, at most 50, each of them once."""
    open_groups: dict[tuple[str, str], dict[str, Rendered]] = {}
    for rendered in batch:
        person = rendered.dispatch.request.recipient_id
        key = (function_of(rendered), rendered.content["data"])
        group = open_groups.setdefault(key, {})
        if len(group) == CALL_LIMIT or person in group:
            yield key[0], list(group.values())
            group.clear()
        group[person] = rendered
    yield from ((function, list(group.values())) for (function, _), group in open_groups.items())


def function_of(rendered: Rendered) -> str:
    """The function that an address names: `chatbot` of `chatbot:42`."""
    return rendered.dispatch.addresses[0].partition(":")[0]


def payload(batch: Sequence[Rendered], *, application: str) -> JsonObject:
    """What the function gets. `Data` is a text: that of `webhook.json`, or JSON where that holds something else."""
    first = batch[0]
    data = first.content["data"].strip()
    return {
        "Message": {},
        "Data": msgspec.json.decode(data) if data.startswith('"') else data,
        "ApplicationId": application,
        "CampaignId": first.dispatch.request.run_id or first.message.name,
        "TreatmentId": "0",
        "ActivityId": first.message.name,
        "ScheduledTime": _time(first.dispatch.request.requested_at),
        "Endpoints": {rendered.dispatch.request.recipient_id: _endpoint(rendered) for rendered in batch},
    }


def _endpoint(rendered: Rendered) -> JsonObject:
    """A person as Pinpoint told of an endpoint. `dispatch_id` is ours: the same for every try, to know a repeat by."""
    dispatch = rendered.dispatch
    requested_at = _time(dispatch.request.requested_at)
    return {
        "ChannelType": "CUSTOM",
        "Address": dispatch.addresses[0].partition(":")[2],
        "EndpointStatus": "ACTIVE",
        "OptOut": "NONE",
        "Demographic": {"Locale": dispatch.locale, "Timezone": dispatch.zone.name if dispatch.zone else ""},
        "EffectiveDate": requested_at,
        "CreationDate": requested_at,
        "Attributes": _lists(dispatch.request.attributes) | {"dispatch_id": [dispatch.dispatch_id]},
        "User": {"UserId": dispatch.request.recipient_id, "UserAttributes": _lists(rendered.recipient)},
    }


def _lists(attributes: JsonObject) -> dict[str, list[str]]:
    """Attributes as Pinpoint had them: lists of texts; what is no text is written as JSON."""
    several = {name: value if isinstance(value, list) else [value] for name, value in attributes.items()}
    return {name: [each if isinstance(each, str) else _json(each) for each in value] for name, value in several.items()}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _time(at: datetime) -> str:
    """As Pinpoint wrote times: `2020-04-08T19:00:16.843Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
