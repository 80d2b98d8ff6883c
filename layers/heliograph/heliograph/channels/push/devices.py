"""What all devices of a person get, and one outcome from the verdicts on them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from heliograph.channels.push.open_tokens import OpenTokens
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Accepted, Failed, FailureCode, InDoubt, NotSent, Outcome


def each_in_turn(send_one: Callable[[Rendered], Outcome]) -> Sender:
    """A sender that makes one call, or a few, for each message."""

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        for rendered in batch:
            yield (send_one(rendered),)

    return send


def data_of(rendered: Rendered, tokens: OpenTokens) -> dict[str, str]:
    """The data of a push: our ids, and the token that the app must hand back with them when it was opened."""
    tags = rendered.tags()
    return tags | {"token": tokens.token(tags)}


def together(dispatch_id: str, verdicts: Mapping[str, Outcome]) -> Outcome:
    """One outcome for a person: taken by a device, else in doubt, else to be tried again, else refused by all."""
    failed = {device: verdict.code for device, verdict in verdicts.items() if isinstance(verdict, Failed)}
    dead = tuple(device for device, code in failed.items() if code is FailureCode.DEAD_TOKEN)
    for verdict in verdicts.values():
        if isinstance(verdict, Accepted):
            return Accepted(
                dispatch_id=dispatch_id, provider_message_id=verdict.provider_message_id, dead_addresses=dead
            )
    for unsettled in (InDoubt, NotSent):
        for verdict in verdicts.values():
            if isinstance(verdict, unsettled):
                return verdict
    refused = next((code for code in failed.values() if code is not FailureCode.DEAD_TOKEN), FailureCode.DEAD_TOKEN)
    return Failed(dispatch_id=dispatch_id, code=refused, dead_addresses=dead)
