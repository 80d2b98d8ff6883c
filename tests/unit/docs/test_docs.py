"""Pages lead where they say, name only what exists, and are found; README and subjects of commits are short."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs

ROOT = Path(__file__).parents[3]
HIDDEN = {".venv", ".local", ".aws-sam", ".git", "build"}
PAGES = sorted(page for page in ROOT.rglob("*.md") if not HIDDEN & set(page.relative_to(ROOT).parts))
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
DECISIONS = sorted(page for page in (ROOT / "docs/decisions").glob("*.md") if page.name != "README.md")
ON_GITHUB = re.compile(r"\.\./\.\./(?:security/advisories/new|issues|discussions)")
"""Links of a page at the root to the repository's own pages on GitHub, whatever the repository is called."""


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]+`", "", text, flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def links(page: Path) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text()))


def leads_nowhere(page: Path, link: str) -> bool:
    if link.startswith(("https://", "mailto:")) or (page.parent == ROOT and ON_GITHUB.fullmatch(link)):
        return False
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return not target.exists() or bool(anchor and anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page) if leads_nowhere(page, link)] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_target_of_make_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL))
    named = {word for line in re.findall(r"\bmake ((?:[a-z0-9]+ )*[a-z0-9]+)(?![\w=])", code) for word in line.split()}
    assert named - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_file_that_a_page_names_by_its_path_exists(page: Path) -> None:
    roots = "|".join(re.escape(each.name) for each in ROOT.iterdir() if each.is_dir() and each.name not in HIDDEN)
    named = re.findall(rf"`((?:{roots})/[\w./-]+)`", page.read_text())
    assert [path for path in named if not (ROOT / path).exists() and not (page.parent / path).exists()] == []


def test_the_readme_is_read_in_two_minutes() -> None:
    words = re.sub(r"!\[[^\]]*\]\([^)]*\)|\]\([^)]*\)|[|*#`\[\]]", " ", (ROOT / "README.md").read_text()).split()
    assert len(words) <= 450


def test_every_page_of_the_docs_is_in_their_index() -> None:
    index = (ROOT / "docs/README.md").read_text()
    pages = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")]
    wanted = [page for page in pages if page.parent.name != "decisions" and str(page) != "README.md"]
    assert [str(page) for page in wanted if f"]({page})" not in index] == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_a_date_and_a_status_and_is_in_the_index_with_both(page: Path) -> None:
    status = re.match(
        r"# .+\n\nStatus: (accepted|superseded by \[.+\]\(.+\.md\)), (\d{4}-\d\d-\d\d)\n", page.read_text()
    )
    assert status
    assert date.fromisoformat(status[2])
    (row,) = re.findall(
        rf"^\| \[{page.stem}\]\({page.name}\) .+$", (page.parent / "README.md").read_text(), re.MULTILINE
    )
    assert row.endswith(f"| {status[2]} | {status[1]} |")


@pytest.mark.parametrize(
    ("message", "refused"),
    [
        (f"{'ü' * 72}\n\nWhy it is so, in a line that may well be longer than seventy-two characters are.\n", False),
        (f"{'s' * 73}\n\nWhy.\n", True),
        ("A subject\nand no blank line after it\n", True),
        (
            "A subject\n\nWhy.\n# Please enter the commit message for your changes.\n",
            False,
        ),
    ],
    ids=["72 characters", "73 characters", "no blank line", "the comment of git"],
)
def test_a_commit_has_a_subject_of_at_most_72_characters_and_a_blank_line(message: str, refused: bool) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    (hook,) = (hook for hook in hooks if hook["id"] == "subject")
    found = re.search(hook["entry"].encode(), message.encode(), re.MULTILINE | re.DOTALL)  # as pygrep --multiline asks
    assert bool(found) is refused
