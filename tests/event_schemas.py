"""The JSON Schemas of the events that applications send us, made of the bounds that the readers have.

`PYTHONPATH=layers/heliograph:tests .venv/bin/python tests/event_schemas.py` writes them into `docs/schema/events/`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from heliograph.channels.registry import CHANNELS
from heliograph.ingesting.requests import SendRequested
from heliograph.people.changes import COLUMNS
from heliograph.text import ids
from heliograph.text.payloads import EVENT_ID_BYTES, KEY_BYTES, LOCALE_BYTES, REFERENCE_BYTES, SOURCE_BYTES

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs/schema/events"
NAMES = "|".join(CHANNELS)

Schema = dict[str, Any]


def text(description: str, **bounds: Any) -> Schema:
    """A text."""
    return {"type": "string", "description": description, **bounds}


def whole(pattern: str) -> str:
    """A pattern of ours as JSON Schema has it, which does not look at the whole text by itself."""
    return f"^(?:{pattern})$"


IDENTIFIER = {"pattern": whole(ids.IDENTIFIER.pattern)}
SHOWN = r"^[^\x00-\x1f\x7f]*$"
TIME = {"format": "date-time", "pattern": r"^20\d\d-\d\d-\d\d[Tt ].+([Zz]|[+-]\d\d:?\d\d)$"}


def event(detail_type: str, description: str, detail: Schema) -> Schema:
    """An event of the bus, as a rule sees it; EventBridge fills in `id`, and `time` if you leave it out."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": detail_type,
        "description": description,
        "type": "object",
        "required": ["id", "source", "detail-type", "time", "detail"],
        "properties": {
            "id": text("EventBridge's own.", maxLength=EVENT_ID_BYTES),
            "source": text("Your application.", maxLength=SOURCE_BYTES),
            "detail-type": {"const": detail_type},
            "time": text("When it happened; the years 2000 to 2099.", **TIME),
            "detail": {"type": "object", **detail},
        },
    }


SEND_REQUESTED = event(
    "SendRequested",
    "A product system asks for one message to one person. A field that is not here refuses it.",
    {
        "required": ["message"],
        "additionalProperties": False,
        "properties": {
            "message": text("The name of the message.", **IDENTIFIER),
            "recipient_id": text("Who gets it; may be left out where there is an address.", **IDENTIFIER),
            "data": {"type": "object", "description": "What the words are made of, as `data.<name>`."},
            "idempotency_key": text("The same key twice sends once.", maxLength=KEY_BYTES, pattern=SHOWN),
            "reference": text("By what it is found later: no address.", maxLength=REFERENCE_BYTES, pattern=SHOWN),
            "email": text("For people who are not known; transactional messages only."),
            "phone": text("The same; E.164, or as it is written in the policy's region."),
            "locale": text("Their language, BCP-47.", maxLength=LOCALE_BYTES),
            "expires_at": {**text("After this, it must not be sent.", format="date-time"), "type": ["string", "null"]},
        },
    },
)
assert set(SEND_REQUESTED["properties"]["detail"]["properties"]) == set(SendRequested.__struct_fields__)

WORDS: Schema = {"type": ["string", "array", "null"], "items": {"type": "string"}}
RECIPIENT_UPDATED = event(
    "RecipientUpdated",
    "What changed about a person: what is given is set, all else stays. What cannot be read is named in the dead "
    "letters; the rest holds at once.",
    {
        "required": ["recipient_id"],
        "additionalProperties": False,
        "properties": {
            **dict.fromkeys(sorted(COLUMNS), WORDS),
            "recipient_id": text("Whom it is about.", **IDENTIFIER),
            "timezone": {**WORDS, "pattern": r"^([A-Za-z_]+(/[A-Za-z0-9_+-]+)+|UTC)?$"},
            "preferred_time": {**WORDS, "pattern": r"^(([01]?\d|2[0-3]):[0-5]\d|[Nn][Oo][Nn][Ee])?$"},
            "consents": {
                "type": ["object", "null"],
                "description": "`<topic or purpose>/<channel>` -> what the person said.",
                "propertyNames": {"pattern": whole(rf"[a-z0-9_-]+/({NAMES})")},
                "additionalProperties": {"enum": ["opted_in", "confirmed", "opted_out", "pending", "not_set", None]},
            },
            "attributes": {"type": ["object", "null"], "description": "For the words, as `recipient.<name>`."},
        },
    },
)

PUSH_OPENED = event(
    "PushOpened",
    "An app reports that a push was opened: its detail is the data that came with the push, as it came.",
    {
        "required": ["dispatch_id", "recipient_id", "outcome_key", "message", "token"],
        "properties": {
            "dispatch_id": text("As it came.", pattern=whole(ids.DISPATCH.pattern)),
            "recipient_id": text("As it came.", **IDENTIFIER),
            "outcome_key": text("As it came.", pattern=whole(ids.OUTCOME_KEY.pattern)),
            "message": text("As it came.", **IDENTIFIER),
            "run_id": text("As it came, if it did.", pattern=whole(ids.DERIVED.pattern)),
            "token": text("As it came: it is signed over all of the above.", pattern=r"^[A-Za-z0-9_-]{20,}$"),
        },
    },
)

SCHEMAS = {"SendRequested": SEND_REQUESTED, "RecipientUpdated": RECIPIENT_UPDATED, "PushOpened": PUSH_OPENED}


def written(schema: Schema) -> str:
    """A schema as its file has it."""
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    for name, schema in SCHEMAS.items():
        (FOLDER / f"{name}.json").write_text(written(schema))
