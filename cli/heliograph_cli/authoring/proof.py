"""Rules about the content that people would get, rendered with the sample."""

import re
from collections.abc import Iterator, Mapping

from heliograph.channels.registry import authoring, spec
from heliograph.channels.spec import OptOut, Written
from heliograph.model.channels import Channel
from heliograph.model.policy import Purpose
from heliograph.rendering.templates import Templates
from heliograph.text.errors import UndeliverableError
from heliograph.text.locales import lookup
from heliograph_cli.authoring import compose
from heliograph_cli.authoring.compiling import locales
from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.links import check_links
from heliograph_cli.authoring.sources import Desk, Draft
from heliograph_cli.authoring.wording import UNSUBSCRIBE, sample_context

OPT_OUT = re.compile(r"\bSTOP\b")


def check_content(desk: Desk, draft: Draft, templates: Templates) -> Iterator[Finding]:
    """Every channel in every language."""
    for channel in draft.every_channel():
        for locale in locales(desk, draft, channel):
            try:
                content = rendered(draft, channel, locale, templates)
            except UndeliverableError as error:
                problem = f"It cannot be rendered with the sample: {error.detail}."
                yield Finding(_file(draft, channel, "", locale), 0, problem, "Correct the words or the sample.")
                continue
            yield from _parts(desk, draft, channel, locale, content)
            yield from check_links(desk, draft, channel, locale, content)


def rendered(draft: Draft, channel: Channel, locale: str, templates: Templates) -> dict[str, str]:
    """The content with the sample of a language, wherever its links lead: each is looked at with its line."""
    sample = draft.sample(locale)
    return templates.written(
        templates.messages[draft.name],
        channel,
        locale=locale,
        recipient=sample.recipient,
        data=sample.data,
        unsubscribe_url=UNSUBSCRIBE,
    )


def _parts(desk: Desk, draft: Draft, channel: Channel, locale: str, content: Mapping[str, str]) -> Iterator[Finding]:
    for part, text in content.items():
        if not text:
            yield Finding(_file(draft, channel, part, locale), 0, f"The {part} is empty.", "Write something.")

    def alone(part: str) -> str:
        file = spec(channel).parts[part].file
        return compose.rendered_alone(desk, draft, file, locale, sample_context(desk, draft, locale))

    def source(part: str) -> str:
        texts = draft.words[spec(channel).parts[part].file]
        return texts[lookup(locale, locales(desk, draft, channel, spec(channel).parts[part].file))].text

    for remark in authoring(channel).lint(Written(content, draft.facts.sms_parts, alone, source)):
        file = _file(draft, channel, remark.part, locale)
        yield Finding(file, 0, remark.problem, remark.remedy, warning=remark.is_warning)
    if draft.facts.purpose is Purpose.PROMOTIONAL:
        yield from _way_out(draft, channel, locale, content)


def _way_out(draft: Draft, channel: Channel, locale: str, content: Mapping[str, str]) -> Iterator[Finding]:
    """A promotional message says how to get no more of them."""
    told = spec(channel)
    if told.opt_out is OptOut.ELSEWHERE:
        return
    takes_replies = told.opt_out is OptOut.REPLY
    for name in sorted(name for name, part in told.parts.items() if not part.is_one_line and name in content):
        if UNSUBSCRIBE in content[name] or (takes_replies and OPT_OUT.search(content[name])):
            continue
        remedy = "Write {{ unsubscribe_url }}" + (" or the word STOP." if takes_replies else ".")
        problem = "A promotional message must say how to unsubscribe."
        yield Finding(_file(draft, channel, name, locale), 0, problem, remedy)


def _file(draft: Draft, channel: Channel, part: str, locale: str) -> str:
    """The file that a part's words are in, or the message's folder."""
    found = spec(channel).parts.get(part)
    source = draft.words.get(found.file, {}).get(locale) if found else None
    return source.file if source else f"messages/{draft.name}"
