"""A deployment as the checks see it: what its stacks made, its parameters, and a way to ask AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

from heliograph.channels.registry import CHANNELS
from heliograph.model.channels import Channel

Ask = Callable[[str, str, Mapping[str, Any]], Any]
"""Service, operation and its parameters -> the answer, all pages of it. Raises botocore's errors."""
GONE = ("DELETE_COMPLETE", "DELETE_SKIPPED")


class Resource(NamedTuple):
    """What a stack or one of its nested stacks made."""

    kind: str
    logical_id: str
    physical_id: str
    status: str


@dataclass(frozen=True)
class Deployment:
    """One deployed stack."""

    stack: str
    arn: str
    """Of the root stack: it names partition, region and account."""
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    resources: tuple[Resource, ...]
    ask: Ask = field(repr=False, compare=False)

    def call(self, service: str, operation: str, **arguments: Any) -> Any:
        """Ask AWS."""
        return self.ask(service, operation, arguments)

    def named(self, kind: str) -> list[str]:
        """The physical ids of all resources of a kind."""
        return [each.physical_id for each in self.resources if each.kind == kind]

    @cached_property
    def functions(self) -> list[dict[str, Any]]:
        """The configuration of each function, looked up once."""
        names = self.named("AWS::Lambda::Function")
        return [self.call("lambda", "get_function_configuration", FunctionName=name) for name in names]

    def short(self, name: str) -> str:
        """A name without the stack's."""
        return name.removeprefix(f"{self.stack}-")

    def resource_arn(self, service: str, resource: str) -> str:
        """The ARN of something in the account and region of the stack."""
        _, partition, _, region, account, *_ = self.arn.split(":")
        return f"arn:{partition}:{service}:{region}:{account}:{resource}"

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those that the stack has, in the order of the registry."""
        named = {name.strip() for name in self.parameters.get("Channels", "").split(",")}
        return tuple(channel for channel in CHANNELS if channel in named)


def read(name: str, client: Callable[[str], Any]) -> Deployment:
    """Read a stack, its nested stacks, and what they made; `client` makes a client of a service."""
    ask = _asking(client)
    root = ask("cloudformation", "describe_stacks", {"StackName": name})["Stacks"][0]
    return Deployment(
        stack=name,
        arn=root["StackId"],
        status=root["StackStatus"],
        outputs={each["OutputKey"]: each["OutputValue"] for each in root.get("Outputs", [])},
        parameters={each["ParameterKey"]: each["ParameterValue"] for each in root.get("Parameters", [])},
        resources=tuple(resources_of(ask, name)),
        ask=ask,
    )


def resources_of(ask: Ask, stack: str) -> list[Resource]:
    """What there is: CloudFormation goes on listing what an update has deleted, or has left to its owner."""
    found = ask("cloudformation", "list_stack_resources", {"StackName": stack}).get("StackResourceSummaries", [])
    made = [
        Resource(
            each["ResourceType"], each["LogicalResourceId"], each.get("PhysicalResourceId", ""), each["ResourceStatus"]
        )
        for each in found
        if each["ResourceStatus"] not in GONE
    ]
    nested = [each for each in made if each.kind == "AWS::CloudFormation::Stack" and each.physical_id]
    return made + [inner for each in nested for inner in resources_of(ask, each.physical_id)]


def _asking(client: Callable[[str], Any]) -> Ask:
    known = cache(client)

    def ask(service: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        found = known(service)
        if found.can_paginate(operation):
            return found.get_paginator(operation).paginate(**arguments).build_full_result()
        return getattr(found, operation)(**arguments)

    return ask
