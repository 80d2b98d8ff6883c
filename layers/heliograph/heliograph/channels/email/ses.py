"""Email over SES v2: one mail a call, or up to fifty."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from email.utils import formataddr
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from heliograph.channels.email.bulk import BULK_LIMIT, Mail, headers, mail, packs, parts, pass_through, tags
from heliograph.channels.email.spec import CODES
from heliograph.channels.errors import PROVIDER_ERRORS, ProviderError, outcome_of
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Accepted, Failed, FailureCode, InDoubt, NotSent, Outcome

if TYPE_CHECKING:
    from types_boto3_sesv2 import SESV2Client
    from types_boto3_sesv2.type_defs import BulkEmailEntryResultTypeDef

UNVERIFIED: Final = "not verified"
"""So SES rejects every mail while our identity is not verified or the account is in the sandbox: that can be mended."""

DAILY_QUOTA: Final = "Daily message quota exceeded"
"""So SES says it; of which class that is in API v2 is not documented."""


class Envelope(NamedTuple):
    """What all mails have in common."""

    sender: str
    """As the header From says it."""
    configuration_set: str
    unsubscribe_mailto: str


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
    envelope = Envelope(_from(sender), configuration_set, unsubscribe_mailto)

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        sendable = [rendered for rendered in batch if rendered.dispatch.addresses[0].isascii()]
        unsendable = [rendered for rendered in batch if not rendered.dispatch.addresses[0].isascii()]
        if unsendable:
            yield tuple(_failed(rendered, FailureCode.INVALID_ADDRESS) for rendered in unsendable)
        if len(sendable) == 1:
            yield (_send_one(client, envelope, sendable[0]),)
            return
        mails = (mail(rendered, unsubscribe_mailto=unsubscribe_mailto) for rendered in sendable)
        for pack in packs(mails, most=int(rate()) if sendable else 1):
            if len(pack) == 1:
                yield (_send_one(client, envelope, pack[0].rendered),)
            else:
                yield from _send_bulk(client, envelope, pack)

    return send


def _from(sender: str) -> str:
    """`News, Inc. <n@example.com>` as a header says it: quoted, and encoded where it is not ASCII."""
    name, _, address = sender.rpartition("<")
    return formataddr((name.strip().strip('"'), address.strip().removesuffix(">")))


def _send_one(client: SESV2Client, envelope: Envelope, rendered: Rendered) -> Outcome:
    content: Any = {
        "Subject": {"Data": rendered.content["subject"], "Charset": "UTF-8"},
        "Body": {part.title(): {"Data": rendered.content[part], "Charset": "UTF-8"} for part in parts(rendered)},
        "Headers": headers(rendered, envelope.unsubscribe_mailto),
    }
    try:
        answer = client.send_email(
            FromEmailAddress=envelope.sender,
            ConfigurationSetName=envelope.configuration_set,
            Destination={"ToAddresses": [rendered.dispatch.addresses[0]]},
            Content={"Simple": content},
            EmailTags=tags(rendered),
        )
    except PROVIDER_ERRORS as error:
        return _refused(error, rendered)
    return Accepted(dispatch_id=rendered.dispatch.dispatch_id, provider_message_id=answer["MessageId"])


def _send_bulk(client: SESV2Client, envelope: Envelope, pack: list[Mail]) -> Iterator[tuple[Outcome, ...]]:
    """One call for all; when SES refuses the call for its content, one call each finds out whose."""
    entries: Any = [each.entry for each in pack]  # written before: `aws.spelling` takes them as they are
    try:
        answer = client.send_bulk_email(
            FromEmailAddress=envelope.sender,
            ConfigurationSetName=envelope.configuration_set,
            DefaultContent=pass_through(pack[0].rendered),
            BulkEmailEntries=entries,
        )
    except PROVIDER_ERRORS as error:
        outcomes = tuple(_refused(error, each.rendered) for each in pack)
        if isinstance(outcomes[0], Failed):
            yield from ((_send_one(client, envelope, each.rendered),) for each in pack)
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
    if status in CODES.final and UNVERIFIED not in result.get("Error", ""):
        return _failed(rendered, CODES.final[status])
    return NotSent(dispatch_id=dispatch_id, cause=status)


def _refused(error: ProviderError, rendered: Rendered) -> Outcome:
    if DAILY_QUOTA in str(error):
        return NotSent(dispatch_id=rendered.dispatch.dispatch_id, cause="DailyQuotaExceeded")
    final = {} if UNVERIFIED in str(error) else CODES.final
    return outcome_of(error, rendered.dispatch.dispatch_id, final=final)


def _failed(rendered: Rendered, code: FailureCode) -> Failed:
    return Failed(dispatch_id=rendered.dispatch.dispatch_id, code=code)
