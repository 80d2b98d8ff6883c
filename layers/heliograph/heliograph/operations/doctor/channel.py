"""What a channel tells the doctor about itself: the module `doctor` in its folder, if it has one, holds a `DOCTOR`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding
from heliograph.operations.doctor.trials import Chosen, Trial

Check = Callable[[Deployment], Iterable[Finding]]
Where = Callable[[Deployment], str]
"""The ARN of what a call is about; empty when the deployment has none of it."""


class Trying(NamedTuple):
    """What the trials of a channel are made of."""

    deployment: Deployment
    transactional: Chosen | None
    """The message to send; None: no message of this purpose goes by the channel."""
    promotional: Chosen | None
    stamp: str
    """Tells the people of this round from those of others."""
    now: datetime
    simulator: str = ""
    """The address of the provider's simulator: the channel's own, unless the operator names another."""


def no_trials(_: Trying) -> Iterable[Trial | Finding]:
    """Of a channel whose provider has no simulator."""
    return ()


class ChannelDoctor(NamedTuple):
    """All of it may be left out. Queues, and calls that every channel makes, follow from the channel's name."""

    checks: Mapping[str, Check] = {}
    """By the name that their findings bear, in the order in which they are told."""
    calls: Mapping[str, Where] = {}
    """What only this channel's function calls: the action, as IAM names it."""
    trials: Callable[[Trying], Iterable[Trial | Finding]] = no_trials
    """What is sent to its provider's simulators, and what is said of what is left out. Nobody real is written to."""
    simulator: str = ""
    """Where the provider's simulator is reached, if an operator may name another with `--simulator`."""
    leftovers: Mapping[str, Callable[[Deployment, Sequence[Trial]], None]] = {}
    """What trials may leave at the provider, by what people call it, and how it is removed."""
