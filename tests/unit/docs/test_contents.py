"""The table of contents of the tests names every file of tests, by its first sentence."""

from __future__ import annotations

import contents


def test_the_table_of_contents_is_up_to_date() -> None:
    assert contents.README.read_text(encoding="utf-8") == contents.whole(), "run `make format`"


def test_no_file_of_tests_is_missing_from_it_and_each_says_what_it_holds() -> None:
    lines = [line for line in contents.README.read_text(encoding="utf-8").splitlines() if line.startswith("- [`test_")]
    assert len(lines) == len(contents.files())
    assert [file for file in contents.files() if not any(f"({file.as_posix()}): " in line for line in lines)] == []
    assert [line for line in lines if line.endswith(": ")] == []
