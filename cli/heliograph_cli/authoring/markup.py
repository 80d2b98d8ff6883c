"""Rules about the markup of files: what mail programs remove, refuse or take for an attack."""

import re
from collections.abc import Iterator

from heliograph.rendering.templates import is_html
from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.sources import Source

COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
ACTIVE = re.compile(
    r"<\s*(script|iframe|frame|form|input|textarea|select|object|embed|applet|base|audio|video)\b", re.IGNORECASE
)
"""Elements that mail programs remove, or for which they put the whole mail into spam."""
INSTEAD = {
    "script": "Remove it: no mail program runs scripts.",
    "iframe": "Remove it, and link to the page.",
    "form": "Remove it, and link to a page with the form.",
}
HANDLER = re.compile(r"<[a-z][^<>]*?\s(on[a-z]+)\s*=", re.IGNORECASE)
SCRIPT_LINK = re.compile(r"\b(javascript|vbscript)\s*:", re.IGNORECASE)
UNSAFE_LINK = re.compile(r"http://(?!www\.w3\.org/)[^\s\"'<>]*")


def check_markup(source: Source) -> Iterator[Finding]:
    """What no file may hold, whoever it is for."""
    text = COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), source.text)
    for link in UNSAFE_LINK.finditer(text):
        problem = f"The link {link[0]} is not encrypted."
        yield Finding(source.file, line_at(text, link.start()), problem, "Write https instead of http.")
    for script in SCRIPT_LINK.finditer(text):
        problem = f"{script[1].lower()}: does not work in messages, and filters take it for an attack."
        yield Finding(source.file, line_at(text, script.start()), problem, "Write an https link.")
    yield from _active(source.file, text) if is_html(source.file) else ()


def _active(file: str, text: str) -> Iterator[Finding]:
    for element in ACTIVE.finditer(text):
        name = element[1].lower()
        problem = f"Mail programs remove <{name}>, or put the mail into spam."
        yield Finding(file, line_at(text, element.start()), problem, INSTEAD.get(name, "Remove it."))
    for handler in HANDLER.finditer(text):
        problem = f"Mail programs remove {handler[1].lower()}=: no mail program runs scripts."
        yield Finding(file, line_at(text, handler.start(1)), problem, "Remove it.")


def line_at(text: str, position: int) -> int:
    """The number of the line in which a position is."""
    return text.count("\n", 0, position) + 1
