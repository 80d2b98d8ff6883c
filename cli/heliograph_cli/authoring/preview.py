"""One page that shows every message as people will get it: each channel, each language, with its sample."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from babel import Locale

from heliograph import channels
from heliograph.channels.registry import authoring, spec
from heliograph.model.channels import Channel
from heliograph.rendering.templates import Templates
from heliograph.text.errors import UndeliverableError
from heliograph.text.locales import lookup
from heliograph_cli.authoring import compose
from heliograph_cli.authoring.compiling import locales, opened
from heliograph_cli.authoring.findings import DeskError, Finding, counted
from heliograph_cli.authoring.lint import Proof, check
from heliograph_cli.authoring.pictures import embedded
from heliograph_cli.authoring.proof import rendered
from heliograph_cli.authoring.sources import Desk, Draft
from heliograph_cli.authoring.wording import sample_context


def _spoken(seconds: int) -> str:
    """`15 minutes`, `1 hour`, `2 days`."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % size == 0:
            return counted(seconds // size, unit)
    return counted(seconds, "second")


PAGE = jinja2.Environment(
    loader=jinja2.FileSystemLoader([Path(__file__).parent, Path(channels.__file__).parent]),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
PAGE.filters["spoken"] = _spoken


@dataclass(frozen=True)
class Card:
    """A message on a channel in a language."""

    channel: Channel
    locale: str
    direction: str
    content: dict[str, str]
    asides: dict[str, str]
    """File -> what is put into a part: what stands beside the subject in the list of mails."""
    pane: Mapping[str, object]
    """What the channel shows beside the content."""


@dataclass(frozen=True)
class Shown:
    """What a preview holds."""

    messages: list[str]
    broken: list[str]
    """Messages that cannot be shown; their findings stand in their place."""
    findings: list[Finding]


def write(folder: Path, target: Path, *, only: str = "") -> Shown:
    """Write `index.html` to a folder. When no message at all can be shown, the mistakes raise DeskError."""
    proof = check(folder)
    wanted = _wanted(folder, only)
    shown = [name for name in wanted if name in proof.messages]
    if proof.desk is None or not shown:
        raise DeskError(proof.errors or [Finding("messages", 0, "There is no message.", "Add a folder.")])
    drafts = {draft.name: draft for draft in proof.desk.drafts}
    with opened(proof.desk, list(proof.messages.values())) as templates:
        sections = [_section(proof, name, drafts.get(name), templates) for name in wanted]
    target.mkdir(parents=True, exist_ok=True)
    (target / "index.html").write_text(_page(proof.desk, sections), encoding="utf-8")
    return Shown(shown, [name for name in wanted if name not in shown], list(proof.findings))


def _wanted(folder: Path, only: str) -> list[str]:
    """The names of the messages to show: all of them, or only one; DeskError when there is no such."""
    names = [path.name for path in sorted((folder / "messages").glob("*")) if path.is_dir()]
    if only and only not in names:
        remedy = f"Messages are: {', '.join(names)}."
        raise DeskError([Finding("messages", 0, f'There is no message "{only}".', remedy)])
    return [only] if only else names


def _section(proof: Proof, name: str, draft: Draft | None, templates: Templates) -> dict[str, Any]:
    """A message with its cards; one with mistakes, with what they are."""
    place = f"messages/{name}"
    own = [finding for finding in proof.findings if finding.file == place or finding.file.startswith(f"{place}/")]
    message = templates.messages.get(name)
    if proof.desk is None or message is None or draft is None:
        return {"name": name, "message": None, "cards": [], "findings": own}
    return {
        "name": name,
        "message": message,
        "topic": proof.desk.policy.topics[message.topic].title,
        "cards": list(_cards(proof.desk, draft, templates)),
        "findings": own,
    }


def _cards(desk: Desk, draft: Draft, templates: Templates) -> Iterator[Card]:
    for channel in draft.every_channel():
        for locale in locales(desk, draft, channel):
            try:
                content = rendered(draft, channel, locale, templates)
            except UndeliverableError:
                continue  # it is among the findings
            yield Card(
                channel=channel,
                locale=locale,
                direction=compose.constants(desk, draft, locale)["dir"],
                content={part: embedded(desk, text) for part, text in content.items()},
                asides={file: _aside(desk, draft, file, locale) for file in spec(channel).asides},
                pane=authoring(channel).pane(content),
            )


def _aside(desk: Desk, draft: Draft, file: str, locale: str) -> str:
    """A text on one line."""
    text = compose.rendered_alone(desk, draft, file, locale, sample_context(desk, draft, locale))
    return " ".join(text.split())


def _page(desk: Desk, sections: list[dict[str, Any]]) -> str:
    spoken = sorted({card.locale for section in sections for card in section["cards"]})
    first = lookup(desk.policy.default_locale, spoken or [desk.policy.default_locale])
    names = {locale: _language(locale) for locale in sorted(spoken, key=lambda tag: (tag != first, tag))}
    return PAGE.get_template("preview.html").render(brand=desk.brand, sections=sections, languages=names, first=first)


def _language(locale: str) -> str:
    """What speakers of a language call it."""
    name = Locale.parse(locale, sep="-").display_name or locale
    return name[:1].upper() + name[1:]
