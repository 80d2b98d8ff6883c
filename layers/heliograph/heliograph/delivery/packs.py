"""Parts of a pack of dispatches: each keeps its slots."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec

from heliograph.channels.registry import check_known
from heliograph.model.dispatches import DispatchPack
from heliograph.planning.packing import full_minute


def check_channels(pack: DispatchPack) -> None:
    """Raises MalformedError when the pack, or a dispatch in it, is of a channel that this version does not have."""
    check_known(pack.channel, "channel")
    for number, dispatch in enumerate(pack.dispatches):
        check_known(dispatch.channel, f"dispatches[{number}].channel")


def some_of(pack: DispatchPack, slots: Collection[int], *, tries: int = 0) -> DispatchPack:
    """The dispatches of a pack in some slots, as a pack of their own."""
    dispatches = tuple(dispatch for dispatch in pack.dispatches if dispatch.slot in slots)
    return msgspec.structs.replace(pack, dispatches=dispatches, tries=tries)


def split(pack: DispatchPack, size: int) -> tuple[DispatchPack, DispatchPack]:
    """The first dispatches of a pack, and the rest."""
    return (
        msgspec.structs.replace(pack, dispatches=pack.dispatches[:size]),
        msgspec.structs.replace(pack, dispatches=pack.dispatches[size:]),
    )


def by_time(slots: Mapping[int, datetime]) -> dict[datetime, list[int]]:
    """The slots that wait until the same minute."""
    due: dict[datetime, list[int]] = {}
    for slot, until in slots.items():
        due.setdefault(full_minute(until), []).append(slot)
    return due
