"""The opens and clicks of a run of a million, recorded as they come for days: some, as many at once as of all."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from benchmarks import events, polling, ways
from benchmarks.campaigns import EVENT_BYTES, Heard, Place, Recorded, measured
from benchmarks.events import Mail, Told
from benchmarks.polling import Arrival
from benchmarks.ways import Coming

RUN = 1_000_000
"""Mails of the run whose opens and clicks are drawn."""
APART = 60.0
"""Seconds between what comes at once and the next; less, and the sums of both could be kept together."""


def opened(where: Place, mails: Sequence[Mail], rate: float, way: str) -> Recorded:
    """What it takes to record the opens and clicks of packs of a run of a million.

    They come as many at once as those of the whole run, and those at once are of different packs, as there. Where
    that are more than there are packs here, they come in several parts.
    """
    rng = random.Random(2)
    told, packs = [*_opens_and_clicks(mails, rng)], len({mail.pack_id for mail in mails})
    sizes = _sizes(events.engagement(RUN, rate, rng), rng, way)
    every = len(sizes) * len(told) / sum(sizes)
    chosen = [sizes[int((number + 0.5) * len(sizes) / every)] for number in range(round(every))]
    coming: list[Coming] = []
    for number, size in enumerate(chosen):
        for part in _parts(size, packs):
            some, told = told[:part], told[part:]
            if some:
                at_once = ways.at_once(way, where.aws.objects, some, rng)
                coming += [each._replace(at=some[0].at + number * APART) for each in at_once.each]
    return _recorded(where, coming)


def _recorded(where: Place, coming: list[Coming]) -> Recorded:
    heard = Heard()
    step = measured(
        where,
        "record",
        [each.bodies for each in coming],
        mails=sum(each.told for each in coming) / (events.OPENED + events.CLICKED),
        queued=sum(each.requests for each in coming),
        times=[each.at for each in coming],
        heard=heard,
    )
    return Recorded(step, coming, heard)


def _sizes(arrivals: Sequence[Arrival[int]], rng: random.Random, way: str) -> list[int]:
    """How many opens and clicks of a run come at once, from the fewest to the most."""
    if way == ways.ONE_BY_ONE:
        found = polling.polled(arrivals, size=ways.BATCH, window=ways.WINDOW, rng=rng)
        return sorted(len(batch.contents) for batch in found)
    return sorted(map(len, ways.minutes(arrivals, lambda _: EVENT_BYTES)))


def _parts(size: int, most: int) -> list[int]:
    return [most] * (size // most) + ([size % most] if size % most else [])


def _opens_and_clicks(mails: Sequence[Mail], rng: random.Random) -> Iterator[Arrival[Told]]:
    """One of each pack after the other, until all who react have."""
    packs: dict[str, list[Mail]] = {}
    for mail in mails:
        packs.setdefault(mail.pack_id, []).append(mail)
    kinds = ["Open"] * round(100 * events.OPENED) + ["Click"] * round(100 * events.CLICKED)
    some = {pack: rng.sample(of_it, min(len(of_it), len(kinds))) for pack, of_it in packs.items()}
    for number, kind in enumerate(kinds):
        for chosen in some.values():
            if number < len(chosen):
                yield Arrival(chosen[number].at + events.OPEN[0], Told(kind, chosen[number]))
