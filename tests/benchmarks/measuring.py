"""How things are measured: CPU of this process, ours against a yardstick, in turns, so that noise hits both."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Work = Callable[[], float]
"""Does some work and says how much CPU (seconds) one piece of it took."""


Notes = dict[str, float | int | str]


class Goal(NamedTuple):
    """What a figure must reach, and what we aim at; less is better."""

    must: float
    aim: float


GOALS = {
    "pipeline_cpu_vs_bare_send": Goal(0.45, 0.30),
    "send_step_cpu_vs_bare_send": Goal(0.09, 0.06),
    "aws_calls_per_email": Goal(0.14, 0.12),
    "write_units_per_email": Goal(1.10, 1.05),
    "capped_write_units_per_email": Goal(2.2, 2.05),
    "capped_calls_per_email": Goal(0.21, 0.20),
    "skipped_write_units_per_person": Goal(1.1, 1.05),
    "transactional_cpu_vs_bare_send": Goal(5.0, 3.2),
    "record_event_cpu_vs_update_item": Goal(0.10, 0.05),
    "render_vs_plain_jinja2": Goal(0.20, 0.08),
    "cold_start_vs_boto3_client": Goal(1.3, 0.85),
    "ingest_cpu_vs_csv_reader": Goal(5.0, 3.7),
    "ingest_peak_mb": Goal(60, 30),
    "record_write_units_per_email": Goal(0.20, 0.11),
    "repacked_calls_per_email": Goal(0.30, 0.20),
    "status_read_units_at_1m": Goal(200, 50),
    "usd_per_million_emails_beyond_ses": Goal(2.6, 1.9),
    "usd_storage_per_million_emails": Goal(2.0, 1.0),
}


MISSED = "MISSED"
VERDICT = 7
"""Rounds of a verdict: a miss is measured once more before it is reported. Fewer are a quick look."""


class Figure(NamedTuple):
    """A measured value: of what, and over which rounds."""

    key: str
    what: str
    value: float
    rounds: list[float]
    notes: Notes
    lines: Sequence[Mapping[str, Any]] = ()
    """Of a bill."""

    @property
    def verdict(self) -> str:
        """How it stands to its goal."""
        return verdict(self.key, self.value)


def verdict(key: str, value: float) -> str:
    """How a value stands to the goal of its key."""
    goal = GOALS[key]
    return "aim" if value <= goal.aim else "must" if value <= goal.must else MISSED


def reported(
    measure: Callable[[set[str]], Iterable[Figure]], wanted: set[str], *, is_verdict: bool
) -> Iterator[Figure]:
    """Figures as they are measured; in a verdict, a miss is measured once more before it is one."""
    missed: dict[str, float] = {}
    for figure in measure(wanted):
        if is_verdict and figure.verdict == MISSED:
            missed[figure.key] = figure.value
        else:
            yield figure
    for figure in measure(set(missed)) if missed else ():
        yield figure._replace(notes=figure.notes | {"measured before": missed[figure.key]})


def cpu_of(work: Callable[[], object], pieces: int) -> float:
    """Seconds of CPU, user and system, of this process for each piece."""
    gc.collect()
    gc.freeze()  # what this process holds besides, a function does not
    started = time.process_time()
    work()
    return (time.process_time() - started) / pieces


def ratio(key: str, what: str, yardstick: Work, ours: Work, *, rounds: int, notes: Notes | None = None) -> Figure:
    """The median of ours / yardstick over rounds in turns, after one round that does not count."""
    yardstick(), ours()
    pairs = [(yardstick(), ours()) for _ in range(rounds)]
    ratios = [mine / other for other, mine in pairs]
    told = {
        "yardstick_us": round(1e6 * statistics.median(other for other, _ in pairs), 1),
        "ours_us": round(1e6 * statistics.median(mine for _, mine in pairs), 1),
    }
    return Figure(key, what, statistics.median(ratios), ratios, {**told, **(notes or {})})
