"""A campaign folder as packs of send requests and refused rows."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW, a_message
from heliograph.campaigns import newcomers as table_of_people
from heliograph.campaigns.newcomers import Newcomers
from heliograph.campaigns.segments import (
    PACK_LIMIT,
    Campaign,
    Uploaded,
    new_run,
    packs,
    people,
    read_campaign,
    unpacked,
)
from heliograph.model.requests import RequestPack
from heliograph.model.runs import Run
from heliograph.text import csv
from heliograph.text.csv import Refused, read_table
from heliograph.text.errors import MalformedError
from heliograph.text.lines import Lines

RUN = Run(run_id="run", campaign="spring", message="sale", started_at=NOW)


def read(lines: Iterable[str]) -> list[list[str] | Refused]:
    found: list[list[str] | Refused] = []
    for rows in people(read_table(lines, required="recipient_id"), found.append):
        found.extend(rows)
    return found


def packs_of(lines: Iterable[str], **campaign: object) -> list[RequestPack]:
    table = read_table(lines, required="recipient_id")
    manifest = Campaign(message="sale", **campaign)  # type: ignore[arg-type]
    return list(packs(people(table), table.columns, RUN, a_message("sale"), manifest))


def packed(number: int, cell: str = "") -> list[RequestPack]:
    return packs_of(["recipient_id,note\n", *(f"p{index},{cell}\n" for index in range(number))])


def uploaded(key: str, version: str) -> Uploaded:
    event = {"time": NOW, "detail": {"object": {"key": key, "version-id": version}}}
    return msgspec.convert(event, Uploaded)


def test_a_campaign_gives_its_reference_to_every_request() -> None:
    (pack,) = packs_of(["recipient_id\n", "amara\n", "ben\n"], reference="TICKET-17")
    assert [request.cause.reference for request in unpacked(pack).requests] == ["TICKET-17"] * 2
    assert read_campaign(b'message = "sale"\nreference = "TICKET-17"').reference == "TICKET-17"


@pytest.mark.parametrize("name", ["", "x" * 256, "a\\u0001.csv", "../segment.csv"])
def test_a_segment_that_no_file_can_be_named_refuses_the_campaign(name: str) -> None:
    with pytest.raises(MalformedError, match="segment"):
        read_campaign(f'message = "sale"\nsegment = "{name}"'.encode())


def test_a_reference_that_cannot_be_kept_refuses_the_campaign() -> None:
    with pytest.raises(MalformedError, match="reference"):
        read_campaign(b'message = "sale"\nreference = "' + b"r" * 129 + b'"')


def test_unknown_columns_become_attributes() -> None:
    (pack,) = packs_of(["recipient_id,first_name\n", "amara,Amara\n"], data={"discount": 20})
    (request,) = unpacked(pack).requests
    assert (request.attributes, request.data) == ({"first_name": "Amara"}, {"discount": 20})


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("not an id,x\n", "recipient_id", "1 to 128"),
        (",x\n", "recipient_id", "1 to 128"),
        ("amara,again\n", "recipient_id", "earlier row"),
        ("ben\n", "", "cells"),
    ],
)
def test_a_bad_row_is_refused_with_row_column_and_reason_and_the_rest_goes_on(
    row: str, column: str, reason: str
) -> None:
    found = read(["recipient_id,note\n", "amara,x\n", row, "chi,x\n"])
    (refused,) = [each for each in found if isinstance(each, Refused)]
    assert (refused.row, refused.column) == (3, column)
    assert reason in refused.reason
    assert [each for each in found if each is not refused] == [["amara", "x"], ["chi", "x"]]


def test_the_reason_of_a_refusal_never_quotes_the_row() -> None:
    (refused,) = read(["recipient_id\n", "amara@example.com\n"])
    assert isinstance(refused, Refused)
    assert "amara" not in refused.reason
    assert refused.cells == ["amara@example.com"]


def test_a_segment_needs_the_column_recipient_id() -> None:
    with pytest.raises(MalformedError, match="recipient_id"):
        read(["id\n", "amara\n"])


def test_an_empty_segment_without_the_column_is_refused_too() -> None:
    with pytest.raises(MalformedError, match="recipient_id"):
        read(["id\n"])


def test_people_travel_in_packs_of_a_hundred() -> None:
    assert [len(unpacked(pack).requests) for pack in packed(PACK_LIMIT * 2 + 1)] == [PACK_LIMIT, PACK_LIMIT, 1]


def test_a_pack_always_fits_into_a_schedule() -> None:
    some = packed(100, cell="x" * 20_000)
    assert sum(len(unpacked(pack).requests) for pack in some) == 100
    assert all(len(msgspec.json.encode(pack)) < 256_000 for pack in some)


def test_packs_and_requests_of_the_same_upload_are_the_same() -> None:
    assert packed(150) == packed(150)


def test_the_same_upload_is_the_same_run_and_another_version_another() -> None:
    key = "campaigns/spring/campaign.toml"
    assert new_run(uploaded(key, "1")) == new_run(uploaded(key, "1"))
    assert new_run(uploaded(key, "1")).run_id != new_run(uploaded(key, "2")).run_id


@pytest.mark.parametrize(
    "key",
    ["campaign.toml", "campaigns/campaign.toml", "campaigns/a b/campaign.toml", "campaigns/x/y/campaign.toml", "x/y/z"],
)
def test_a_manifest_lies_in_a_folder_of_its_campaign(key: str) -> None:
    with pytest.raises(MalformedError):
        new_run(uploaded(key, "1"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "message"),
        (b"message = 3", "$.message"),
        (b'message = "sale"\nschedul = "now"', "schedul"),
        (b'message = "sale"\nschedule = "tomorrow"', "$.schedule"),
        (b'message = "sale"\nsegment = "../other.csv"', "own folder"),
        (b"message = ", "campaign.toml"),
        (b"\xff\xfe", "campaign.toml"),
    ],
)
def test_a_manifest_that_cannot_be_read_says_which_field_is_wrong(text: bytes, said: str) -> None:
    with pytest.raises(MalformedError) as refused:
        read_campaign(text)
    assert said in str(refused.value)


@given(st.lists(st.text(max_size=2), max_size=300))
def test_nobody_is_ever_new_twice_and_everybody_always_once(names: list[str]) -> None:
    table, known = Newcomers(size=4), set[str]()
    for person in names:
        assert table.known([hash(person)]) == ([0] if person in known else [])
        known.add(person)
    assert Newcomers(size=4).known(map(hash, names)) == [at for at, name in enumerate(names) if name in names[:at]]


def test_a_hundred_thousand_people_are_told_apart() -> None:
    table, names = Newcomers(size=1024), [f"customer-{number}" for number in range(100_000)]
    assert table.known(map(hash, names)) == []
    assert len(table.known(map(hash, names))) == 100_000


def test_a_segment_of_more_people_than_there_is_memory_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_of_people, "PEOPLE_LIMIT", 64)
    with pytest.raises(MalformedError, match="names more than 64 people"):
        Newcomers(size=4).known(range(1, 65))


CELLS = st.sampled_from(
    ["x", "", " led", "O'Brien", "'=1", "Zoë", "a, b", 'say "hi"', "two\nlines", "one\r\ntwo", "\x1f'x", "\udcff", "\0"]
)
LINES = st.one_of(
    st.tuples(st.integers(0, 400), CELLS).map(lambda row: f"p{row[0]},{row[1]}\n"),
    st.tuples(st.integers(0, 400), CELLS).map(lambda row: f'p{row[0]},"{row[1].replace(chr(34), chr(34) * 2)}"\r\n'),
    st.sampled_from(["\n", " p1,x\n", "p1\n", "p1,x,y\n", 'p1,"x\n', "not an id,x\n", ",x\n", f"p1,{'x' * 20_000}\n"]),
)


def outcome(text: str) -> tuple[list[list[str]], list[Refused], str]:
    """What comes of a file: its rows, its refusals, and why it was refused as a whole."""
    found: list[list[str]] = []
    refused: list[Refused] = []
    try:
        for rows in people(
            read_table(Lines([text.encode("utf-8", "replace")]), required="recipient_id"), refused.append
        ):
            found.extend(rows)
    except MalformedError as error:
        return [], [], str(error)  # nothing of it counts
    return found, refused, ""


@settings(deadline=None, max_examples=200)
@given(st.lists(LINES, max_size=40), st.integers(0, 250))
def test_rows_by_the_hundred_are_what_they_are_row_by_row(lines: list[str], plain: int) -> None:
    text = "recipient_id,note\n" + "".join(f"q{number},x\n" for number in range(plain)) + "".join(lines)
    by_the_hundred = outcome(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv, "ODD", ("",))  # everything is odd
        assert outcome(text) == by_the_hundred
