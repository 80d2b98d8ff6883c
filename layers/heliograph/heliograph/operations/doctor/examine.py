"""Look at a deployment, check after check; what cannot be looked at is a finding, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from heliograph.aws.errors import NOT_ALLOWED, THROTTLED
from heliograph.channels import registry
from heliograph.operations.doctor import functions, rights, watching
from heliograph.operations.doctor.channel import Check
from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, State, unknown

What = TypeVar("What")

OF_THE_STACK: Mapping[str, Check] = {
    "stack": functions.stack,
    "functions": functions.functions,
    "concurrency": functions.concurrency,
    "queues": functions.mappings,
    "recursion": functions.recursion,
    "rights": rights.rights,
}
"""What is told before the channels. A check that finds something wrong says that it is well no more."""
OF_WATCHING: Mapping[str, Check] = {
    "schedules": watching.schedules,
    "alarms": watching.alarms,
    "alarm topic": watching.listeners,
    "dead letters": watching.dead_letters,
}


def checks_of(deployment: Deployment) -> dict[str, Check]:
    """The checks of a deployment with its channels, in the order in which they are told."""
    doctors = filter(None, map(registry.doctor, deployment.channels))
    return {**OF_THE_STACK, **{name: check for each in doctors for name, check in each.checks.items()}, **OF_WATCHING}


def examine(deployment: Deployment, checks: Mapping[str, Check] | None = None) -> Iterator[Finding]:
    """All findings, each as soon as it is there."""
    for name, check in (checks_of(deployment) if checks is None else checks).items():
        yield from _looked(name, check, deployment)


def _looked(name: str, check: Check, deployment: Deployment) -> list[Finding]:
    found = list(told(name, check(deployment)))
    bad = any(each.state in (State.WRONG, State.UNKNOWN) for each in found)
    return [each for each in found if not (bad and each.state is State.WELL)]


def told(name: str, found: Iterable[What]) -> Iterator[What | Finding]:
    """What is found until something cannot be looked at, and then why not."""
    try:
        yield from found
    except (BotoCoreError, ClientError) as error:
        yield untold(name, error)


def untold(name: str, error: BotoCoreError | ClientError) -> Finding:
    """Why something could not be looked at."""
    if not isinstance(error, ClientError):
        mend = "Run it again; if it stays, the region may have no such service."
        return unknown(name, f"it did not answer ({type(error).__name__})", mend)
    code, operation = error.response["Error"].get("Code", ""), error.operation_name
    if code in NOT_ALLOWED:
        return unknown(
            name, f"these credentials may not call {operation}", "docs/doctor.md lists the rights that it needs."
        )
    if code in THROTTLED:
        return unknown(name, f"{operation} was throttled", "Run it again in a minute.")
    return unknown(
        name, f"{operation} was refused: {code}", "Run it again; if it stays, look it up in AWS's documentation."
    )
