"""What those who write pushes are told, and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from heliograph.channels.spec import Content, Remark, Written


def lint(_: Written) -> Iterable[Remark]:
    """Nothing beyond what holds for every channel."""
    return ()


def pane(_: Content) -> Mapping[str, object]:
    """The words of a push say all."""
    return {}
