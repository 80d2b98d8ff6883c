"""Look at a deployment, check after check; what cannot be looked at is a finding, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from botocore.exceptions import BotoCoreError, ClientError

from heliograph.aws.errors import NOT_ALLOWED, THROTTLED
from heliograph.operations.doctor import email, functions, push, rights, sms, watching
from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, State, unknown

Check = Callable[[Deployment], Iterable[Finding]]

CHECKS: Mapping[str, Check] = {
    "stack": functions.stack,
    "functions": functions.functions,
    "concurrency": functions.concurrency,
    "queues": functions.mappings,
    "recursion": functions.recursion,
    "rights": rights.rights,
    "email account": email.account,
    "email identity": email.identity,
    "email events": email.events,
    "sms account": sms.account,
    "sms sender": sms.identity,
    "sms events": sms.events,
    "push": push.credentials,
    "schedules": watching.schedules,
    "alarms": watching.alarms,
    "alarm topic": watching.listeners,
    "dead letters": watching.dead_letters,
}
"""In the order in which they are told. A check that finds something wrong says that it is well no more."""


def examine(deployment: Deployment, checks: Mapping[str, Check] = CHECKS) -> Iterator[Finding]:
    """All findings, each as soon as it is there."""
    for name, check in checks.items():
        yield from _looked(name, check, deployment)


def _looked(name: str, check: Check, deployment: Deployment) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(check(deployment))
    except (BotoCoreError, ClientError) as error:
        found.append(untold(name, error))
    bad = any(each.state in (State.WRONG, State.UNKNOWN) for each in found)
    return [each for each in found if not (bad and each.state is State.WELL)]


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
