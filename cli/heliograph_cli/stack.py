"""A deployed stack as the commands see it: its names, its bus, its bucket, and its report function to ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heliograph.text.quantities import about
from heliograph_cli import target as targets
from heliograph_cli.console import remark
from heliograph_cli.failures import No, Trouble
from heliograph_cli.target import Target

LINK_SECONDS = 12 * 3600  # how long a link to a page opens, at most


@dataclass(frozen=True)
class Stack:
    """The outputs and parameters of a deployed stack."""

    target: Target
    bus: str
    bucket: str
    recipients_table: str
    ledger_table: str
    runs_table: str
    report_function: str
    parameters: Mapping[str, str]


def connect() -> Stack:
    """The stack that this command works on; says on standard error which one that is."""
    target = targets.chosen()
    remark(f"Working on {target}.", style="dim")
    return stack_at(target)


def stack_at(target: Target) -> Stack:
    """Read the outputs of a stack."""
    from botocore.exceptions import ClientError

    try:
        stacks = targets.cloudformation(target).describe_stacks(StackName=target.stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"].get("Code") != "ValidationError":
            raise
        raise Trouble(
            f"There is no {target}.", "Deploy it (`heliograph up` for the local one) or name one with --stack."
        ) from error
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0].get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in stacks[0].get("Parameters", [])}
    try:
        return Stack(
            target=target,
            bus=outputs["BusName"],
            bucket=outputs["BucketName"],
            recipients_table=outputs["RecipientsTable"],
            ledger_table=outputs["LedgerTable"],
            runs_table=outputs["RunsTable"],
            report_function=outputs["ReportFunction"],
            parameters=parameters,
        )
    except KeyError as missing:
        raise Trouble(
            f"The {target} has no output {missing}.", "Its deployment is not complete: deploy it again."
        ) from None


def ask(stack: Stack, action: str, **question: Any) -> Any:
    """Ask the report function; that what was asked about does not exist is answered by `No`."""
    response = targets.functions(stack.target).invoke(
        FunctionName=stack.report_function, Payload=json.dumps({"action": action, **question}).encode()
    )
    answer = json.loads(response["Payload"].read())
    if response.get("FunctionError"):
        said = str(answer.get("errorMessage", "it stopped")).rstrip(".")
        raise Trouble(f"The report function failed: {said}.", f"Its log is /aws/lambda/{stack.report_function}.")
    match answer:
        case {"not_found": str(what), "next_step": str(next_step)}:
            raise No(what, next_step)
        case {"malformed": str(position), "reason": str(reason)}:
            raise Trouble(f"{position}: {reason}.", "Correct it and run the command again.")
    return answer


def link(stack: Stack, key: str) -> str:
    """A link that opens an object of the bucket."""
    lives = targets.credentials_live_for(stack.target)
    seconds = int(max(1, min(LINK_SECONDS, LINK_SECONDS if lives is None else lives)))
    return targets.s3(stack.target).generate_presigned_url(
        "get_object", Params={"Bucket": stack.bucket, "Key": key}, ExpiresIn=seconds
    )


def links_open(stack: Stack) -> str:
    """How long links that are made now open, in words: never longer than the credentials that signed them."""
    lives = targets.credentials_live_for(stack.target)
    if lives is None:
        return f"at most {about(LINK_SECONDS)}, and no longer than your sign-in"
    return about(max(0, min(LINK_SECONDS, lives)))
