"""Two ways, and the address says which: endpoints are posted to, whom a function knows it is told of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from heliograph.channels.webhook.destination import is_url
from heliograph.channels.webhook.payload import BODY_LIMIT, body_of, is_json
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Failed, FailureCode, Outcome


def webhook_sender(post: Sender, call: Sender) -> Sender:
    """Send each its way. What data made of the words may be no JSON, or more than receivers take: that goes nowhere."""

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        unfit = {each.dispatch.dispatch_id: code for each in batch if (code := _unfit(each))}
        if unfit:
            yield tuple(Failed(dispatch_id=dispatch_id, code=code) for dispatch_id, code in unfit.items())
        fit = [each for each in batch if each.dispatch.dispatch_id not in unfit]
        yield from post([each for each in fit if is_url(each.dispatch.addresses[0])])
        yield from call([each for each in fit if not is_url(each.dispatch.addresses[0])])

    return send


def _unfit(rendered: Rendered) -> FailureCode | None:
    if not is_json(rendered.content["data"]):
        return FailureCode.REJECTED
    return FailureCode.CONTENT_TOO_LARGE if len(body_of(rendered)) > BODY_LIMIT else None
