"""The options that every command takes, before or after its name: where to work, and `--json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
PREFIX = "heliograph."


def _keep(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Remember an option in the place that all nested contexts share; a value that was not given changes nothing."""
    if value:
        ctx.meta[PREFIX + str(param.name)] = value


def _option(*names: str, **how: Any) -> Callable[[F], F]:
    return click.option(*names, expose_value=False, callback=_keep, **how)


_OPTIONS = (
    _option("--stack", metavar="NAME", help="Stack to work on (default: heliograph)."),
    _option("--profile", metavar="NAME", help="AWS profile; without one, a running local cloud is used."),
    _option("--aws", is_flag=True, help="Work on AWS with the credentials of the environment, not on a local cloud."),
    _option("--region", metavar="REGION", help="AWS region."),
    _option("--endpoint-url", metavar="URL", help="Address of a local cloud other than the running one."),
    _option("--json", is_flag=True, help="Answer in JSON on standard output, and nothing else there."),
)


def common_options(function: F) -> F:
    """Add `--stack`, `--profile`, `--aws`, `--region`, `--endpoint-url` and `--json` to a command or group."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def example(command: str) -> str:
    """The end of a help text: a command that can be copied, in one line."""
    return f"\b\nExample: {command}"


def given(name: str) -> str:
    """What was given for an option, before or after the command; empty when it was not."""
    return str(click.get_current_context().meta.get(PREFIX + name, ""))


def wants_json() -> bool:
    """Whether the answer is for a machine."""
    return bool(click.get_current_context().meta.get(PREFIX + "json", False))
