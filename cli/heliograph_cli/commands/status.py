"""`heliograph status`: what runs where, what waits and what was put aside, and the links that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from heliograph.text.quantities import counted
from heliograph_cli import adapters
from heliograph_cli import target as targets
from heliograph_cli.commands.outbox import page_url
from heliograph_cli.console import answer, bold, facts, stacked, whole
from heliograph_cli.failures import No
from heliograph_cli.options import common_options, example
from heliograph_cli.stack import Stack, ask, link, links_open, stack_at

if TYPE_CHECKING:
    from rich.console import Group

STOPPED = "Nothing is running here. Start the local cloud with `heliograph up`, or name AWS with --profile or --aws."
WHERE = ("endpoint", "region", "stack", "bus", "bucket")


@click.command(epilog=example("heliograph status --json"))
@common_options
def status() -> None:
    """Show which Heliograph is in use, what waits in queues or for approval, and what failed."""
    try:
        target = targets.chosen()
    except targets.Nowhere:
        answer(_nothing("stopped"), STOPPED)
        return
    except targets.Gone as gone:
        answer(_nothing("gone", gone.endpoint))
        raise No(gone.message) from None
    stack = stack_at(target)
    told = _shape("running" if target.is_local else "deployed", stack)
    answer(told, _shown(told, stack))


def _shown(told: dict[str, Any], stack: Stack) -> Group:
    """Links last, whole, one a line."""
    queues = told["queues"]
    waiting = {name: each for name, each in queues.items() if any(each.values())}
    rows = {name: told[name] or "-" for name in WHERE}
    rows["queues"] = "\n".join(f"{name}: {_work(each)}" for name, each in waiting.items()) or "nothing waits"
    waits = told["awaiting_approval"]
    rows["for approval"] = f"{counted(waits, 'pack')}: heliograph approvals list" if waits else "nothing"
    batch = told["dead_letters"]
    put_aside = ", ".join(f"{number:,} in {name}" for name, number in batch.items())
    rows["dead letters"] = f"{put_aside}: heliograph dead-letters show" if batch else "none"
    links = [whole(f"{name:12}  {url or '-'}") for name, url in told["links"].items()]
    opens = [f"The report's link opens for {links_open(stack)}."] if told["links"]["report"] else []
    return stacked(bold(f"Heliograph is {told['state']}: {stack.target}"), facts(rows), *links, *opens)


def _work(queue: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in queue.items() if number)


def _nothing(state: str, endpoint: str = "") -> dict[str, Any]:
    links = {"outbox": "", "report": ""}
    nowhere = dict.fromkeys(WHERE, "") | {"endpoint": endpoint}
    return {"state": state, **nowhere, "links": links, "queues": {}, "awaiting_approval": 0, "dead_letters": {}}


def _shape(state: str, stack: Stack) -> dict[str, Any]:
    from heliograph.operations.dead_letters.store import queues

    target = stack.target
    found = queues(targets.sqs(target), target.stack)
    return {
        "state": state,
        "endpoint": target.endpoint,
        "region": targets.s3(target).meta.region_name,
        "stack": target.stack,
        "bus": stack.bus,
        "bucket": stack.bucket,
        "links": {"outbox": page_url(target) if target.is_local else "", "report": _latest_report(stack)},
        "queues": {each.queue: each.work._asdict() for each in found},
        "awaiting_approval": len(adapters.approvals(stack).listed()),
        "dead_letters": {each.queue: each.number for each in found if each.number},
    }


def _latest_report(stack: Stack) -> str:
    """A link to the report of the latest run, written anew; empty when no campaign has run."""
    runs = sorted(ask(stack, "runs"), key=lambda run: str(run["started_at"]))
    return link(stack, ask(stack, "report", run_id=runs[-1]["run_id"])["html_key"]) if runs else ""
