"""A campaign folder is checked before it is uploaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heliograph.text.errors import MalformedError
from heliograph_cli import compiled
from heliograph_cli.runs import checked_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compiled, "COMPILED", tmp_path / "build")
    made = tmp_path / "spring-sale"
    made.mkdir()
    (made / "campaign.toml").write_text('message = "spring_sale"\nschedule = "now"\n')
    (made / "segment.csv").write_text("recipient_id,code\nanna-1,X\n")
    return made


def test_a_good_folder_names_its_campaign_message_and_segment(folder: Path) -> None:
    read = checked_folder(folder)
    assert (read.name, read.message, read.segment.name) == ("spring-sale", "spring_sale", "segment.csv")


def test_a_segment_may_have_another_name_and_a_byte_order_mark(folder: Path) -> None:
    (folder / "campaign.toml").write_text('message = "spring_sale"\nsegment = "people.csv"\n')
    (folder / "people.csv").write_bytes(b"\xef\xbb\xbfrecipient_id;code\r\nanna-1;X\r\n")
    assert checked_folder(folder).segment.name == "people.csv"


@pytest.mark.parametrize(
    ("file", "content", "place"),
    [
        ("campaign.toml", "message =", "campaign.toml"),
        ("campaign.toml", 'schedule = "now"', "campaign.toml"),
        ("campaign.toml", 'message = "spring_sale"\nschedule = "tomorrow"', "schedule"),
        ("campaign.toml", 'message = "spring_sale"\nsegment = "../segment.csv"', "segment"),
        ("campaign.toml", 'message = "spring_sale"\nsegment = "none.csv"', "none.csv"),
        ("segment.csv", "", "segment.csv, row 1"),
        ("segment.csv", "recipient_id,recipient_id\na,b\n", "segment.csv, row 1, column 1"),
        ("segment.csv", "id\nanna-1\n", "segment.csv, row 1"),
        ("segment.csv", "recipient_id\n", "segment.csv"),
    ],
    ids=range(9),
)
def test_a_bad_file_is_refused_with_its_place(folder: Path, file: str, content: str, place: str) -> None:
    (folder / file).write_text(content)
    with pytest.raises(MalformedError, match=place):
        checked_folder(folder)


@pytest.mark.parametrize("file", ["campaign.toml", "segment.csv"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(MalformedError, match=file):
        checked_folder(folder)


def test_a_message_that_was_not_built_is_refused_with_those_that_were(folder: Path) -> None:
    compiled.COMPILED.mkdir()
    (compiled.COMPILED / "catalogue.json").write_text(json.dumps({"messages": {"order_shipped": {}}}))
    with pytest.raises(MalformedError, match="order_shipped"):
        checked_folder(folder)
