"""docs/events.md: every event has a sample that its reader takes, and a schema that says what the reader does."""

from __future__ import annotations

import copy
import json
from typing import Any

import msgspec
import pytest
from cfnlint.jsonschema import StandardValidator  # type: ignore[import-untyped]  # it brings no types

from builders import KEYS, NOW, a_message
from event_schemas import FOLDER, ROOT, SCHEMAS, written
from heliograph.campaigns import segments
from heliograph.ingesting import requests
from heliograph.model.messages import Trigger
from heliograph.model.policy import Policy
from heliograph.recording import reading
from heliograph.text.errors import MalformedError

SAMPLES = {file.stem: json.loads(file.read_text()) for file in sorted((ROOT / "examples/events").glob("*.json"))}
PAGE = (ROOT / "docs/events.md").read_text()
TRIGGER = Trigger(
    source="shop.orders",
    detail_type="OrderShipped",
    recipient_id="detail.customer_id",
    idempotency_key="detail.order_id",
    reference="detail.order_id",
)
MESSAGES = {"order_shipped": a_message("order_shipped", trigger=TRIGGER)}
FROM_PROVIDERS = [name for name in SAMPLES if name.startswith(("Ses", "Sms"))]


def is_taken(name: str, event: dict[str, Any]) -> bool:
    """Whether the reader of an event takes all of it."""
    try:
        if name == "PushOpened" or name in FROM_PROVIDERS:
            return bool(reading.read(json.dumps(event), NOW, lambda: KEYS))
        if name == "OrderShipped":
            event = {"message": "order_shipped", "event": event}
        match requests.read(event, MESSAGES, policy=Policy()):
            case requests.Changed(change, refused):
                return refused is None and not change.invalid
            case asked:
                return asked.refused is None
    except MalformedError:
        return False


def fits(name: str, event: dict[str, Any]) -> bool:
    return not list(StandardValidator(SCHEMAS[name]).iter_errors(event))


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_the_one_that_is_made_of_the_readers_bounds(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == written(SCHEMAS[name]), "run tests/event_schemas.py"


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "CampaignUploaded"])
def test_a_sample_is_taken_by_its_reader(name: str) -> None:
    assert is_taken(name, SAMPLES[name])


def test_the_upload_of_a_campaign_is_read_as_s3_announces_it() -> None:
    uploaded = msgspec.convert(SAMPLES["CampaignUploaded"], segments.Uploaded)
    assert segments.campaign_name(uploaded.detail.object.key) == "spring-sale"


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_sample_fits_its_schema(name: str) -> None:
    assert fits(name, SAMPLES[name])


GONE = object()
TIMES = ("soon", 7, "9999-12-31T23:59:59Z", "1999-01-01T00:00:00Z")
NO_OBJECTS: tuple[Any, ...] = (None, [], "text")
WRONG: list[tuple[str, str, Any]] = [
    *((name, field, GONE) for name in SCHEMAS for field in ("time", "detail")),
    *((name, "time", value) for name in SCHEMAS for value in TIMES),
    *((name, "detail", value) for name in SCHEMAS for value in NO_OBJECTS),
    *(("SendRequested", "id", value) for value in (GONE, 7, "i" * 129)),
    *(("SendRequested", "detail.message", value) for value in (GONE, "", "a b", 7, "m" * 129)),
    *(("SendRequested", "detail.recipient_id", value) for value in ("a@b", 7, "p" * 129)),
    *(("SendRequested", "detail.data", value) for value in NO_OBJECTS),
    *(("SendRequested", "detail.idempotency_key", value) for value in ("k" * 256, "a\nb", 7, None)),
    *(("SendRequested", "detail.reference", value) for value in ("r" * 129, "\x1b[31m", 7)),
    *(("SendRequested", "detail.locale", value) for value in ("l" * 36, 7)),
    *(("SendRequested", f"detail.{name}", "x") for name in ("expires", "recipient", "Email", "to")),
    *(("RecipientUpdated", "detail.recipient_id", value) for value in (GONE, "", "a b", "p" * 129)),
    *(("RecipientUpdated", f"detail.{name}", "x") for name in ("mail", "Email", "first_name", "opt_out")),
    *(("RecipientUpdated", "detail.timezone", value) for value in ("Berlin!", 7, ["Europe/Berlin", 7])),
    *(("RecipientUpdated", "detail.preferred_time", value) for value in ("25:00", "half past", 7)),
    *(
        ("RecipientUpdated", "detail.consents", value)
        for value in ("opted_in", {"news": "opted_in"}, {"news/fax": "opted_in"})
    ),
    ("RecipientUpdated", "detail.consents", {"news/email": "perhaps"}),
    *(("RecipientUpdated", "detail.attributes", value) for value in ("text", ["first_name"])),
    *(
        ("PushOpened", f"detail.{name}", GONE)
        for name in ("dispatch_id", "recipient_id", "outcome_key", "message", "token")
    ),
    *(("PushOpened", "detail.outcome_key", value) for value in ("runs-5", 7, "")),
    *(("PushOpened", "detail.run_id", value) for value in ("runs", 7)),
    *(("PushOpened", "detail.token", value) for value in ("", 7, "guess")),
]


@pytest.mark.parametrize(("name", "field", "value"), WRONG)
def test_what_does_not_fit_is_refused_by_reader_and_schema(name: str, field: str, value: Any) -> None:
    event = copy.deepcopy(SAMPLES[name])
    *path, last = field.split(".")
    holder = event["detail"] if path else event
    if value is GONE:
        del holder[last]
    else:
        holder[last] = value
    assert (is_taken(name, event), fits(name, event)) == (False, False)


def test_the_page_names_every_event_with_its_sample() -> None:
    assert all(f"examples/events/{name}.json" in PAGE for name in SAMPLES)
    assert all(f"schema/events/{name}.json" in PAGE for name in SCHEMAS)
