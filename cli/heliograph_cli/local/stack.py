"""The stack on the local cloud, as the local cloud tells of it: its channels, their work, why it was not deployed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from heliograph_cli.failures import Trouble

if TYPE_CHECKING:
    import boto3

KEY = "test"
"""The local cloud's root key; the real one is never sent there."""


class LocalStack(NamedTuple):
    """A stack on a local cloud, whether it is there or not."""

    name: str
    region: str
    endpoint: str

    def client(self, service: str) -> Any:
        """A client of AWS that works on the local cloud."""
        make: Any = session(self.region).client
        return make(service, endpoint_url=self.endpoint)


def session(region: str) -> boto3.Session:
    """A session with the local cloud, whatever profile the environment names."""
    import boto3
    from botocore.session import Session

    without_profile = Session(session_vars={"profile": (None, None, None, None)})
    return boto3.Session(KEY, KEY, region_name=region, botocore_session=without_profile)


def channels(stack: LocalStack, named: str) -> str:
    """The channels that a stack is to have: those that are named, else those that it has; empty when it is new.

    Raises Trouble when one of them is left out that has work.
    """
    before = _parameters(stack).get("Channels", "")
    wanted = named or before
    if left_out := set(before.split(",")) - set(wanted.split(",")) - {""}:
        _refuse_losses(stack, left_out)
    return wanted


def failures(stack: LocalStack, since: datetime) -> Iterator[str]:
    """What failed in a stack, and why, from a time on and in that order; nothing when it never came to a stack."""
    from botocore.exceptions import ClientError

    try:
        events = stack.client("cloudformation").describe_stack_events(StackName=stack.name)["StackEvents"]
    except ClientError as error:
        if error.response["Error"].get("Code") != "ValidationError":
            raise
        return
    for event in reversed(events):
        if event["ResourceStatus"].endswith("_FAILED") and event["Timestamp"] >= since:
            yield f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"


def _parameters(stack: LocalStack) -> dict[str, str]:
    """The parameters of a stack; none when there is no such stack."""
    from botocore.exceptions import ClientError

    try:
        (found,) = stack.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
    except ClientError as error:
        if error.response["Error"].get("Code") != "ValidationError":
            raise
        return {}
    return {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", ())}


def _refuse_losses(stack: LocalStack, left_out: Set[str]) -> None:
    """A stack without a channel has no outboxes of it: what is in them would be gone."""
    from heliograph.operations.dead_letters.store import queues

    found = [
        each
        for each in queues(stack.client("sqs"), stack.name)
        if re.sub(r"^outbox-|-\w+$", "", each.queue) in left_out
    ]
    if full := [each.queue for each in found if each.number or any(each.work)]:
        raise Trouble(
            f"Without {' and '.join(sorted(left_out))} the stack loses what is in {', '.join(full)}.",
            "`heliograph status` shows when they are empty; until then name the channel among --channels.",
        )
