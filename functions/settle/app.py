"""Settle dispatches in doubt: by what has come since, else by the rule of their message."""

from __future__ import annotations

from heliograph.delivery.settling import work
from heliograph.model.dispatches import DispatchPack
from heliograph.runtime.handlers import queue_handler


@queue_handler(DispatchPack)
def handler(pack: DispatchPack) -> None:
    """Decide what nobody has decided yet, and send again what is to be sent again."""
    work.settle(pack)
    work.send_again(pack)
