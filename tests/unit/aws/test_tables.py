"""Batches of items: what DynamoDB leaves over is asked for again, and nothing is dropped in silence."""

from __future__ import annotations

import time
from typing import Any

import pytest

from heliograph.aws.errors import BusyError
from heliograph.aws.tables import number, write_items


class Table:
    """A table that takes so many of each call."""

    def __init__(self, takes: int) -> None:
        self.takes = takes
        self.calls: list[int] = []
        self.done: list[dict[str, Any]] = []

    def batch_write_item(self, RequestItems: Any) -> dict[str, Any]:  # noqa: N803 - as botocore spells it
        """Take the first, leave the others."""
        ((name, asked),) = RequestItems.items()
        self.calls.append(len(asked))
        self.done += asked[: self.takes]
        left = asked[self.takes :]
        return {"UnprocessedItems": {name: left} if left else {}}


ITEMS = [{"id": number(index)} for index in range(60)]


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited between tries."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


@pytest.mark.parametrize(("takes", "calls"), [(25, [25, 25, 10]), (20, [25, 5, 25, 5, 10])])
def test_every_item_is_written_once_whatever_a_call_leaves_over(takes: int, calls: list[int]) -> None:
    table: Any = Table(takes)
    write_items(table, "t", put=ITEMS[:40], delete=ITEMS[40:])
    assert table.calls == calls
    puts = [each["PutRequest"]["Item"] for each in table.done if "PutRequest" in each]
    deletes = [each["DeleteRequest"]["Key"] for each in table.done if "DeleteRequest" in each]
    assert (puts, deletes) == (ITEMS[:40], ITEMS[40:])


def test_a_table_that_takes_nothing_more_makes_it_be_tried_again_later(pauses: list[float]) -> None:
    table: Any = Table(0)
    with pytest.raises(BusyError):
        write_items(table, "t", put=ITEMS)
    assert (table.calls, pauses) == ([25] * 6, [0.05, 0.1, 0.2, 0.4, 0.8, 1.6])
