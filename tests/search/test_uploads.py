"""Uploads of a campaign folder in any order, crashed, repeated, overwritten and two at once, by the real handler."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from aws.invocations import Killed
from aws.memory_uploads import MANIFEST, SEGMENT, Place, etag_of, install
from heliograph.campaigns import segments
from heliograph.campaigns.uploads import Phase, content_of
from search.budget import budget

if TYPE_CHECKING:
    from search.conftest import Tally

UPLOADS = budget(400)
PEOPLE = [f"p{number}" for number in range(8)]
EDGES = 70  # more than an ingestion has


def segment(rng: random.Random) -> bytes:
    people = rng.sample(PEOPLE, rng.randint(1, len(PEOPLE)))
    return "\n".join(["recipient_id,name", *(f"{each},x" for each in people), ""]).encode()


def people_of(content: bytes) -> set[str]:
    return {line.partition(",")[0] for line in content.decode().split()[1:]}


class Story:
    """What happens to one campaign folder, from a seed."""

    def __init__(self, place: Place, seed: int) -> None:
        self.place = place
        self.rng = random.Random(seed)
        self.waiting: list[dict[str, Any]] = []
        self.uploads = 0

    def tell(self) -> None:
        """Some uploads and tries, then everything is worked off."""
        for _ in range(self.rng.randint(2, 6)):
            self.step()
        self.place.at_edges = []
        for event in self.waiting:
            assert self.place.ingest(event)

    def step(self) -> None:
        self.rng.choice([self.upload, self.upload, self.repeat, self.overwrite, self.attempt, self.attempt])()

    def upload(self) -> None:
        self.overwrite()
        note = self.rng.choice(["", "# once more\n"])
        self.waiting.append(self.place.put(MANIFEST, f'{note}message = "sale"\n'.encode()))
        self.uploads += 1

    def repeat(self) -> None:
        """A client puts the same manifest again, or S3 tells of it twice."""
        if self.waiting:
            self.waiting.append(self.place.put(MANIFEST, self.place.versions[MANIFEST][-1]))
            self.waiting.append(self.rng.choice(self.waiting))
            self.uploads += 1

    def overwrite(self) -> None:
        self.place.put(SEGMENT, segment(self.rng))

    def attempt(self) -> None:
        """One try, at some edge of which something happens: it is killed, or anything else comes first."""
        if not self.waiting:
            return
        happens: list[Callable[[], None]] = [self.kill, self.overwrite, self.upload, self.other]
        quiet: list[Callable[[], None]] = [_nothing] * self.rng.randrange(EDGES)
        self.place.at_edges = [*quiet, self.rng.choice(happens), *quiet[:9], self.rng.choice([self.kill, _nothing])]
        self.place.ingest(self.rng.choice(self.waiting), tries=1)
        self.place.at_edges = []

    def kill(self) -> None:
        raise Killed

    def other(self) -> None:
        """Another invocation, from its begin to its end."""
        edges, self.place.at_edges = self.place.at_edges, []
        self.place.ingest(self.rng.choice(self.waiting), tries=1)
        self.place.at_edges = edges


def _nothing() -> None:
    pass


def test_uploads(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody twice, nobody lost, the audience never below who was queued, one run for one content."""
    monkeypatch.setattr(segments, "PACK_LIMIT", 2)
    seed = 0
    while tally.inputs < UPLOADS:
        seed += 1
        place = Place()
        install(place, monkeypatch)
        story = Story(place, seed)
        story.tell()
        tally.inputs += story.uploads
        judge(place, seed, tally)


def judge(place: Place, seed: int, tally: Tally) -> None:
    """Hold what was queued against what had been uploaded."""
    twice = [person for person, requests in place.requests.items() if len(requests) > 1]
    tally.harmed += [f"seed {seed}: {person} twice" for person in twice]
    tally.harmed += [f"seed {seed}: audience of {run_id}" for run_id in place.broken]
    tally.unhandled += [f"seed {seed}: parked {body[:80]}" for body in place.parked]
    uploads = [each for each in place.uploads().uploads if each.phase is Phase.SENDING]
    contents = [each.content for each in uploads]
    tally.harmed += [f"seed {seed}: {content} is two runs" for content in contents if contents.count(content) > 1]
    reached = set(place.requests)
    for each in uploads:
        missing = people_of(place.versions[SEGMENT][int(each.version) - 1]) - reached
        tally.lost += [f"seed {seed}: {person}" for person in missing]
    if manifests := place.versions[MANIFEST]:
        newest = {content_of(manifests[-1], etag_of(content)) for content in place.versions[SEGMENT]}
        if not newest & set(contents):
            tally.lost.append(f"seed {seed}: the newest upload is no run")
