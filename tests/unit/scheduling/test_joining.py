"""Who is due in the same minute, in packs: as full as they can be, of one message and run each, and nobody twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW, a_request
from heliograph.model.requests import Lane, RequestPack
from heliograph.planning.packing import Due
from heliograph.scheduling.joining import assigned, joined, packed, positions
from heliograph.scheduling.parts import Part, parts_of
from heliograph.text import ids
from heliograph.text.bodies import INPUT_LIMIT, MESSAGE_LIMIT, body
from heliograph.text.errors import MalformedError

MINUTE = NOW + timedelta(hours=9)


def waiting(origin: str, *people: str, run: str = "run-1", message: str = "news", data: str = "") -> list[Part]:
    """What is kept of people of one pack."""
    requests = tuple(
        a_request(each, request_id=f"r-{each}", message=message, run_id=run, step=1, data={"text": data})
        for each in people
    )
    return list(parts_of(Due(RequestPack(pack_id=origin, lane=Lane.BULK, run_id=run, requests=requests), MINUTE)))


def refuse(error: MalformedError) -> None:
    raise error


class Sent(NamedTuple):
    """A pack as plan reads it."""

    pack_id: str
    run_id: str
    people: tuple[str, ...]


def packs_of(parts: Sequence[Part], taken: dict[str, int] | None = None) -> list[Sent]:
    """The packs that a tick sends; a later try of the tick sends the same."""
    found = []
    for joints in joined(parts, taken or {}, refuse):
        for joint in joints:
            named = assigned(joint, MINUTE)
            again = named.pack({part.name: part for part in parts})
            assert body(again) == body(packed(joint, named))
            pack = msgspec.json.decode(body(again), type=RequestPack)
            found.append(Sent(pack.pack_id, pack.run_id, tuple(each.recipient_id for each in pack.requests)))
    return found


def people(count: int, beginning: str = "p") -> list[str]:
    return [f"{beginning}-{number}" for number in range(count)]


def test_people_of_many_packs_who_are_due_together_fill_packs_of_a_hundred() -> None:
    parts = [part for number in range(125) for part in waiting(f"origin-{number:03}", f"a-{number}", f"b-{number}")]
    assert [len(pack.people) for pack in packs_of(parts)] == [100, 100, 50]


def test_a_pack_has_one_run_one_message_and_fallbacks_or_none() -> None:
    parts = [
        *waiting("a", "p-1"),
        *waiting("b", "p-2", run="run-2"),
        *waiting("c", "p-3", message="sale"),
        *waiting(ids.of_fallbacks("d"), "p-4"),
        *waiting("e", "p-5"),
    ]
    found = {pack.people: (pack.run_id, ids.is_of_fallbacks(pack.pack_id)) for pack in packs_of(parts)}
    assert found == {
        ("p-1", "p-5"): ("run-1", False),
        ("p-2",): ("run-2", False),
        ("p-3",): ("run-1", False),
        ("p-4",): ("run-1", True),
    }


def test_who_comes_again_in_other_company_goes_once() -> None:
    parts = [*waiting("a", "p-1"), *waiting("a", "p-1", "p-2"), *waiting("a", "p-0", "p-2")]
    assert Counter(each for pack in packs_of(parts) for each in pack.people) == Counter(["p-0", "p-1", "p-2"])


def test_who_has_a_pack_gets_no_other_although_they_come_again_in_other_company() -> None:
    first = waiting("a", "p-1", "p-2")
    ((joint,),) = joined(first, {}, refuse)
    later = waiting("a", "p-2", "p-3")
    (pack,) = packs_of([*first, *later], positions([assigned(joint, MINUTE)]))
    assert pack.people == ("p-3",)


def test_whose_fallback_two_tries_begin_in_different_company_is_in_no_pack_twice() -> None:
    parts = [*waiting(ids.of_fallbacks("a"), "p-1", "p-2"), *waiting(ids.of_fallbacks("b"), "p-0", "p-2", "p-3")]
    assert [pack.people for pack in packs_of(parts)] == [("p-1", "p-2", "p-0"), ("p-2", "p-3")]


def test_people_with_much_to_carry_share_a_pack_as_far_as_a_message_takes_it() -> None:
    parts = waiting("a", *people(100), data="x" * 20_000)
    assert all(len(part.packed) < 400_000 for part in parts)
    found = packs_of(parts)
    assert sum(len(pack.people) for pack in found) == 100
    assert max(len(pack.people) for pack in found) <= INPUT_LIMIT // 20_000
    assert INPUT_LIMIT < MESSAGE_LIMIT


origins = st.lists(st.integers(1, 100), max_size=12)


@settings(deadline=None, max_examples=40)
@given(origins, st.integers(1, 4))
def test_whatever_waits_goes_once_and_no_two_packs_that_could_be_one_remain(sizes: list[int], runs: int) -> None:
    parts = [
        part
        for number, size in enumerate(sizes)
        for part in waiting(f"o-{number:02}", *people(size, f"{number}"), run=f"run-{number % runs}")
    ]
    found = packs_of(parts)
    assert Counter(each for pack in found for each in pack.people) == Counter(
        person for number, size in enumerate(sizes) for person in people(size, f"{number}")
    )
    assert len({pack.pack_id for pack in found}) == len(found)
    not_full = Counter(pack.run_id for pack in found if len(pack.people) < 100)
    assert all(count == 1 for count in not_full.values())
