"""`make scale` in small: the real handlers against the stand-in of AWS, and a cost that grows is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from wiring import ROOT

TWICE = """
import json
from benchmarks import place
from heliograph.aws.clients import client
from scale import runs, verdicts

honest = place.run_batches
packs = 0

def growing(verb, batches):
    "Planning looks up every pack that was planned before, as if runs were kept in a list."
    global packs
    if verb == "plan":
        for _ in range(packs):
            client("dynamodb").get_item(TableName="heliograph-runs", Key={"part": {"S": "run"}, "item": {"S": "pack"}})
        packs += sum(map(len, batches))
    honest(verb, batches)

def happened(people):
    sent = runs.Sent(where, people, 200)
    assert [*sent.rounds(1)][-1] == people
    sent.wait()
    return sent.told()

runs.ROUND, told = 2, []
with runs.stage() as where:
    happened(200)  # imports and connects
    for place.run_batches in (honest, growing):
        found = [happened(people) for people in (1_000, 2_000)]
        told.append({name: [one._asdict()[name] for one in found] for name in ("each", "waiting")})
        told[-1] |= {"against": [*verdicts.not_flat(found)]}
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def found() -> list[dict[str, Any]]:
    """What was found of honest runs, and of runs with a cost that grows."""
    paths = os.pathsep.join(str(ROOT / path) for path in ("tests", "layers/heliograph", "cli", "."))
    command, environ = [sys.executable, "-c", TWICE], {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environ)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_a_person_takes_no_more_in_a_run_of_twice_the_people(found: list[dict[str, Any]]) -> None:
    small, large = found[0]["each"]
    assert 0.1 < small["calls"] < 0.5
    assert 1 < small["write_units"] < 2
    assert all(large[name] <= 1.1 * small[name] for name in ("calls", "write_units", "read_units", "queue_requests"))


def test_a_person_who_waits_with_twice_as_many_takes_no_more_and_all_are_handed_on(
    found: list[dict[str, Any]],
) -> None:
    small, large = found[0]["waiting"]
    assert 1 < small["write_units"] < 1.5
    assert all(large[name] <= 1.1 * small[name] for name in ("calls", "write_units", "read_units", "sqs_requests"))


def test_a_cost_that_grows_with_the_run_is_found(found: list[dict[str, Any]]) -> None:
    _, growing = found
    assert [line for line in growing["against"] if line.startswith("calls of a person differs")]
