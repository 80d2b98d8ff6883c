"""Publish the providers' events, in order and after the call has been answered, as AWS does."""

from __future__ import annotations

import contextvars
import json
import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import eventbridge, sns

EVENTS_KEPT = 1000  # ministack keeps every event ever put, in memory and for nobody

_log = logging.getLogger("localcloud")
_waiting: queue.SimpleQueue[tuple[contextvars.Context, Callable[[], None]]] = queue.SimpleQueue()


def install() -> None:
    """Start the one thread that publishes."""
    threading.Thread(target=_publish_for_ever, name="localcloud-announce", daemon=True).start()


def later(publish: Callable[[], None]) -> None:
    """Publish soon, for the account and region of the current call."""
    _waiting.put((contextvars.copy_context(), publish))


def for_account(account: str, region: str, publish: Callable[[], None]) -> None:
    """Publish soon, for an account and region that no current call names."""
    context = contextvars.Context()
    context.run(set_request_account_id, account)
    context.run(set_request_region, region)
    _waiting.put((context, publish))


def _publish_for_ever() -> None:
    while True:
        context, publish = _waiting.get()
        try:
            context.run(publish)
        except Exception:  # noqa: BLE001 - one event that cannot be delivered must not stop all later ones
            _log.exception("event was not published")


def put_event(
    *, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = (), bus: str = "default"
) -> None:
    """Put an event on a bus; `aws.*` sources are allowed."""
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail), "Resources": list(resources)}
    eventbridge._put_events({"Entries": [{**entry, "EventBusName": bus}]}, allow_aws_source=True)
    kept = eventbridge._events_log_list()
    del kept[:-EVENTS_KEPT]


def notify(topic: str, record: Mapping[str, Any] | str, *, subject: str = "") -> None:
    """Publish a provider's record, or its plain words, to an SNS topic."""
    words = record if isinstance(record, str) else json.dumps(record)
    if sns.publish_internal(topic, words, subject) is None:
        _log.warning("event destination names a topic that does not exist")
