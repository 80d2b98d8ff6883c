"""`heliograph status`: what runs where, and the links that matter."""

from __future__ import annotations

from typing import Any

import click

from heliograph_cli import target as targets
from heliograph_cli.commands.outbox import page_url
from heliograph_cli.console import answer
from heliograph_cli.options import common_options, example
from heliograph_cli.stack import Stack, ask, link, stack_at
from heliograph_cli.target import Target

STOPPED = "Nothing is running here. Start the local cloud with `heliograph up`, or name a stack on AWS with --profile."


@click.command(epilog=example("heliograph status --json"))
@common_options
def status() -> None:
    """Show which Heliograph is in use, its bus, its bucket and its pages."""
    target = targets.chosen()
    if not target.is_local and not targets.is_explicit():
        answer(_shape("stopped"), STOPPED)
        return
    stack = stack_at(target)
    state = "running" if target.is_local else "deployed"
    told = _shape(state, stack)
    answer(told, _lines(told, target))


def _lines(told: dict[str, Any], target: Target) -> str:
    """One thing a line, so that links stay whole."""
    facts = {name: told[name] for name in ("endpoint", "region", "stack", "bus", "bucket")} | told["links"]
    return "\n".join(
        [f"Heliograph is {told['state']}: {target}", *(f"{name:9} {facts[name] or '-'}" for name in facts)]
    )


def _shape(state: str, stack: Stack | None = None) -> dict[str, Any]:
    if stack is None:
        empty = dict.fromkeys(("endpoint", "region", "stack", "bus", "bucket"), "")
        return {"state": state, **empty, "links": {"outbox": "", "report": ""}}
    target = stack.target
    return {
        "state": state,
        "endpoint": target.endpoint,
        "region": targets.s3(target).meta.region_name,
        "stack": target.stack,
        "bus": stack.bus,
        "bucket": stack.bucket,
        "links": {"outbox": page_url(target) if target.is_local else "", "report": _latest_report(stack)},
    }


def _latest_report(stack: Stack) -> str:
    """A link to the report of the latest run, written anew; empty when no campaign has run."""
    runs = sorted(ask(stack, "runs"), key=lambda run: str(run["started_at"]))
    return link(stack, ask(stack, "report", run_id=runs[-1]["run_id"])["html_key"]) if runs else ""
