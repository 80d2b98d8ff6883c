"""Answers about runs and people: figures, pages, a person's timeline, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import accumulate, islice
from typing import Any

import msgspec

from heliograph.channels.addresses import EMAIL, PHONE
from heliograph.model.channels import Channel
from heliograph.model.decisions import NO_DISPATCH, Verdict
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Message
from heliograph.model.outcomes import Facts, RecordKey
from heliograph.model.runs import Run
from heliograph.model.values import JsonObject
from heliograph.recording.facts import Fact, cause_of, state_of
from heliograph.reporting import pages
from heliograph.reporting.figures import RunFigures, figures
from heliograph.reporting.statements import statements
from heliograph.reporting.why import work
from heliograph.runtime import wiring
from heliograph.tallying.sums import Sums
from heliograph.text.errors import NotFoundError
from heliograph.text.ids import address_recipient_id
from heliograph.text.zones import best_zone, zones_of

ON_A_TIMELINE = 100  # decisions of one answer
ANSWER_BYTES = 4_000_000  # of entries; Lambda hands over 6 MB, in which a character beyond ASCII may take six bytes


def runs() -> list[JsonObject]:
    """The runs, newest first; of those that were not seen complete yet the sums are read."""
    return [
        {
            "run_id": run.run_id,
            "campaign": run.campaign,
            "state": _state(run),
            "started_at": run.started_at,
            "uploads": run.uploads,
        }
        for run in wiring.runs().latest()
    ]


def status(run_id: str) -> RunFigures:
    """A run in figures, seconds late."""
    sums = wiring.sums().of_run(run_id)  # before the run: its audience is known before anybody in it can be counted
    return _figures(_run(run_id), sums)


def report(run_id: str) -> JsonObject:
    """Write the report of a run into the bucket: a page, and the same figures as JSON."""
    sums = status(run_id)
    html_key, json_key = f"reports/{run_id}.html", f"reports/{run_id}.json"
    wiring.bucket().write(html_key, pages.report_page(sums).encode(), "text/html; charset=utf-8")
    wiring.bucket().write(json_key, msgspec.json.format(msgspec.json.encode(sums)), "application/json")
    return {"figures": sums, "html_key": html_key, "json_key": json_key}


def timeline(recipient_id: str, *, before: str = "") -> JsonObject:
    """What was decided about a person and what came of it, newest first; the newest also as a page in the bucket.

    `before` is where to go on when there is more than fits into one answer, and None when there is not.
    """
    entries, more = _entries(recipient_id, before)
    found: JsonObject = {"recipient_id": recipient_id, "entries": entries, "before": more}
    if before:
        return found
    person = wiring.recipients().get_many([recipient_id]).get(recipient_id)
    zone = best_zone(zones_of(person) if person else {}, wiring.templates().policy.default_timezone).zone
    html_key = f"reports/timeline/{recipient_id}.html"
    wiring.bucket().write(html_key, pages.timeline_page(found, zone=zone).encode(), "text/html; charset=utf-8")
    return found | {"html_key": html_key}


def why(
    recipient_id: str,
    message: str | None = None,
    run_id: str | None = None,
    at: datetime | None = None,
    *,
    name: str | None = None,
) -> JsonObject:
    """The decision on a person that was in force at a time, and all that it was made of.

    It may have to be of a message, of a run, or asked for under a name: an event's id, its key or its reference.
    """
    fitting = [
        entry
        for entry in wiring.ledger().timeline(recipient_id)
        if message in (None, entry.message)
        and run_id in (None, entry.run_id)
        and (name is None or entry.cause.is_called(name))
        and (at is None or entry.decided_at <= at)
    ]
    if not fitting:
        about = " ".join(
            [
                *([f"about {message}"] if message else []),
                *([f"in run {run_id}"] if run_id else []),
                *([f"under the name {name}"] if name else []),
            ]
        )
        until = f"until {at.isoformat(timespec='seconds')}" if at else ""
        what = " ".join(f"Nothing was ever decided {about} {until} for this person".split())
        raise NotFoundError(f"{what}.", f"All that was: heliograph timeline {recipient_id}")
    latest = max(fitting, key=lambda entry: (entry.decided_at, entry.dispatch_id))
    (told,) = _told([latest])
    return {"recipient_id": recipient_id, **told, **work.replayed(latest)}


def decide(recipient_id: str, message: str, at: datetime | None = None) -> JsonObject:
    """What would be decided now, or at a time, on a message to a person; it has no effect."""
    return work.would_be(recipient_id, _message(message), at or wiring.now())


def find(address: str) -> JsonObject:
    """Everybody who has an e-mail address or a phone number, by their ids."""
    kind = EMAIL if "@" in address else PHONE
    canonical = kind.read(address, wiring.templates().policy.default_region)
    known, guest = wiring.recipients().by_address(kind, canonical), address_recipient_id(canonical)
    was_written_to = any(islice(wiring.ledger().timeline(guest), 1))
    return {"recipient_ids": sorted(known), "guest_id": guest if was_written_to else None}


def named(name: str) -> JsonObject:
    """What was asked for under a reference or an idempotency key, the newest first, and the runs of that reference."""
    requests = wiring.ledger().found(name)
    runs = [run for run in wiring.runs().latest() if run.reference == name]
    if not (requests or runs):
        raise NotFoundError(
            f"Nothing was asked for under the name {name}.",
            'An event\'s own id is a name only where the trigger says so: reference = "id".',
        )
    return {
        "name": name,
        "requests": [
            {
                "recipient_id": person,
                "request_id": request,
                "entries": _told(wiring.ledger().of_request(person, request)),
            }
            for person, request in requests
        ],
        "runs": [{"run_id": run.run_id, "campaign": run.campaign, "started_at": run.started_at} for run in runs],
    }


def _message(name: str) -> Message:
    messages = wiring.templates().messages
    if name not in messages:
        raise NotFoundError(f"There is no message {name}.", f"Deployed are {', '.join(sorted(messages))}.")
    return messages[name]


def _run(run_id: str) -> Run:
    run = wiring.runs().get(run_id)
    if run is None:
        raise NotFoundError(f"There is no run {run_id}.", _instead(run_id))
    return run


def _instead(name: str) -> str:
    """What to ask for when there is no such run: the newest one of a campaign that has this name."""
    newest = next((run.run_id for run in wiring.runs().latest() if run.campaign == name), None)
    return f"{name} is a campaign; its newest run is {newest}." if newest else "`heliograph campaign list` shows them."


def _figures(run: Run, sums: Sums) -> RunFigures:
    found = figures(run, sums)
    if found.state == "complete" and not run.complete:
        wiring.runs().complete(run.run_id)
    return found


def _state(run: Run) -> str:
    """A list may be a moment late: reading what is a moment old costs half."""
    if run.complete:
        return "complete"
    return _figures(run, wiring.sums().of_run(run.run_id, consistent=False)).state


def _entries(recipient_id: str, before: str) -> tuple[list[JsonObject], str | None]:
    """As many entries as fit into an answer, and after which the next ones come."""
    newest = list(islice(wiring.ledger().timeline(recipient_id, before=before), ON_A_TIMELINE))
    told = _told(newest)
    sizes = accumulate(len(msgspec.json.encode(each)) for each in told)
    fitting = max(1, sum(size <= ANSWER_BYTES for size in sizes))
    more = fitting < len(told) or len(newest) == ON_A_TIMELINE
    return sorted(told[:fitting], key=lambda each: each["decided_at"], reverse=True), (
        newest[fitting - 1].dispatch_id if more else None
    )


def _told(decisions: Iterable[LedgerEntry]) -> list[JsonObject]:
    """Decisions with what came of them."""
    entries = list(decisions)
    facts = wiring.records().read(_record_of(entry) for entry in entries if entry.outcome not in NO_DISPATCH)
    return [_entry(entry, facts.get(_record_of(entry), {}).get(entry.slot, {})) for entry in entries]


def _record_of(entry: LedgerEntry) -> RecordKey:
    return RecordKey(entry.run_id, entry.pack_id, Channel(entry.channel))


def _entry(entry: LedgerEntry, facts: Facts) -> JsonObject:
    dispatched = entry.outcome not in NO_DISPATCH
    return {
        "dispatch_id": entry.dispatch_id,
        "message": entry.message,
        "version": entry.version,
        "channel": entry.channel or None,
        "outcome": _outcome(entry),
        "at_delivery": entry.outcome is Verdict.SKIPPED_AT_DELIVERY,
        "reason": entry.reason or None,
        "missing": entry.detail or None,
        "state": state_of(facts) if dispatched else entry.outcome,
        "cause": cause_of(facts) or None,
        "run_id": entry.run_id or None,
        "decided_at": entry.decided_at,
        "events": {kind: value.at for kind, value in facts.items()},
        **_receipt(facts),
        "rules": statements(entry.tried, _topic(entry.message)),
        "policy": entry.policy,
        "zone": work.zone(entry.zone),
        "until": entry.until or None,
        "next_time": entry.next_time or None,
        "event_id": entry.cause.event_id or None,
        "idempotency_key": entry.cause.idempotency_key or None,
        "reference": entry.cause.reference or None,
    }


def _receipt(facts: Facts) -> JsonObject:
    """The provider's id of the message, and which provider took it if that is not the channel's own."""
    if Fact.ACCEPTED not in facts:
        return {"provider": None, "provider_message_id": None}
    accepted = facts[Fact.ACCEPTED]
    return {"provider": accepted.about or None, "provider_message_id": accepted.detail}


def _topic(message: str) -> str:
    """The topic of a message as it is deployed now; a message that is gone has none to name."""
    known = wiring.templates().messages.get(message)
    return known.topic if known else "this topic"


def _outcome(entry: LedgerEntry) -> Verdict:
    """What was skipped is skipped, or scheduled when it is planned again."""
    if entry.outcome is not Verdict.SKIPPED_AT_DELIVERY:
        return entry.outcome
    return Verdict.SCHEDULED if entry.until else Verdict.SKIPPED


def plain(answer: Any) -> Any:
    """An answer as Lambda returns it: nothing but JSON."""
    return msgspec.to_builtins(answer)


ACTIONS: Mapping[str, Callable[..., Any]] = {
    "runs": runs,
    "status": status,
    "report": report,
    "timeline": timeline,
    "why": why,
    "decide": decide,
    "find": find,
    "named": named,
}
"""Questions by their names."""
