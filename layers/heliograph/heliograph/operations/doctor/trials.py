"""What the doctor sends through a stack, and how it must end. Nobody of these people exists."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from heliograph.operations.doctor.findings import Finding, well, wrong

PAUSE = timedelta(seconds=90)  # long enough that it is scheduled, not sent
PLANNED_AGAIN = PAUSE + timedelta(minutes=2)  # in the next full minute, by the tick within it
FAR = timedelta(minutes=15)  # what is scheduled later is not waited for
ENDED_BADLY = ("failed", "skipped", "bounced", "undelivered", "complained", "unknown")
"""States of a message that is not expected to end so."""

Json = Mapping[str, Any]


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the deployment that can be sent to simulators, with the data of its sample."""

    name: str
    topic: str
    channels: tuple[str, ...]
    data: Json
    attributes: Json


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one person who does not exist."""

    check: str
    person: str
    message: Chosen
    profile: Json
    """What `RecipientUpdated` says of them."""
    wanted: str
    """The state that the message must come to."""
    by_campaign: bool = False
    due: datetime | None = None
    """When it may be sent at the earliest."""


def choose(catalogue: Json, templates: Path, *, purpose: str, channel: str, name: str = "") -> Chosen | None:
    """The first message of a purpose that a channel carries and nothing follows; or the one of that name."""
    fitting = [
        each
        for each in catalogue.get("messages", {}).values()
        if each.get("purpose") == purpose and channel in each.get("channels", ()) and not each.get("fallback")
    ]
    first = min(fitting, key=lambda message: (message["name"] != name, message["name"]), default=None)
    return first and _with_sample(first, templates)


def _with_sample(message: Json, templates: Path) -> Chosen:
    """A message of the catalogue, with the sample that its folder holds."""
    sample = templates / "messages" / message["name"] / "sample.json"
    said = json.loads(sample.read_text(encoding="utf-8-sig")) if sample.is_file() else {}
    return Chosen(
        name=message["name"],
        topic=message.get("topic", ""),
        channels=tuple(message["channels"]),
        data=said.get("data", {}),
        attributes=said.get("recipient", {}),
    )


def person_of(stamp: str, who: str) -> str:
    """The id of one of these people."""
    return f"doctor-{stamp}-{who}"


def profile_of(person: str, message: Chosen, **address: Any) -> Json:
    """What `RecipientUpdated` says of somebody with an address."""
    return {"recipient_id": person, "attributes": dict(message.attributes), **address}


def judge(trial: Trial, entries: Sequence[Json], now: datetime) -> Finding | None:
    """What became of a trial, from the entries of its person's timeline, newest first; None while it is on its way."""
    if not entries:
        return None
    latest = entries[0]
    state, waits = latest["state"], latest.get("until")
    if state == trial.wanted:
        return well(trial.check, f"{trial.message.name} by {latest['channel']}: {state}")
    if waits and datetime.fromisoformat(waits) - now > FAR:
        return well(
            trial.check, f"{trial.message.name} is scheduled for {waits}, as the policy says; it is not waited for"
        )
    if state in ENDED_BADLY:
        because = f" ({latest['reason']})" if latest.get("reason") else ""
        says = f"{trial.message.name} is {state}{because}, not {trial.wanted}"
        return wrong(trial.check, says, f"heliograph why {trial.person} --message {trial.message.name}")
    return None


def overdue(trial: Trial, entries: Sequence[Json]) -> Finding:
    """What is said of a trial that went no further."""
    reached = f"it got as far as {entries[0]['state']}" if entries else "nothing was decided"
    mend = "Look at the queues and dead letters (`heliograph status`, `heliograph dead-letters list`) and the logs."
    return wrong(trial.check, f"{trial.message.name} is not {trial.wanted}: {reached}", mend)


def manifest(message: Chosen) -> str:
    """The manifest of a campaign with a message and the data of its sample."""
    return f"message = {_toml(message.name)}\ndata = {_toml(message.data)}\n"


def _toml(value: Any) -> str:
    """A value as TOML, where JSON would be read otherwise; what is null is left out."""
    if isinstance(value, Mapping):
        said = (f"{_toml(str(key))} = {_toml(each)}" for key, each in value.items() if each is not None)
        return f"{{{', '.join(said)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(each) for each in value if each is not None)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
