"""Imports, damaged in all dialects and encodings: whoever's row is whole is saved or told of, or nobody is."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING

from builders import NOW
from heliograph.model.policy import Policy
from heliograph.people.changes import RecipientChange
from heliograph.people.importing.work import Terms, checked, import_people
from heliograph.text.csv import Refused
from heliograph.text.errors import MalformedError
from hostile_files import a_file, is_told
from search.budget import budget

if TYPE_CHECKING:
    from search.conftest import Tally

INPUTS = budget(2_000)
COLUMNS = (["email", "note"], ["consent.news.email", "phone"], ["Email", "note"], ["preferred_time", "attributes"])
TERMS = Terms(name="people.csv", policy=Policy(topics={"news": "News"}), at=NOW)


class Refusals(list[Refused]):
    """Keeps what is refused."""

    add = list.append


def test_import_files(tally: Tally) -> None:
    rng = Random(8)
    for number in range(INPUTS):
        file, saved, refused = a_file(rng, rng.choice(COLUMNS)), list[RecipientChange](), Refusals()
        source = [file.content[:5], file.content[5:]]
        tally.inputs += 1
        try:
            looked_at = checked(partial(iter, source), TERMS)
        except MalformedError:
            continue  # refused whole
        except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
            tally.unhandled.append(f"{number}: {error!r} {file.content!r}")
            continue
        try:
            counts = import_people(partial(iter, source), looked_at, TERMS, saved.extend, refused)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
            tally.harmed.append(f"{number}: half of it was saved: {error!r} {file.content!r}")
            continue
        if counts.rows != counts.saved + counts.refused_rows:
            tally.lost.append(f"{number}: {counts}")
        named = {change.recipient_id for change in saved}
        lost = [each for each in file.untouched if each not in named and not is_told(each, refused)]
        tally.lost += [f"{number}: {each} of {file.content!r}" for each in lost]
