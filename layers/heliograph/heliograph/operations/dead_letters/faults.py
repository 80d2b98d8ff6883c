"""The closed list of faults that lead to dead letters: why it failed, and what to do about it, in plain words."""

from __future__ import annotations

import re
from typing import NamedTuple

AGAIN = "Mend the producer and let it send the event again; this one can be deleted."
UPLOAD = "Correct the file and submit the campaign folder again: that is a run of its own, and this one sent nothing."
LOG = 'find "A message failed and will be tried again" in the log of {} (`error`, `code`, `operation`, `at`)'
"""Where the reason of work that failed on every try is written."""


def _tried(function: str, further: str) -> str:
    found = LOG.format(f"/aws/lambda/<stack>-{function}")
    return f"Mend the cause: {found}. Then redrive; {further}"


class Fault(NamedTuple):
    """A way to fail."""

    name: str
    why: str
    what_to_do: str


class _Parked(NamedTuple):
    """How a fault is recognised: by the queue, the place and the reason of a parked message (regular expressions)."""

    queue: str
    position: str
    reason: str
    fault: Fault


def _events(position: str, reason: str, name: str, why: str, what_to_do: str = AGAIN) -> _Parked:
    return _Parked("events", position, reason, Fault(name, why, what_to_do))


def _segments(position: str, reason: str, name: str, why: str, what_to_do: str = UPLOAD) -> _Parked:
    return _Parked("segments", position, reason, Fault(name, why, what_to_do))


PARKED = (
    _Parked(
        ".*",
        "body",
        "",
        Fault(
            "unreadable_text",
            "It is not the JSON that travels in this queue.",
            "Somebody else writes into the queue: find out who. There is nothing to redrive.",
        ),
    ),
    _events(
        "detail",
        "",
        "malformed_detail",
        "A field of its detail is missing, unknown or wrong; what a RecipientUpdated says beside that holds already.",
    ),
    _events(
        "data|reference|idempotency_key|id|locale|source",
        "longer|takes|nested|has a",
        "carries_too_much",
        "It carries more than an event may: what it carries there is too long, too large or too deep.",
    ),
    _events("event", "", "malformed_event", "It lacks a field that every event of EventBridge has."),
    _events(
        "message",
        "catalogue",
        "unknown_message",
        "A trigger names a message that is not in the deployed catalogue.",
        "Build and deploy again, so that rules and messages are of one version; then redrive with --parked.",
    ),
    _events(
        "message",
        "no trigger",
        "no_trigger",
        "A rule sends it to a message that has no trigger any more.",
        "Deploy again, so that the rule goes; or give the message its trigger back and redrive with --parked.",
    ),
    _events(
        "recipient_id", "neither", "missing_recipient_id", "It names neither a recipient nor an address to send to."
    ),
    _events(
        "recipient_id",
        "elements",
        "bad_recipients",
        "Some of the people that it names cannot be read; the others have gone on.",
        "Mend the producer and let it send an event with the missing people; this one can be deleted.",
    ),
    _events(
        "email|phone",
        "one person",
        "address_of_several",
        "It names several people and carries an address, which can only be that of one.",
        "Remove email and phone from the message's [trigger], deploy, and redrive with --parked.",
    ),
    _events("recipient_id", "", "bad_recipient_id", "Its recipient id is missing, or not 1 to 128 of A-Z a-z 0-9 _ -."),
    _events("expires_at", "time zone", "no_time_zone", "The time at which it expires has no time zone."),
    _events("expires_at", "", "bad_time", "The time at which it expires is not an ISO 8601 time."),
    _events(
        "detail-type",
        "",
        "unknown_event",
        "It is neither SendRequested nor RecipientUpdated, and no trigger asked for it.",
        "Check which rule of the bus puts it into the queue; a message of its own needs a [trigger] in message.toml.",
    ),
    _events("", "", "bad_field", "A field that the trigger reads is not of the kind that it must be."),
    _segments(
        r"campaign\.toml: message",
        "",
        "campaign_message_unknown",
        "The campaign's message is not in the deployed catalogue.",
        "Deploy the message, or correct `message` in campaign.toml; then submit the campaign folder again.",
    ),
    _segments(
        r"campaign\.toml: segment", "", "segment_elsewhere", "The campaign names a segment outside of its own folder."
    ),
    _segments(r"campaign\.toml", "", "bad_manifest", "A field of campaign.toml is missing, unknown or wrong."),
    _segments(
        r".*/campaign\.toml",
        "no such file",
        "manifest_missing",
        "The campaign's manifest was deleted before it was read.",
        "Submit the campaign folder again, if it is still wanted.",
    ),
    _segments(
        ".*/.*",
        "no such file",
        "segment_missing",
        "The campaign's segment is not in the bucket.",
        "Upload the segment beside campaign.toml, then redrive with --parked, or submit the campaign folder again.",
    ),
    _segments("row 1", "header", "no_header", "The segment is empty or has no header."),
    _segments("row 1", "no column", "no_recipient_id_column", "The segment has no column recipient_id."),
    _segments("row 1(, .*)?", "", "bad_header", "The header of the segment cannot be read."),
    _segments("row .*", "quote", "open_quote", "A quote is not closed, and the rows below are taken for its text."),
    _segments("line .*|encoding", "", "doubtful_encoding", "The segment is not UTF-8, nor anything else for certain."),
    _Parked(
        "imports",
        "",
        "",
        Fault(
            "import_refused",
            "The file of people was refused as a whole, and nobody of it was saved.",
            "The file beside it in the bucket says why. Put the corrected file there; this message can be deleted.",
        ),
    ),
    _segments("key", "", "bad_campaign_name", "The campaign's folder has a name that cannot be an identifier."),
    _Parked(
        "engagement",
        "",
        "",
        Fault(
            "unreadable_provider_event",
            "An event about a message of ours cannot be read.",
            "If the provider has changed its format, update Heliograph and redrive with --parked. An app that reports "
            "PushOpened must hand back the data of the push unchanged.",
        ),
    ),
    _Parked(
        ".*",
        "",
        "",
        Fault(
            "unreadable",
            "A part of it cannot be read.",
            "If an older version wrote it, redrive with --parked after deploying; otherwise mend whoever wrote it.",
        ),
    ),
)
"""The first that fits counts; an empty place or reason fits all."""

FAILED = {
    "events": Fault(
        "event_failed",
        "The event was tried until its tries were used up.",
        _tried("ingest-event", "the same event is the same request, so nobody is sent to twice."),
    ),
    "segments": Fault(
        "upload_failed",
        "The segment could not be queued to its end within all tries.",
        _tried("ingest-segment", "the same upload is the same run, so who was sent to already is not sent to again."),
    ),
    "imports": Fault(
        "import_failed",
        "The people of the file could not be saved to its end within all tries.",
        _tried("import-recipients", "whoever is saved already stays as they are."),
    ),
    "requests": Fault(
        "requests_failed",
        "The people of this pack could not be planned within all tries.",
        _tried("plan", "every decision is written once, so what was decided already stays."),
    ),
    "settle": Fault(
        "settling_failed",
        "What became of these messages in doubt could not be settled within all tries.",
        _tried("settle", "what is settled stays as it is."),
    ),
    "engagement": Fault(
        "provider_event_failed",
        "The event could not be written down within all tries.",
        _tried("record", "the same event counts once."),
    ),
    **{
        f"outbox-{channel}": Fault(
            f"{channel}_failed",
            f"These {words} were not all taken within all tries: the provider refused or stood still, or a table did.",
            _tried(f"deliver-{channel}", "who was sent to already, or is in doubt, is not sent to again."),
        )
        for channel, words in (("email", "mails"), ("sms", "SMS"), ("push", "push notifications"))
    },
}
"""Work that failed on every try, by the start of its queue's name."""

UNDELIVERED = Fault(
    "not_handed_over",
    "EventBridge could not hand it to its queue.",
    "Check that the queue and its policy are as deployed; then let the producer send the event again.",
)
FOREIGN = Fault(
    "foreign_text",
    "It is not the JSON that travels in this queue.",
    "Somebody else writes into the queue: find out who. There is nothing to redrive.",
)
PUT_THERE = Fault(
    "put_there",
    "It neither failed nor was it parked: somebody put it there, or a topic could not hand it to the queue.",
    "Redrive it if it is work of ours; otherwise find out who writes into the queue.",
)


def parked(queue: str, position: str, reason: str) -> Fault:
    """The fault of a message that was parked."""
    return next(
        each.fault
        for each in PARKED
        if re.fullmatch(each.queue, queue)
        and re.fullmatch(each.position or ".*", position, re.DOTALL)
        and re.search(each.reason, reason)
    )


def failed(queue: str) -> Fault:
    """The fault of work that failed on every try."""
    return next((fault for start, fault in FAILED.items() if queue.startswith(start)), PUT_THERE)
