"""The demo, step by step: start, import, events, campaign, reactions, figures."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from heliograph.operations.replay.decisions import Finding, Replayed
from heliograph.operations.replay.work import replay_run
from heliograph.people.importing.work import Terms, import_file
from heliograph_cli import adapters
from heliograph_cli import target as targets
from heliograph_cli.commands.outbox import call, fetch
from heliograph_cli.compiled import policy
from heliograph_cli.demo import reactions
from heliograph_cli.demo.checks import Check, Expected, by_phone, checks, decided_again
from heliograph_cli.demo.orders import Event, Orders, orders
from heliograph_cli.demo.population import SEED, population, write
from heliograph_cli.demo.steps import step
from heliograph_cli.local import cloud
from heliograph_cli.runs import checked_folder, submit_folder
from heliograph_cli.stack import Stack, ask, stack_at
from heliograph_cli.target import Target
from heliograph_cli.waiting import POLL_LOCAL, until_still

FILES = cloud.ROOT / "build" / "demo"
ENTRIES = 10  # PutEvents
LANES = 8
PATIENCE = 60.0  # seconds without any progress

Message = dict[str, Any]


@dataclass(frozen=True)
class Demo:
    """What the demo came to."""

    stack: Stack
    figures: dict[str, Any]
    checks: list[Check]
    events: int
    by_phone: dict[str, Counter[str]]
    """The states of the SMS and pushes of the product events."""
    work_seconds: float
    """From the first event until the run was complete and every event a message."""
    somebody: str


def run(port: int | None = None) -> Demo:
    """Everything, from nothing to the figures; raises Trouble when a step cannot be done."""
    made = population()
    stack = _start(port)
    people, folder = write(FILES, made, edition=datetime.now(UTC).isoformat())
    _import(stack, people)
    now = datetime.now(UTC)
    shop = orders(made.people, seed=SEED, edition=f"{now:%d%H%M%S}", now=now)
    began = time.monotonic()
    _tell(stack, shop)
    figures = _campaign(stack, folder)
    outbox = _outbox(stack.target, shop, since=now)
    work_seconds = time.monotonic() - began
    mails = [each for each in outbox if each["channel"] == "email" and each["tags"].get("run_id") == figures["run_id"]]
    tapped = reactions.taps(outbox, shop.pushed)
    reacted = _react(stack.target, mails, tapped, shop)
    expected = Expected(
        audience=len(made.segment),
        rejected=len(made.malformed_segment),
        messages_of_events=shop.expected,
        engagement=reactions.expected(mails, reacted),
        texts=len(shop.texted),
        pushes=len(shop.pushed),
        pushes_opened=len(tapped),
    )
    figures = _settle(stack, figures["run_id"], outbox, expected)
    phones = _by_phone(stack, shop, expected)
    again = _replay(stack, figures["run_id"])
    return Demo(
        stack=stack,
        figures=figures,
        checks=[*checks(figures, outbox, expected), *by_phone(phones, expected), *decided_again(again, expected)],
        by_phone=phones,
        events=len(shop.events) + figures["audience"],
        work_seconds=work_seconds,
        somebody=reactions.somebody(reacted, mails, shop.customers),
    )


def _start(port: int | None) -> Stack:
    with step("Start the local cloud and deploy the stack") as say:
        running = cloud.up(port=port, state_file=cloud.STATE, progress=say)
        stack = stack_at(Target(running.stack, running.region, running.endpoint))
        say(f"stack {running.stack} at {running.endpoint}")
    return stack


def _import(stack: Stack, people: Path) -> None:
    with step("Import recipients") as say:
        save = adapters.recipients(stack).save_many
        size, at = people.stat().st_size, datetime.now(UTC)

        def advance(position: int) -> None:
            say(f"{100 * position // size}%")

        terms = Terms(name=people.name, policy=policy(), at=at)
        summary = import_file(people, save, terms, advance=advance)
        say(f"{summary.saved:,} saved; {summary.refused_rows} rows and {summary.refused_fields} fields refused")


def _tell(stack: Stack, shop: Orders) -> None:
    with step("Put product events on the bus") as say:
        rest = iter(shop.events)
        packs = list(iter(lambda: list(islice(rest, ENTRIES)), []))
        with ThreadPoolExecutor(LANES) as workers:
            refused = sum(workers.map(lambda pack: _put(stack, pack), packs))
        say(f"{len(shop.events):,} events, some of them twice, some malformed; {refused} refused by the bus")


def _put(stack: Stack, pack: Sequence[Event]) -> int:
    entries: Any = [{**each, "EventBusName": stack.bus, "Detail": json.dumps(each["Detail"])} for each in pack]
    return targets.events(stack.target).put_events(Entries=entries)["FailedEntryCount"]


def _campaign(stack: Stack, folder: Path) -> dict[str, Any]:
    with step("Upload the campaign folder") as say:
        run_id = submit_folder(stack, checked_folder(folder)).run_id
        say(f"run {run_id}")
    with step("Wait until the run is complete") as say:

        def complete() -> tuple[dict[str, Any], bool]:
            figures: dict[str, Any] = ask(stack, "status", run_id=run_id)
            say(f"{figures['audience'] - figures['pending']:,} of {figures['audience']:,} people")
            return figures, figures["state"] != "running"

        return until_still(complete, patience=PATIENCE, most=POLL_LOCAL)


def _outbox(target: Target, shop: Orders, *, since: datetime) -> list[Message]:
    """What left since the first event, as soon as every event has become its message."""
    start = since.isoformat(timespec="milliseconds")
    with step("Wait until every event is a message") as say:
        sent: list[Message] = []

        def arrived() -> tuple[int, bool]:
            sent[:] = [message for message in fetch(target) if message["sent_at"] >= start]
            number = len({each["tags"].get("dispatch_id") for each in sent if not each["tags"].get("run_id")})
            say(f"{number:,} of {shop.expected:,}")
            return number, number >= shop.expected

        until_still(arrived, patience=PATIENCE, most=POLL_LOCAL)
    return sent


def _react(target: Target, mails: Sequence[Message], tapped: Sequence[Message], shop: Orders) -> list[Message]:
    """The reactions to the campaign's mails; the pushes are of product events."""
    with step("Let people open, click, tap, bounce and complain") as say:
        reacted = reactions.reactions(mails, spared=shop.customers, seed=SEED)
        call(target, "engage", [*reacted, *tapped])
        say(f"{len(reacted)} reactions to mails, {len(tapped)} to pushes")
    return reacted


def _settle(stack: Stack, run_id: str, outbox: Sequence[Message], expected: Expected) -> dict[str, Any]:
    """The figures, as soon as they hold what was made."""
    with step("Wait until the figures have it"):

        def hold() -> tuple[dict[str, Any], bool]:
            figures = ask(stack, "status", run_id=run_id)
            return figures, all(check.holds for check in checks(figures, outbox, expected))

        return until_still(hold, patience=PATIENCE, most=POLL_LOCAL)


def _by_phone(stack: Stack, shop: Orders, expected: Expected) -> dict[str, Counter[str]]:
    """The states of the shop's SMS and pushes, as soon as the timelines hold what was made."""
    asked = {"sms": (shop.texted, "order_shipped"), "push": (shop.pushed, "delivery_today")}
    with step("Wait until the timelines have SMS and push") as say, ThreadPoolExecutor(LANES) as workers:

        def hold() -> tuple[dict[str, Counter[str]], bool]:
            states = {}
            for channel, (people, message) in asked.items():
                found = workers.map(lambda person, wanted=message: _latest(stack, person, wanted), people)
                states[channel] = Counter(state for through, state in found if through == channel)
            say(", ".join(f"{states[channel].total()} by {channel}" for channel in asked))
            return states, all(check.holds for check in by_phone(states, expected))

        return until_still(hold, patience=PATIENCE, most=POLL_LOCAL)


def _latest(stack: Stack, person: str, message: str) -> tuple[str, str]:
    """The channel and state of the latest decision about a message to somebody."""
    entries = [each for each in ask(stack, "timeline", recipient_id=person)["entries"] if each["message"] == message]
    return (entries[0]["channel"], entries[0]["state"]) if entries else ("", "")


def _replay(stack: Stack, run_id: str) -> Replayed:
    with step("Make every decision of the run again") as say:
        again = replay_run(adapters.bucket(stack), adapters.ledger(stack), run_id, progress=lambda _: None)
        say(f"{again.counts[Finding.SAME]:,} of {again.decisions:,} the same")
    return again
