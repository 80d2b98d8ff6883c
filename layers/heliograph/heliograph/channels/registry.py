"""The channels that there are: a line each. What a channel is stands in its folder, which is read when it is asked for.

A function that sends on one channel never imports the others; `authoring` is imported by those who write messages,
and `doctor`, which a channel may do without, by the doctor.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, cast

from heliograph.channels.spec import AddressKind, Authoring, ChannelSpec
from heliograph.model.channels import Channel
from heliograph.text.errors import Code, MalformedError

if TYPE_CHECKING:
    from heliograph.operations.doctor.channel import ChannelDoctor

CHANNELS: Final = (
    Channel("email"),
    Channel("sms"),
    Channel("push"),
    Channel("webhook"),
)
"""In the order in which a policy tries them that names no other."""


@cache
def spec(channel: Channel) -> ChannelSpec:
    """What a channel says of itself. Raises KeyError when there is no such channel."""
    if channel not in CHANNELS:
        raise KeyError(channel)
    return cast("ChannelSpec", import_module(f"heliograph.channels.{channel}.spec").SPEC)


def check_known(channel: Channel, position: str) -> None:
    """Whether there is a channel that work names. Raises MalformedError with the position where it is named."""
    if channel not in CHANNELS:
        raise MalformedError(Code.UNKNOWN_CHANNEL, position, "is no channel of this version")


def refusal(names: str) -> str:
    """Why a stack cannot have channels, written as `email,sms`, in a sentence; empty when it can."""
    named = names.split(",")
    if unknown := [each for each in named if each not in CHANNELS]:
        return (
            f"There is no channel {' and no channel '.join(map(repr, unknown))}. Name one or more of"
            f" {', '.join(CHANNELS)}, with a comma and no blank between them."
        )
    twice = sorted({each for each in named if named.count(each) > 1})
    return f"The channel {twice[0]} is named twice." if twice else ""


@cache
def authoring(channel: Channel) -> Authoring:
    """What those need who write messages for a channel."""
    return cast("Authoring", import_module(f"heliograph.channels.{channel}.authoring"))


@cache
def doctor(channel: Channel) -> ChannelDoctor | None:
    """What shows whether a channel is well, if it says so."""
    name = f"heliograph.channels.{channel}.doctor"
    return cast("ChannelDoctor", import_module(name).DOCTOR) if find_spec(name) else None


@cache
def address_kinds() -> Mapping[str, AddressKind]:
    """Every kind of address that some channel uses, by its name."""
    return {kind.name: kind for kind in (spec(channel).address_kind for channel in CHANNELS)}


def channels_of(kind: AddressKind) -> tuple[Channel, ...]:
    """The channels that a kind of address is for."""
    return tuple(channel for channel in CHANNELS if spec(channel).address_kind.name == kind.name)
