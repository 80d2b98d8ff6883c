"""Checks of the stack and its functions: whether they are there, may run, and are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, note, well, wrong
from heliograph.operations.doctor.rights import may

COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
QUOTA = (
    "Ask for more: `aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384`"
)


def stack(deployment: Deployment) -> Iterator[Finding]:
    """The last deployment went through."""
    broken = [f"{each.logical_id} {each.status}" for each in deployment.resources if "FAILED" in each.status]
    if deployment.status not in COMPLETE or broken:
        says = f"{deployment.stack} is {deployment.status}" + (f": {', '.join(broken)}" if broken else "")
        yield wrong("stack", says, "Look into its events, mend the cause and deploy again.")
        return
    if deployment.status == "UPDATE_ROLLBACK_COMPLETE":
        yield note("stack", "the last deployment was rolled back", "Look into its events, then deploy again.")
        return
    yield well("stack", f"{deployment.status}, {len(deployment.resources)} resources in {deployment.region}")


def functions(deployment: Deployment) -> Iterator[Finding]:
    """Each function is active, and its layers were built for its Python and processor."""
    mend = "Deploy again with the runtime and architecture that the layer is built for."
    for each in deployment.functions:
        name = deployment.short(each["FunctionName"])
        if each.get("State", "Active") != "Active" or each.get("LastUpdateStatus", "Successful") != "Successful":
            yield wrong("functions", f"{name} is {each.get('State')}, {each.get('LastUpdateStatus')}", "Deploy again.")
        for layer in each.get("Layers", []):
            if problem := _misfit(each, deployment.call("lambda", "get_layer_version_by_arn", Arn=layer["Arn"])):
                yield wrong("functions", f"{name}: its layer is for {problem}", mend)
    runtimes = sorted({str(each["Runtime"]) for each in deployment.functions})
    yield well("functions", f"{len(deployment.functions)} with {', '.join(runtimes)}")


def _misfit(function: dict[str, Any], layer: dict[str, Any]) -> str:
    """What the layer is for, where that is not what the function is."""
    runtimes, processors = layer.get("CompatibleRuntimes"), layer.get("CompatibleArchitectures")
    if runtimes and function["Runtime"] not in runtimes:
        return f"{', '.join(runtimes)}, not {function['Runtime']}"
    asked = (function.get("Architectures") or ["x86_64"])[0]
    return f"{', '.join(processors)}, not {asked}" if processors and asked not in processors else ""


def concurrency(deployment: Deployment) -> Iterator[Finding]:
    """The account may run as many functions at once as the queues ask for."""
    limit = deployment.call("lambda", "get_account_settings")["AccountLimit"]["UnreservedConcurrentExecutions"]
    asked = sum(each.get("ScalingConfig", {}).get("MaximumConcurrency", 0) for each in _mappings(deployment))
    if limit < asked:
        yield note(
            "concurrency", f"{limit} at once, and the queues may ask for {asked}: work waits at peaks", f"{QUOTA}."
        )
        return
    yield well("concurrency", f"{limit} at once; the queues ask for {asked} at most")


def mappings(deployment: Deployment) -> Iterator[Finding]:
    """Every queue that feeds a function does so."""
    found = _mappings(deployment)
    off = [each for each in found if each["State"] not in ("Enabled", "Creating", "Updating", "Enabling")]
    for each in off:
        name, queue = _names(deployment, each)
        mend = f"aws lambda update-event-source-mapping --uuid {each['UUID']} --enabled"
        yield wrong("queues", f"{queue} is not read: its mapping to {name} is {each['State']}", mend)
    if not found:
        yield wrong("queues", "no queue calls a function", "Deploy again.")
    yield well("queues", f"{len(found) - len(off)} of {len(found)} are read")


def recursion(deployment: Deployment) -> Iterator[Finding]:
    """A function that may send to its own queue may come back to itself: else Lambda stops it after some 16 rounds."""
    mend = "Set RecursiveLoop: Allow on it and deploy: work that waits for long would end in the dead letters."
    roles = {each["FunctionArn"]: each["Role"] for each in deployment.functions}
    own = [
        each
        for each in _mappings(deployment)
        if may(deployment, roles[each["FunctionArn"]], "sqs:SendMessage", each["EventSourceArn"])
    ]
    for each in own:
        name, queue = _names(deployment, each)
        arguments = {"FunctionName": each["FunctionArn"].rpartition(":")[2]}
        if deployment.call("lambda", "get_function_recursion_config", **arguments)["RecursiveLoop"] != "Allow":
            yield wrong("recursion", f"{name} sends to its own queue {queue} and may not come back to itself", mend)
    yield well("recursion", f"{len(own)} queues are sent back to by their own function, which is allowed")


def _mappings(deployment: Deployment) -> list[dict[str, Any]]:
    """Of each function: a mapping's own id in the stack is no name that can be looked up at once."""
    asked = (
        deployment.call("lambda", "list_event_source_mappings", FunctionName=each["FunctionName"])
        for each in deployment.functions
    )
    return [mapping for answer in asked for mapping in answer.get("EventSourceMappings", [])]


def _names(deployment: Deployment, mapping: dict[str, Any]) -> tuple[str, str]:
    function, queue = (mapping[key].rpartition(":")[2] for key in ("FunctionArn", "EventSourceArn"))
    return deployment.short(function), deployment.short(queue)
