"""Uploads of a campaign folder, through the real handler: which of them is a run, and whom it reaches."""

from __future__ import annotations

import tomllib
from types import SimpleNamespace
from typing import Any

import pytest

from aws.invocations import Killed
from aws.memory_uploads import MANIFEST, SEGMENT, Place, install
from heliograph.campaigns import segments
from heliograph.model.runs import Run
from heliograph.runtime import wiring
from heliograph.text.errors import MalformedError

PEOPLE = ("ana", "ben", "cleo", "dan", "eve", "finn", "gus", "hal")


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    found = Place()
    install(found, monkeypatch)
    monkeypatch.setattr(segments, "PACK_LIMIT", 2)
    return found


def upload(place: Place, *people: str, **manifest: bool) -> dict[str, Any]:
    """Put a folder there, the manifest last; its event."""
    place.put(SEGMENT, "\n".join(["recipient_id,name", *(f"{each},x" for each in people), ""]).encode())
    options = "".join(f"{name} = {str(value).lower()}\n" for name, value in manifest.items())
    return place.put(MANIFEST, f'message = "sale"\n{options}'.encode())


def kill() -> None:
    raise Killed


def nothing() -> None:
    pass


def told(place: Place, run: Run) -> dict[str, Any]:
    return tomllib.loads(place.answers()[f"campaigns/spring/result-{run.run_id}.toml"])


def test_a_segment_that_is_overwritten_between_two_tries_changes_nothing_about_the_run(place: Place) -> None:
    event = upload(place, "ana", "ben", "cleo", "dan")
    for edge in range(80):
        place.at_edges = [*[nothing] * edge, kill]
        place.ingest(event, tries=1)
        place.put(SEGMENT, b"recipient_id,name\neve,x\nben,x\n")
        place.at_edges = []
        if place.uploads().uploads:
            break
    assert place.ingest(event)
    (run,) = place.runs.values()
    assert run.audience == len(place.reached[run.run_id]) in (2, 4)


def test_a_corrected_upload_reaches_only_who_was_added(place: Place) -> None:
    place.ingest(upload(place, "ana", "ben"))
    place.ingest(upload(place, "ana", "ben", "cleo"))
    first, second = place.runs.values()
    assert (first.audience, second.audience, second.reached) == (2, 1, 2)
    assert place.reached[second.run_id] == {"cleo"}
    assert "2 people were reached by earlier runs" in told(place, second)["note"]


def test_again_starts_the_campaign_over(place: Place) -> None:
    place.ingest(upload(place, "ana", "ben"))
    place.ingest(upload(place, "ana", "ben", again=True))
    place.ingest(upload(place, "ana", "ben", "cleo"))
    first, again, added = place.runs.values()
    assert [len(place.reached[run.run_id]) for run in (first, again, added)] == [2, 2, 1]


def test_the_same_content_twice_is_one_run(place: Place) -> None:
    for event in (upload(place, "ana", again=True), upload(place, "ana", again=True)):
        place.ingest(event)
        place.ingest(event)
    (run,) = place.runs.values()
    assert run.uploads >= 2
    assert "the same content was uploaded before" in told(place, run)["note"]
    assert len(place.requests["ana"]) == 1


def test_the_same_content_twice_still_names_the_rows_that_were_refused(place: Place) -> None:
    for event in (upload(place, "ana", "b o"), upload(place, "ana", "b o")):
        place.ingest(event)
    (run,) = place.runs.values()
    assert run.uploads == 2
    assert told(place, run)["rejected_rows"] == f"rejected-{run.run_id}.csv"


def test_an_older_manifest_that_still_waits_is_replaced_and_says_so(place: Place) -> None:
    older, newer = upload(place, "ana", "bne"), upload(place, "ana", "ben", again=True)
    place.ingest(older)
    place.ingest(newer)
    replaced, run = place.runs.values()
    assert (replaced.replaced, told(place, replaced)["state"]) == (True, "replaced")
    assert place.reached == {run.run_id: {"ana", "ben"}}


def test_of_a_file_that_is_refused_nobody_is_queued_and_the_mended_one_reaches_all(place: Place) -> None:
    broken = upload(place, "ana", "ben", "cleo", 'dan,"x\neve')
    place.ingest(broken)
    (failed,) = place.runs.values()
    assert not place.reached
    assert failed.problem.startswith("row 5: a quote that opens here")
    assert told(place, failed)["problem"] == failed.problem
    assert place.parked
    place.ingest(upload(place, "ana", "ben", "cleo", "dan", "eve"))
    assert set().union(*place.reached.values()) == {"ana", "ben", "cleo", "dan", "eve"}


def stopped_half_way(place: Place, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A run that ends after its first packs, and whose message is gone when it is tried again; its event."""
    event, known = upload(place, *PEOPLE), wiring.templates()
    for edge in range(100):
        place.at_edges = [*[nothing] * edge, kill]
        if place.ingest(event, tries=1) or place.reached:
            break
    place.at_edges = []
    with monkeypatch.context() as rollback:
        rollback.setattr(wiring, "templates", lambda: SimpleNamespace(messages={}))
        place.ingest(event)
    assert wiring.templates().messages == known.messages
    (run,) = place.runs.values()
    assert run.problem
    assert 0 < len(place.reached[run.run_id]) < len(PEOPLE)
    return event


def test_a_run_that_stopped_half_way_goes_on_when_its_folder_is_uploaded_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped_half_way(place, monkeypatch)
    place.ingest(upload(place, *PEOPLE))
    (run,) = place.runs.values()
    assert place.reached == {run.run_id: {*PEOPLE}}
    assert (run.problem, told(place, run)["state"]) == ("", "queued")
    assert {len(requests) for requests in place.requests.values()} == {1}


def test_a_corrected_folder_waits_until_a_run_that_stopped_half_way_has_gone_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = stopped_half_way(place, monkeypatch)
    place.ingest(upload(place, *PEOPLE, "zoe"))
    first, second = place.runs.values()
    assert f"run {first.run_id} of it stopped half-way" in told(place, second)["problem"]
    place.ingest(event)
    place.ingest(upload(place, *PEOPLE, "zoe"))
    assert {person: len(requests) for person, requests in place.requests.items()} == dict.fromkeys([*PEOPLE, "zoe"], 1)


def test_a_folder_that_failed_is_tried_again_when_it_is_put_there_unchanged(place: Place) -> None:
    place.put(SEGMENT, b"recipient_id\nana\n")
    place.ingest(place.put(MANIFEST, b'message = "not built yet"\n'))
    (failed,) = place.runs.values()
    assert failed.problem == "campaign.toml: message: there is no message not built yet"
    place.ingest(place.put(MANIFEST, b'message = "sale"\n'))
    assert set().union(*place.reached.values()) == {"ana"}


def test_what_is_said_of_a_manifest_can_be_kept_and_parked_whatever_stands_in_it(place: Place) -> None:
    place.put(SEGMENT, b"recipient_id\nana\n")
    place.ingest(place.put(MANIFEST, b'message = "' + b"\\uffff" * 9_000 + b'"\n'))
    place.ingest(place.put("campaigns/a\x01b/campaign.toml", b""))
    place.ingest(place.put(MANIFEST, b'message = "sale"\n"' + b"k" * 60_000 + b'" = 1\n'))
    assert len(place.told) == 3
    assert all(told.isprintable() and len(told) <= 4_000 for told in place.told)
    assert all(len(run.problem) <= 8_002 for run in place.runs.values())


def test_a_manifest_outside_of_a_campaigns_folder_is_told_why_beside_it(place: Place) -> None:
    place.ingest(place.put("campaigns/spring sale/campaign.toml", b'message = "sale"\n'))
    (answer,) = [key for key in place.versions if key.startswith("campaigns/spring sale/result-")]
    assert "name of A-Z" in tomllib.loads(place.versions[answer][-1].decode())["problem"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("n = " + "9" * 5_000, "Exceeds the limit"),
        ("n = 99999999999999999999", "integer of more than 64 bits"),
        ("n = " + "[" * 2_000 + "]" * 2_000, "nested deeper than 32"),
        ("n = " + "[" * 40 + "]" * 40, "nested deeper than 32"),
        ("n = nan", "not finite"),
        (f'n = "{"x" * 11_000}"', "takes 11008 bytes"),
    ],
    ids=range(6),
)
def test_data_that_cannot_travel_with_everybody_is_refused_with_its_place(data: str, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        segments.read_campaign(f'message = "sale"\n[data]\n{data}\n'.encode())
