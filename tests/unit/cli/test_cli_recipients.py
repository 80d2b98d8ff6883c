"""People come in from a file and go out to one; what is refused is listed."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import EMAIL, PUSH, SMS, a_recipient, reached_by
from heliograph.model.people import Consent, ConsentState, Preferences, Recipient
from heliograph.model.policy import Policy
from heliograph.people.changes import RecipientChange, from_row
from heliograph.people.exporting.work import export_to
from heliograph.people.importing.lanes import PACK
from heliograph.people.importing.work import Summary, Terms, import_file
from heliograph.text.csv import read_rows
from heliograph.text.errors import MalformedError

AT = datetime(2026, 11, 21, tzinfo=UTC)
TERMS = Terms(name="people.csv", policy=Policy(topics={"news": "News"}), at=AT)


class Table:
    """Keeps what is saved, in the order in which it is saved."""

    def __init__(self) -> None:
        self.packs: list[list[RecipientChange]] = []

    def save_many(self, changes: list[RecipientChange]) -> None:
        self.packs.append(changes)

    def saved(self) -> list[RecipientChange]:
        return [change for pack in self.packs for change in pack]


def imported(path: Path, table: Table) -> Summary:
    return import_file(path, table.save_many, TERMS, advance=lambda _: None)


def a_file(folder: Path, content: str | bytes) -> Path:
    path = folder / "people.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rejected(path: Path) -> list[dict[str, str]]:
    with path.with_name("people.csv.rejected.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_good_rows_are_saved_and_bad_ones_listed_with_row_column_and_reason(tmp_path: Path) -> None:
    path = a_file(
        tmp_path, "recipient_id;email;timezone\r\nanna;anna@example.com;Europe/Paris\r\nbo;no;Mars\r\n;;\r\nx\r\n"
    )
    table = Table()
    summary = imported(path, table)
    assert {change.recipient_id for change in table.saved()} == {"anna", "bo"}
    assert (summary.rows, summary.saved, summary.refused_rows, summary.refused_fields) == (4, 2, 2, 2)
    assert [(each["rejected.row"], each["rejected.column"]) for each in rejected(path)] == [
        ("3", "email timezone"), ("4", "recipient_id"), ("5", "")
    ]  # fmt: skip
    assert all(each["rejected.reason"] for each in rejected(path))


def test_what_was_refused_is_kept_as_it_stood_and_once_mended_is_imported(tmp_path: Path) -> None:
    path = a_file(tmp_path, "recipient_id,email,note\n=bo=,bo@example.com,\tx\nanna,a@example.com,\ncy\n")
    imported(path, Table())
    rows = path.with_name("people.csv.rejected.csv").read_text()
    assert [row["email"] for row in rejected(path)] == ["bo@example.com", ""]
    assert rejected(path)[1]["rejected.text"] == "cy"
    assert not [cell for row in csv.reader(io.StringIO(rows)) for cell in row if cell.startswith(("=", "\t"))]
    table = Table()
    assert imported(a_file(tmp_path, rows.replace("'=bo=", "bo")), table).saved == 1
    (bo,) = table.saved()
    assert (bo.recipient_id, bo.addresses["email"][0], bo.attributes) == ("bo", "bo@example.com", {"note": "x"})


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ("Email", "email is"),
        ("E-Mail", "email is"),
        ("Phone", "phone is"),
        ("Consent.news.email", "consent.<topic or purpose>.<channel> is"),
        ("consent.news.mail", "consent.<topic or purpose>.<channel> is"),
        ("ChannelType", "Amazon Pinpoint"),
        ("Address", "Amazon Pinpoint"),
        ("OptOut", "opted_out"),
        ("consent.weather.email", "no topic weather"),
    ],
)
def test_columns_that_nearly_are_known_ones_refuse_the_file_unless_they_are_allowed(
    tmp_path: Path, columns: str, named: str
) -> None:
    path, table = a_file(tmp_path, f"recipient_id,{columns}\nanna,x\n"), Table()
    with pytest.raises(MalformedError, match=f"row 1: {re.escape(columns)} .*{named}.*--allow"):
        imported(path, table)
    assert not table.packs
    allowing = dataclasses.replace(TERMS, allow=True)
    summary = import_file(path, table.save_many, allowing, advance=lambda _: None)
    assert (summary.saved, summary.allowed) == (1, [columns])


def test_known_columns_and_those_of_ones_own_are_not_doubted(tmp_path: Path) -> None:
    columns = "recipient_id,email,consent.news.email,consent.promotional.sms,consent_at,first_name,Address line,county"
    assert imported(a_file(tmp_path, f"{columns}\nanna,,,,,,,\n"), Table()).allowed == []


def test_nothing_refused_leaves_no_list_behind(tmp_path: Path) -> None:
    path = a_file(tmp_path, "recipient_id\nanna\n")
    path.with_name("people.csv.rejected.csv").write_text("of an earlier import")
    assert imported(path, Table()).rejected == ""
    assert [each.name for each in tmp_path.iterdir()] == ["people.csv"]


def test_the_reason_of_a_refusal_never_quotes_a_persons_data(tmp_path: Path) -> None:
    imported(a_file(tmp_path, "recipient_id,email,phone\nanna,secret-address,secret-number\n"), Table())
    (refused,) = rejected(tmp_path / "people.csv")
    assert refused["email"] == "secret-address"
    assert "secret" not in refused["rejected.reason"]


@pytest.mark.parametrize(
    "content",
    ["recipient_id;city\nanna;Köln\n".encode("cp1252"), "sep=;\nrecipient_id;city\nanna;Köln".encode("utf-16")],
)
def test_files_as_excel_saves_them_are_read_when_their_encoding_is_certain(tmp_path: Path, content: bytes) -> None:
    table = Table()
    imported(a_file(tmp_path, content), table)
    assert [change.attributes for change in table.saved()] == [{"city": "Köln"}]


@pytest.mark.parametrize("row", ["bo,\udcff", "bo,Иванов", 'bo,"Bo\ncy,Cy'], ids=["bytes", "cp1251", "quote"])
def test_of_a_file_that_is_refused_nobody_is_saved(tmp_path: Path, row: str) -> None:
    table = Table()
    with pytest.raises(MalformedError, match=r"(line|row) 3"):
        imported(a_file(tmp_path, f"recipient_id,name\nanna,Ana\n{row}\n".encode("cp1251", "surrogateescape")), table)
    assert not table.packs


@pytest.mark.parametrize("content", [b"", b"id\nanna\n"])
def test_a_file_without_a_readable_header_is_refused_whole(tmp_path: Path, content: bytes) -> None:
    table = Table()
    with pytest.raises(MalformedError, match="row 1"):
        imported(a_file(tmp_path, content), table)
    assert not table.packs


def test_rows_about_one_person_keep_their_order_and_never_share_a_pack(tmp_path: Path) -> None:
    rows = "".join(f"{name},{number}\n" for number in range(60) for name in ("anna", "bo", "cleo"))
    table = Table()
    imported(a_file(tmp_path, f"recipient_id,visit\n{rows}"), table)
    for name in ("anna", "bo", "cleo"):
        visits = [change.attributes["visit"] for change in table.saved() if change.recipient_id == name]
        assert visits == [str(number) for number in range(60)]
    assert all(len({change.recipient_id for change in pack}) == len(pack) <= PACK for pack in table.packs)


def test_what_goes_wrong_while_saving_stops_the_import(tmp_path: Path) -> None:
    def refuse(_: list[RecipientChange]) -> None:
        raise TimeoutError("no answer")

    with pytest.raises(TimeoutError):
        import_file(
            a_file(tmp_path, "recipient_id\nanna\n"),
            refuse,
            TERMS,
            advance=lambda _: None,
        )


def test_a_large_file_takes_the_memory_of_a_few_packs(tmp_path: Path) -> None:
    path = a_file(tmp_path, "recipient_id,note\n" + "".join(f"p-{n},{'x' * 400}\n" for n in range(10_000)))
    saved = 0

    def count(changes: list[RecipientChange]) -> None:
        nonlocal saved
        saved += len(changes)

    tracemalloc.start()
    import_file(path, count, TERMS, advance=lambda _: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert saved == 10_000
    assert peak < path.stat().st_size / 2


def test_no_exported_cell_is_a_formula() -> None:
    file = io.StringIO(newline="")
    export_to(file, [a_recipient("anna", attributes={"=note": "=1+1", "other": "@x"})], double_opt_in=())
    cells = [cell for row in csv.reader(io.StringIO(file.getvalue(), newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


WORD = st.text("abcdefgh-=+@'\"\n\r ;,\tαжあ😀", min_size=1, max_size=12).map(str.strip).filter(bool)
NAME = st.text("abcdefgh_=-", min_size=1, max_size=8).map(lambda name: f"x{name}")
CONSENTS = st.dictionaries(
    st.sampled_from(["offers/email", "offers/sms", "news/email", "promotional/sms", "transactional/sms"]),
    st.builds(
        Consent,
        state=st.sampled_from(ConsentState),
        at=st.integers(1, 365).map(lambda days: AT - timedelta(days=days, microseconds=days)),
        source=st.sampled_from(["import:people.csv", "complaint", "api:shop", "page:unsubscribe"]),
        text=st.sampled_from(["", "offers-2026-03"]),
        proof=st.sampled_from(["", "form/17"]),
    ),
)
PEOPLE = st.builds(
    Recipient,
    recipient_id=st.text("abcXYZ019_-", min_size=1, max_size=12),
    addresses=st.builds(
        reached_by,
        email=st.sampled_from(["", "anna@example.com", "b.o+x@example.org"]),
        phone=st.sampled_from(["", "+12025550123", "+4915112345678"]),
        devices=st.sampled_from([(), ("gcm:one",), ("apns:two", "gcm:=three")]),
    ),
    preferences=st.builds(
        Preferences,
        channels=st.sampled_from([(), (SMS,), (PUSH, EMAIL)]),
        time=st.sampled_from(["", "18:30"]),
        quiet=st.sampled_from([(), ("22:00-09:00",), ("22:00-09:00", "12:00-24:00")]),
        paused_until=st.sampled_from([None, AT]),
    ),
    country=st.sampled_from(["", "CH"]),
    locale=st.sampled_from(["", "de", "ar-EG"]),
    timezone=st.sampled_from(["", "Asia/Kolkata"]),
    consents=CONSENTS,
    attributes=st.dictionaries(NAME, WORD, max_size=3),
)


@given(st.lists(PEOPLE, max_size=4, unique_by=lambda person: person.recipient_id))
def test_an_export_that_is_imported_always_gives_the_same_people(people: list[Recipient]) -> None:
    file = io.StringIO(newline="")
    export_to(file, people, double_opt_in=["news"])
    back: dict[str, Recipient] = {}
    for row in read_rows(io.StringIO(file.getvalue(), newline="")):
        change = from_row(row.values, region="US", double_opt_in=["news"], source="import:export.csv", at=AT)
        assert not change.problems
        back[change.recipient_id] = merged(back.get(change.recipient_id), change)
    assert back == {person.recipient_id: person for person in people}


def merged(person: Recipient | None, change: RecipientChange) -> Recipient:
    if person is not None:
        return msgspec.structs.replace(person, consents=person.consents | change.consents)
    names = ("recipient_id", "addresses", "locale", "timezone", "country", "consents", "attributes")
    facts = {name: getattr(change, name) for name in names}
    preferences = Preferences(
        channels=change.preferred_channels,
        time=change.preferred_time,
        quiet=change.quiet_hours,
        paused_until=change.paused_until,
    )
    return Recipient(**facts, preferences=preferences)
