"""Two ways, and the address says which: endpoints are posted to, whom a function knows it is told of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from heliograph.channels.webhook.destination import is_url
from heliograph.channels.webhook.function import function_of
from heliograph.channels.webhook.payload import BODY_LIMIT, body_of, is_json
from heliograph.channels.webhook.turn import Line, side_by_side
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Failed, FailureCode, Outcome


def webhook_sender(post: Callable[[], Sender], call: Sender) -> Sender:
    """Send each its way, all destinations side by side. `post` makes a sender that signs with the keys of now.

    What data made of the words may be no JSON, or more than receivers take: that goes nowhere.
    """

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        unfit = {each.dispatch.dispatch_id: code for each in batch if (code := _unfit(each))}
        if unfit:
            yield tuple(Failed(dispatch_id=dispatch_id, code=code) for dispatch_id, code in unfit.items())
        posting = post()  # here, as clients are not made in threads
        lines = _by_destination(each for each in batch if each.dispatch.dispatch_id not in unfit)
        yield from side_by_side([Line(posting if is_url(to) else call, group) for to, group in lines.items()])

    return send


def _by_destination(batch: Iterable[Rendered]) -> dict[str, list[Rendered]]:
    """Endpoints by their URL, and functions by their name, with what each is asked for."""
    found: dict[str, list[Rendered]] = {}
    for each in batch:
        address = each.dispatch.addresses[0]
        found.setdefault(address if is_url(address) else function_of(each), []).append(each)
    return found


def _unfit(rendered: Rendered) -> FailureCode | None:
    if not is_json(rendered.content["data"]):
        return FailureCode.REJECTED
    return FailureCode.CONTENT_TOO_LARGE if len(body_of(rendered)) > BODY_LIMIT else None
