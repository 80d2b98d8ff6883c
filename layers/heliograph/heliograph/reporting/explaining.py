"""Decisions in words that a support agent can read to a customer; times in the person's zone and in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from heliograph.model.decisions import Verdict
from heliograph.model.reasons import Reason
from heliograph.reporting.meanings import MEANINGS, ORDERS, ZONE_SOURCES
from heliograph.text.quantities import counted, span
from heliograph.text.zones import zone_of

Told = dict[str, Any]
"""A decision as the report function tells it."""

BY_THE_HOUR = frozenset({Reason.EXPIRED, Reason.WAITED_TOO_LONG, Reason.PAUSED, Reason.QUIET_HOURS})
UNWRITABLE = frozenset({Reason.MISSING_VARIABLE, Reason.TOO_LONG, Reason.UNSAFE_LINK})
CHECKED_AGAIN = "the rules were checked again just before delivery"
NAMES = {"event_id": "event", "idempotency_key": "key", "reference": "reference"}
"""What somebody who asked for a message calls it."""
NOT_SENT = frozenset({"failed", "unknown", "pending", "retry"})
"""States in which nobody can say that it was sent."""
STATES = {
    "accepted": "the provider accepted it",
    "failed": "the provider refused it for good",
    "unknown": "nobody can say whether the provider accepted it",
    "pending": "it is on its way",
    "retry": "the provider has not accepted it yet",
    "undelivered": "it could not be delivered",
    "delayed": "its delivery is delayed",
    "delivered": "it was delivered",
    "opened": "it was opened",
    "clicked": "it was clicked",
    "bounced": "it bounced",
    "complained": "the person complained about it",
}
"""What came of a dispatch."""


def decided(told: Told) -> list[str]:
    """A decision that was made, in sentences."""
    about = [f"policy {told['policy']}"] if told["policy"] else []
    about += [f"message version {told['version']}"] if told["version"] else []
    about += [f"run {told['run_id']}"] if told["run_id"] else []
    about += [f"{word} {told[name]}" for name, word in NAMES.items() if told.get(name)]
    made = f"Decided on {at(told['decided_at'], told)}" + (f": {', '.join(about)}." if about else ".")
    return [*_sentences(told, _outcome(told)), *_way(told), made, _again(told)]


def would_be(told: Told) -> list[str]:
    """What would be decided, in sentences."""
    when = at(told["at"], told)
    about = f"Asked for {when}: policy {told['policy']}, message version {told['version']}. Nothing was sent."
    return [*_sentences(told, _would(told)), about]


def foreseen(told: Told) -> str:
    """What would be decided, as the rest of a sentence."""
    text = _would({"next_time": None, **told})
    return text[:1].lower() + text[1:] if text.startswith(("It", "The")) else text


def came_of(told: Told) -> str:
    """What came of a dispatch, with the code of what did not go well, as the end of a sentence."""
    cause = f" ({told['cause']})" if told.get("cause") else ""
    return f"{STATES.get(told['state'], told['state'])}{cause}"


def reason(code: str, told: Told) -> str:
    """A reason as the end of a sentence."""
    if code == Reason.NO_ADDRESS and told["channel"]:
        return f"there is no address for {told['channel']}"
    if code == Reason.NOT_CONSENTED and told["channel"]:
        return f"no consent for this topic by {told['channel']}"
    meaning = MEANINGS.get(code, code.replace("_", " ")).rstrip(".")
    which = f" ({told['missing']})" if told.get("missing") else ""
    return meaning[:1].lower() + meaning[1:] + which


def at(text: str, told: Told) -> str:
    """A time in the person's zone and in UTC."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    zone = _zone(told)
    if zone is None or zone.key == "UTC":
        return f"{moment:%Y-%m-%d at %H:%M} (UTC)"
    return f"{moment.astimezone(zone):%Y-%m-%d at %H:%M} ({zone.key}; {moment:%Y-%m-%d %H:%M} UTC)"


def _sentences(told: Told, outcome: str) -> Iterator[str]:
    yield outcome
    if told["reason"] == Reason.NOT_CONSENTED and told["inputs"]:
        yield f"What the person said: {_consents(told['inputs'].get('consents', {}))}."
    if told["reason"] in BY_THE_HOUR and told["hours"]:
        yield f"Hours that did not permit it: {', '.join(told['hours'])}."
    for cap in told["caps"]:
        yield _cap(cap, told)
    if told["order"]:
        yield f"Order of the channels: {', '.join(map(_in_order, told['order']))}."
    if told["zone"]:
        yield f"Time zone: {told['zone']['name']}, {ZONE_SOURCES[told['zone']['source']]}."


def _outcome(told: Told) -> str:
    message, channel = told["message"], told["channel"]
    if told["at_delivery"]:
        but = "it could not be written" if told["reason"] in UNWRITABLE else CHECKED_AGAIN
        return f"{message} was to be sent by {channel}, but {but}: {reason(told['reason'], told)}.{_next(told)}"
    match told["outcome"]:
        case Verdict.DISPATCHED:
            was = "was to be sent" if told["state"] in NOT_SENT else "was sent"
            return f"{message} {was} by {channel}; {came_of(told)}."
        case Verdict.SCHEDULED:
            return f"{message} waits to be sent by {channel}: {reason(told['reason'], told)}.{_next(told)}"
        case _:
            return f"{message} was not sent: {reason(told['reason'], told)}.{_next(told)}"


def _way(told: Told) -> Iterator[str]:
    """Which channel was before it, and which is next."""
    if before := told.get("after"):
        yield f"It came after {before['channel']}, which {_not_enough(before)}."
    if following := told.get("next"):
        yield _following(following, told)


def _not_enough(before: Told) -> str:
    match before["state"]:
        case "failed":
            return f"was refused for good: {reason(before['reason'], before)}"
        case "skipped":
            return f"could not be sent any more: {reason(before['reason'], before)}"
        case "bounced" | "undelivered":
            return "came back"
        case _:
            return f"was not {before['unless']} within {span(before['within'])}"


def _following(following: Told, told: Told) -> str:
    channels = " or ".join(following["channels"])
    if following["decided_at"]:
        return f"The next step, {channels}, was decided on {at(following['decided_at'], told)}."
    if confirmed_by := following["confirmed_by"]:
        return f"No other channel is needed: {confirmed_by['channel']} {confirmed_by['kind']}."
    if following["until"]:
        return f"If it is not {following['unless']} until {at(following['until'], told)}, {channels} is next."
    return f"Next is {channels}, at once." if following["at_once"] else f"Next is {channels}."


def _would(told: Told) -> str:
    message, channel = told["message"], told["channel"]
    match told["outcome"]:
        case Verdict.DISPATCHED:
            return f"{message} would be sent by {channel}."
        case Verdict.SCHEDULED:
            return f"{message} would wait to be sent by {channel}: {reason(told['reason'], told)}.{_next(told)}"
        case _:
            return f"{message} would not be sent: {reason(told['reason'], told)}.{_next(told)}"


def _next(told: Told) -> str:
    if told["until"]:
        return f" It will be decided again on {at(told['until'], told)}."
    return f" The next one could go on {at(told['next_time'], told)}." if told["next_time"] else ""


def _cap(cap: Told, told: Told) -> str:
    kind = counted(cap["limit"], f"{cap['purpose']} message")
    about = f" about {cap['topic']}" if cap["topic"] else ""
    by = f" by {cap['channel']}" if cap["channel"] else ""
    most = f"At most {kind}{about}{by} {_span(cap['seconds'])}: {cap['used']} so far"
    return f"{most}, room again on {at(cap['free_at'], told)}." if cap["free_at"] else f"{most}."


def _span(seconds: int | None) -> str:
    if seconds is None:
        return "in a calendar day"
    return f"in {span(seconds)}"


def _consents(said: Told) -> str:
    each = (f"{key.replace('/', ' by ')}: {state.replace('_', ' ')}" for key, state in said.items())
    return ", ".join(each) or "nothing about this topic"


def _in_order(candidate: Told) -> str:
    fallback = f", fallback {candidate['fallback']}" if candidate["fallback"] else ""
    return f"{candidate['channel']} ({ORDERS[candidate['order']]}{fallback})"


def _again(told: Told) -> str:
    if told["replayed"] is None:
        return f"It cannot be replayed: {told['note']}."
    genuine = "" if told["genuine"] else " The inputs do not match the ledger."
    if not told["replayed"]:
        return f"Replayed from its inputs, {told['note']}.{genuine}"
    before = "what was decided before delivery" if told["at_delivery"] else "the decision"
    return f"Replayed from its inputs, {before} is the same.{genuine}"


def _zone(told: Told) -> ZoneInfo | None:
    return zone_of(told["zone"]["name"]) if told["zone"] else None
