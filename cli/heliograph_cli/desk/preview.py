"""One page that shows every message as people will get it: each channel, each language, with its sample."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from babel import Locale

from heliograph.adapters.templates import Templates
from heliograph.domain.errors import UndeliverableError
from heliograph.domain.locales import lookup
from heliograph.domain.model import Channel
from heliograph.domain.sms_text import LIMITS, Encoding, SmsText, measure
from heliograph_cli.desk import compose
from heliograph_cli.desk.compiling import locales, opened
from heliograph_cli.desk.findings import DeskError, Finding
from heliograph_cli.desk.lint import check_sources
from heliograph_cli.desk.pictures import embedded
from heliograph_cli.desk.proof import FEW, check_content, rendered
from heliograph_cli.desk.sources import PREVIEW, Desk, Draft
from heliograph_cli.desk.wording import sample_context

PAGE = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Card:
    """A message on a channel in a language."""

    channel: Channel
    locale: str
    direction: str
    content: dict[str, str]
    preview: str = ""
    sms: SmsText | None = None

    @property
    def limit(self) -> int:
        """The units that the parts of this text have room for."""
        if self.sms is None:
            return 0
        alone, each = LIMITS[self.sms.encoding]
        return alone if self.sms.parts == 1 else each * self.sms.parts

    @property
    def strange(self) -> tuple[str, ...]:
        """The characters that look like an oversight: few, and the text would be GSM-7 without them."""
        if self.sms is None or self.sms.encoding is Encoding.GSM_7:
            return ()
        text = self.content["text"]
        few = sum(text.count(character) for character in self.sms.offenders) <= FEW * len(text)
        return self.sms.offenders if few else ()


def write(folder: Path, target: Path, *, only: str = "") -> list[str]:
    """Write `index.html` to a folder; gives the names of the messages on it. Mistakes raise DeskError."""
    desk, findings = check_sources(folder)
    errors = [finding for finding in findings if not finding.warning]
    if desk is None or errors:
        raise DeskError(sorted(errors))
    drafts = [draft for draft in desk.drafts if only in ("", draft.name)]
    if not drafts:
        known = ", ".join(draft.name for draft in desk.drafts)
        raise DeskError([Finding("messages", 0, f'There is no message "{only}".', f"Messages are: {known}.")])
    with opened(desk) as templates:
        sections = [_section(desk, draft, templates, findings) for draft in drafts]
    target.mkdir(parents=True, exist_ok=True)
    (target / "index.html").write_text(_page(desk, sections), encoding="utf-8")
    return [draft.name for draft in drafts]


def _section(desk: Desk, draft: Draft, templates: Templates, findings: list[Finding]) -> dict[str, Any]:
    own = [finding for finding in findings if finding.file.startswith(f"messages/{draft.name}/")]
    return {
        "message": templates.messages[draft.name],
        "topic": desk.policy.topics[draft.facts.topic].title,
        "cards": list(_cards(desk, draft, templates)),
        "findings": sorted({*own, *check_content(desk, draft, templates)}),
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
                preview=_preview_text(desk, draft, locale) if channel is Channel.EMAIL else "",
                sms=measure(content["text"]) if channel is Channel.SMS else None,
            )


def _preview_text(desk: Desk, draft: Draft, locale: str) -> str:
    """What stands beside the subject in the list of mails."""
    if locale not in draft.words.get(PREVIEW, {}):
        return ""
    code = compose.ENVIRONMENT.compile(compose.template(desk, draft, PREVIEW, locale))
    template = jinja2.Template.from_code(compose.ENVIRONMENT, code, {})
    return " ".join(template.render(sample_context(desk, draft, locale)).split())


def _page(desk: Desk, sections: list[dict[str, Any]]) -> str:
    spoken = sorted({card.locale for section in sections for card in section["cards"]})
    first = lookup(desk.policy.default_locale, spoken)
    names = {locale: _language(locale) for locale in sorted(spoken, key=lambda tag: (tag != first, tag))}
    return PAGE.get_template("preview.html").render(brand=desk.brand, sections=sections, languages=names, first=first)


def _language(locale: str) -> str:
    """What speakers of a language call it."""
    name = Locale.parse(locale, sep="-").display_name or locale
    return name[:1].upper() + name[1:]
