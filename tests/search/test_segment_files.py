"""Segments, damaged in all dialects and encodings: whoever's row is whole is written to or told of, or nobody is."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING

from builders import NOW, a_message
from heliograph.campaigns.segments import Campaign, packs, people, unpacked
from heliograph.model.requests import RequestPack
from heliograph.model.runs import Run
from heliograph.text.bodies import PACK_BYTES, body
from heliograph.text.csv import Refused, read_table
from heliograph.text.errors import MalformedError
from heliograph.text.lines import Lines, legible
from hostile_files import a_file, is_told
from search.budget import budget

if TYPE_CHECKING:
    from search.conftest import Tally

INPUTS = budget(3_000)
RUN = Run(run_id="run", campaign="spring", message="sale", started_at=NOW)
MESSAGE, CAMPAIGN = a_message("sale"), Campaign(message="sale")


def read(lines: Lines) -> tuple[list[RequestPack], list[Refused]]:
    refused: list[Refused] = []
    table = read_table(lines, required="recipient_id")
    return list(packs(people(table, refused.append), table.columns, RUN, MESSAGE, CAMPAIGN)), refused


def test_segment_files(tally: Tally) -> None:
    rng = Random(7)
    for number in range(INPUTS):
        file, size = a_file(rng, ["name", "note"]), rng.choice([1, 7, 1 << 20])
        chunks = [file.content[start : start + size] for start in range(0, len(file.content), size)]
        tally.inputs += 1
        try:
            (made, refused), _ = legible(partial(iter, chunks), read)
        except MalformedError:
            continue  # refused whole
        except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
            tally.unhandled.append(f"{number}: {error!r} {file.content!r}")
            continue
        if any(len(body(pack)) > PACK_BYTES for pack in made):
            tally.harmed.append(f"{number}: a pack is too large")
        named = {request.recipient_id for pack in made for request in unpacked(pack).requests}
        lost = [each for each in file.untouched if each not in named and not is_told(each, refused)]
        tally.lost += [f"{number}: {each} of {file.content!r}" for each in lost]
