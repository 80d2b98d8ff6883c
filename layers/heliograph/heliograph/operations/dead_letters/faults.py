"""The closed list of faults that lead to dead letters: why it failed, and what to do about it, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from heliograph.channels.registry import CHANNELS, spec
from heliograph.text.errors import Code

AGAIN = "Mend the producer and let it send the event again; this one can be deleted."
UPLOAD = "Correct the file and upload it again, a campaign's with its whole folder: nothing of this one was taken."
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


class Meaning(NamedTuple):
    """What the code of a refusal means to who looks after the stack."""

    why: str
    what_to_do: str


REFUSED: Final[Mapping[Code, Meaning]] = {
    Code.UNREADABLE_TEXT: Meaning(
        "It is not the JSON that travels in this queue.",
        "Somebody else writes into the queue: find out who. There is nothing to redrive.",
    ),
    Code.UNREADABLE: Meaning(
        "A part of it cannot be read.",
        "If an older version wrote it, redrive with --parked after deploying; otherwise mend whoever wrote it.",
    ),
    Code.CARRIES_TOO_MUCH: Meaning(
        "It carries more than it may: what it carries there is too long, too large or too deep.",
        "Shorten what stands there and send it again: the event by its producer, a campaign's folder by a new upload.",
    ),
    Code.UNKNOWN_CHANNEL: Meaning(
        "It names a channel that this version does not have: a newer one wrote it, or somebody else.",
        "Deploy the version that has the channel, then redrive with --parked.",
    ),
    Code.BAD_FIELD: Meaning("A field is not of the kind that it must be.", AGAIN),
    Code.BAD_ADDRESS: Meaning("An address in it is none that can be written to.", AGAIN),
    Code.BAD_TIME: Meaning("A time in it, such as the one at which it expires, is not an ISO 8601 time.", AGAIN),
    Code.NO_TIME_ZONE: Meaning("The time at which it expires has no time zone.", AGAIN),
    Code.MALFORMED_EVENT: Meaning("It lacks a field that every event of EventBridge has.", AGAIN),
    Code.MALFORMED_DETAIL: Meaning(
        "A field of its detail is missing, unknown or wrong; what a RecipientUpdated says beside that holds already.",
        AGAIN,
    ),
    Code.UNKNOWN_EVENT: Meaning(
        "It is neither SendRequested nor RecipientUpdated, and no trigger asked for it.",
        "Check which rule of the bus puts it into the queue; a message of its own needs a [trigger] in message.toml.",
    ),
    Code.UNKNOWN_MESSAGE: Meaning(
        "A trigger names a message that is not in the deployed catalogue.",
        "Build and deploy again, so that rules and messages are of one version; then redrive with --parked.",
    ),
    Code.NO_TRIGGER: Meaning(
        "A rule sends it to a message that has no trigger any more.",
        "Deploy again, so that the rule goes; or give the message its trigger back and redrive with --parked.",
    ),
    Code.MISSING_RECIPIENT_ID: Meaning("It names neither a recipient nor an address to send to.", AGAIN),
    Code.BAD_RECIPIENT_ID: Meaning("Its recipient id is missing, or not 1 to 128 of A-Z a-z 0-9 _ -.", AGAIN),
    Code.BAD_RECIPIENTS: Meaning(
        "Some of the people that it names cannot be read; the others have gone on.",
        "Mend the producer and let it send an event with the missing people; this one can be deleted.",
    ),
    Code.ADDRESS_OF_SEVERAL: Meaning(
        "It names several people and carries an address, which can only be that of one.",
        "Remove email and phone from the message's [trigger], deploy, and redrive with --parked.",
    ),
    Code.UNREADABLE_PROVIDER_EVENT: Meaning(
        "An event about a message of ours cannot be read.",
        "If the provider has changed its format, update Heliograph and redrive with --parked. An app that reports "
        "PushOpened must hand back the data of the push unchanged.",
    ),
    Code.FILE_MISSING: Meaning(
        "A file that it needs is not in the bucket, such as the campaign's segment.",
        "Upload the file beside campaign.toml, then redrive with --parked, or submit the campaign folder again.",
    ),
    Code.FILE_TOO_LARGE: Meaning(
        "The file is larger than one upload may be.",
        "Make several files of it, and upload each: nothing of this one was taken.",
    ),
    Code.TOO_MANY_ROWS: Meaning(
        "The file has more rows than one import can save; what was saved of it stays.",
        "Upload the rest in parts; this message can be deleted.",
    ),
    Code.NO_HEADER: Meaning("The file is empty or has no header.", UPLOAD),
    Code.BAD_HEADER: Meaning("The header of the file cannot be read.", UPLOAD),
    Code.NO_COLUMN: Meaning("The file has no column recipient_id.", UPLOAD),
    Code.DOUBTFUL_COLUMN: Meaning(
        "A column is nearly one that is known, so that its cells might be lost as attributes: nobody was saved.",
        "Rename the column and upload the file again, or put allow = true into the .toml file beside it.",
    ),
    Code.NO_ROWS: Meaning("The file has no row that can be read.", UPLOAD),
    Code.OPEN_QUOTE: Meaning("A quote is not closed, and the rows below are taken for its text.", UPLOAD),
    Code.DOUBTFUL_ENCODING: Meaning("The file is not UTF-8, nor anything else for certain.", UPLOAD),
    Code.BAD_SETTINGS: Meaning(
        "A field of the .toml file beside the file of people is unknown or wrong: nobody was saved.",
        "Correct it, then upload the file of people again; this message can be deleted.",
    ),
    Code.BAD_CAMPAIGN_NAME: Meaning("The campaign's folder has a name that cannot be an identifier.", UPLOAD),
    Code.BAD_MANIFEST: Meaning("A field of campaign.toml is missing, unknown or wrong.", UPLOAD),
    Code.CAMPAIGN_MESSAGE_UNKNOWN: Meaning(
        "The campaign's message is not in the deployed catalogue.",
        "Deploy the message, or correct `message` in campaign.toml; then submit the campaign folder again.",
    ),
    Code.SEGMENT_ELSEWHERE: Meaning("The campaign names a segment outside of its own folder.", UPLOAD),
    Code.UPLOADED_TOO_OFTEN: Meaning(
        "The folder was uploaded more often than its runs are kept.",
        "Use a folder of another name, or `again = true` in campaign.toml.",
    ),
    Code.EARLIER_RUN_STOPPED: Meaning(
        "An earlier run of the campaign stopped half-way, and nobody can tell whom it has reached.",
        "Let the earlier run go on: mend what it stopped for and redrive it with --parked. Then upload this folder.",
    ),
    Code.BAD_QUESTION: Meaning("The question cannot be read.", "Correct it and ask again."),
    Code.NOT_KEPT: Meaning(
        "What the decision was made of was not kept.", "There is nothing to do: the decision itself stands."
    ),
}
"""What each code means; a test holds this list and what is raised against each other."""

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
    "raw": Fault(
        "provider_events_failed",
        "What a provider told within a minute could not be written down within all tries.",
        _tried("record", "the same event counts once; the object is kept for seven days."),
    ),
    **{
        f"outbox-{channel}": Fault(
            f"{channel}_failed",
            f"These {spec(channel).noun} were not all taken within all tries: "
            "the provider refused or stood still, or a table did.",
            _tried(f"deliver-{channel}", "who was sent to already, or is in doubt, is not sent to again."),
        )
        for channel in CHANNELS
    },
}
"""Work that failed on every try, by the start of its queue's name."""

UNDELIVERED = Fault(
    "not_handed_over",
    "EventBridge could not hand it to its queue.",
    "Check that the queue and its policy are as deployed; then let the producer send the event again.",
)
UNCOUNTED = Fault(
    "not_counted",
    "These changes could not be counted within all tries, and the sums of the runs of that time lack them.",
    "Mend the cause: see the log of /aws/lambda/<stack>-tally. Then `heliograph campaign recount RUN --repair` for "
    "every run that was sent then; this one can be deleted.",
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


def parked(code: Code | str) -> Fault:
    """The fault of a message that was parked; one that an older version parked has no code."""
    known = Code(code) if code in REFUSED else Code.UNREADABLE
    return Fault(known.value, *REFUSED[known])


def failed(queue: str) -> Fault:
    """The fault of work that failed on every try."""
    return next((fault for start, fault in FAILED.items() if queue.startswith(start)), PUT_THERE)
