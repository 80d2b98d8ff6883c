"""Rules about the links that people would get: do they lead anywhere, safely, and past the filters?"""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

from heliograph.channels.registry import spec
from heliograph.channels.spec import Holds, Part
from heliograph.model.channels import Channel
from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.markup import line_at
from heliograph_cli.authoring.sources import FILES, Desk, Draft, Source

SHORTENERS = (
    "bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly", "shorturl.at",
    "t.co", "t.ly", "tiny.cc", "tinyurl.com", "v.gd",
)  # fmt: skip
"""Public shorteners. Carriers filter texts with their links, so AWS advises against them:
https://docs.aws.amazon.com/sms-voice/latest/userguide/best-practices.html."""
SHORTENED = re.compile(
    r"(?<![\w.@/-])(?:https?://)?(?:www\.)?(" + "|".join(map(re.escape, SHORTENERS)) + r")/[\w-]+", re.IGNORECASE
)
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
UNSAFE_SCHEMES = frozenset({"javascript", "vbscript", "data", "file"})
LINKING = frozenset({"href", "src", "action", "background"})


def check_links(
    desk: Desk, draft: Draft, channel: Channel, locale: str, content: Mapping[str, str]
) -> Iterator[Finding]:
    """Each link of a message in a language, once."""
    for text in content.values():
        for link in dict.fromkeys(found[0] for found in SHORTENED.finditer(text)):
            problem = f"Filters often stop messages with links of public shorteners, such as {link}."
            yield _at(desk, draft, channel, locale, link, problem, "Write the link in full, on a domain of your own.")
    links = [link for name, part in spec(channel).parts.items() for link in _links_in(part, content.get(name, ""))]
    for link in dict.fromkeys(links):
        for problem, remedy in _wrong(link):
            yield _at(desk, draft, channel, locale, link, problem, remedy)


def _wrong(link: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a link, and what to do."""
    bare = re.sub(r"[\x00-\x20\x7f]", "", link)
    scheme = SCHEME.match(bare)
    if bare in ("", "#"):
        yield "A link leads nowhere.", "Write where it leads: https://…"
    elif scheme and scheme[1].lower() in UNSAFE_SCHEMES:
        yield f"Mail programs do not open links with {scheme[1].lower()}:.", "Write an https link."
    elif not scheme and not bare.startswith("#"):
        yield f"The link {link} is relative: nobody knows to which website it belongs.", "Write it in full: https://…"


def _at(desk: Desk, draft: Draft, channel: Channel, locale: str, link: str, problem: str, remedy: str) -> Finding:
    """A finding at the line where a link is written; the sample holds those that the words do not."""
    for source in _places(desk, draft, channel, locale):
        place = source.text.find(link) if link.strip("# ") else -1
        if place >= 0:
            return Finding(source.file, line_at(source.text, place), problem, remedy)
    file = next((source.file for source in _places(desk, draft, channel, locale)), f"messages/{draft.name}")
    return Finding(file, 0, problem, remedy)


def _places(desk: Desk, draft: Draft, channel: Channel, locale: str) -> Iterator[Source]:
    """The files that a link may be written in, those of the message first."""
    for file, texts in sorted(draft.words.items(), key=lambda each: not each[0].endswith(".html")):
        if FILES[file] == channel and locale in texts:
            yield texts[locale]
    yield from draft.sample_sources(locale)
    if spec(channel).shares_layout:
        yield from [*desk.layouts.values(), *desk.components]


def _links_in(part: Part, text: str) -> list[str]:
    """The links of a part that holds any."""
    if part.holds is Holds.LINK:
        return [text] if text else []
    return _links_of(text) if part.holds is Holds.MARKUP else []


def _links_of(html: str) -> list[str]:
    reader = _Links()
    reader.feed(html)
    reader.close()
    return reader.found


class _Links(HTMLParser):
    """Collects the links of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in LINKING]
