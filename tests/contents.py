"""The table of contents of the tests: `python tests/contents.py` writes it, from the first sentence of every file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
README = TESTS / "README.md"
MARK = "## Which file holds which rule\n"


def files() -> list[Path]:
    """Every file of tests, relative to the folder of the tests."""
    return sorted(path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))


def contents() -> str:
    """The table, a chapter a folder."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    folder = None
    for file in files():
        if file.parent != folder:
            folder = file.parent
            yield f"\n### {folder.as_posix()}\n"
        said = ast.get_docstring(ast.parse((TESTS / file).read_text(encoding="utf-8"))) or ""
        yield f"- [`{file.name}`]({file.as_posix()}): {' '.join(said.split(chr(10) * 2)[0].split())}"


def whole() -> str:
    """The page as it is to be: what a person wrote, then the table."""
    return README.read_text(encoding="utf-8").partition(MARK)[0] + MARK + contents() + "\n"


if __name__ == "__main__":
    README.write_text(whole(), encoding="utf-8")
