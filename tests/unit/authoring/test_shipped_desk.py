"""Rules about `templates/`: it is sound, and belongs to the marketer. Of all tests, only these read it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from heliograph_cli.authoring.build import build
from heliograph_cli.authoring.lint import check
from tests_desk import DESK, ROOT

SHIPPED = ROOT / "templates"
READING = re.compile(r"""\b(?:ROOT|parents\[\d\]|parent)\s*/\s*["'](?:build/)?templates\b""")
"""How a test would name the shipped templates, or what was built from them."""


def test_the_shipped_messages_have_nothing_to_correct() -> None:
    assert check(SHIPPED).errors == []


def test_no_other_test_depends_on_what_a_marketer_edits() -> None:
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    assert len(tests) > 50
    assert [path.name for path in tests if READING.search(path.read_text(encoding="utf-8"))] == []


def other_words(text: str) -> str:
    """Every word outside of tags replaced, as if all had been written anew."""
    pieces = re.split(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<[^>]*>|https://\S+|STOP)", text, flags=re.DOTALL)
    return "".join(piece if place % 2 else re.sub(r"[^\W\d_]+", "word", piece) for place, piece in enumerate(pieces))


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """Templates after a marketer's busy day: all words new; messages renamed, removed and added."""
    desk = tmp_path / "templates"
    shutil.copytree(DESK, desk)
    first, *others = sorted(path for path in (desk / "messages").iterdir() if path.is_dir())
    for path in (desk / "messages").rglob("*"):
        if path.suffix in (".html", ".txt"):
            path.write_text(other_words(path.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copytree(first, desk / "messages/a_new_message")
    for number, folder in enumerate([first, *others[:-1]]):
        folder.rename(folder.with_name(f"renamed_{number}"))
    shutil.rmtree(others[-1])
    brand = desk / "brand/brand.toml"
    brand.write_text(re.sub(r'^name = ".*"', 'name = "Another Name"', brand.read_text(), count=1, flags=re.MULTILINE))
    return desk


def test_a_marketer_may_change_every_word_and_rename_remove_and_add_messages(edited: Path, tmp_path: Path) -> None:
    built = build(edited, tmp_path / "build/templates")
    assert {"a_new_message", "renamed_0"} <= set(built.messages)
    assert set(built.messages).isdisjoint(path.name for path in (DESK / "messages").iterdir())
