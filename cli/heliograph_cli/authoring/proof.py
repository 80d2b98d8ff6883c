"""Rules about the content that people would get, rendered with the sample."""

import html
import re
from collections.abc import Iterator, Mapping

from heliograph.channels.sms.parts import LIMITS, Encoding, measure
from heliograph.model.channels import Channel
from heliograph.model.policy import Purpose
from heliograph.rendering.templates import PARTS, Templates
from heliograph.text.errors import UndeliverableError
from heliograph_cli.authoring import compose
from heliograph_cli.authoring.compiling import locales
from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.links import check_links
from heliograph_cli.authoring.sources import Desk, Draft
from heliograph_cli.authoring.wording import UNSUBSCRIBE, sample_context

CLIPPED = 102_000  # bytes of HTML after which Gmail cuts a mail off
FEW = 0.1
"""Share of a text up to which characters outside GSM-7 look like an oversight."""
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
            yield from _parts(draft, channel, locale, content)
            yield from check_links(desk, draft, channel, locale, content)
            if channel is Channel.EMAIL:
                yield from _empty(desk, draft, locale)


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


def _parts(draft: Draft, channel: Channel, locale: str, content: Mapping[str, str]) -> Iterator[Finding]:
    for part, text in content.items():
        if not text:
            yield Finding(_file(draft, channel, part, locale), 0, f"The {part} is empty.", "Write something.")
    if channel is Channel.EMAIL:
        yield from _email(draft, locale, content["html"])
    if channel is Channel.SMS:
        yield from _sms(draft, locale, content["text"])
    if draft.facts.purpose is Purpose.PROMOTIONAL:
        yield from _way_out(draft, channel, locale, content)


def _empty(desk: Desk, draft: Draft, locale: str) -> Iterator[Finding]:
    """A mail in which the layout alone says something."""
    for part in ("html", "text"):
        file = PARTS[Channel.EMAIL][part]
        own = compose.rendered_alone(desk, draft, file, locale, sample_context(desk, draft, locale))
        if not re.search(r"<img\b", own) and not html.unescape(re.sub(r"<[^>]*>", " ", own)).strip():
            problem = "The mail is empty: there is nothing but its layout."
            yield Finding(_file(draft, Channel.EMAIL, part, locale), 0, problem, "Write something.")


def _email(draft: Draft, locale: str, markup: str) -> Iterator[Finding]:
    file = _file(draft, Channel.EMAIL, "html", locale)
    if len(markup.encode()) > CLIPPED:
        yield Finding(file, 0, "Gmail cuts off mails of more than 102 KB.", "Shorten it.", warning=True)
    if re.search(r"<img\b(?![^>]*\salt=)", markup):
        yield Finding(file, 0, "A picture has no alt text.", 'Write alt="what it shows", or alt="" for decoration.')


def _sms(draft: Draft, locale: str, text: str) -> Iterator[Finding]:
    file = _file(draft, Channel.SMS, "text", locale)
    measured = measure(text)
    if measured.parts > draft.facts.sms_parts:
        problem = f"The text takes {measured.parts} parts; {draft.facts.sms_parts} are allowed."
        yield Finding(file, 0, problem, "Shorten it, or raise sms_parts in message.toml.")
    strange = sum(text.count(character) for character in measured.offenders)
    if 0 < strange <= FEW * len(text):
        named = " ".join(f"“{character}”" for character in measured.offenders)
        shorter, longer = (LIMITS[encoding][0] for encoding in (Encoding.UCS_2, Encoding.GSM_7))
        problem = f"{named} cuts a part from {longer} to {shorter} characters."
        yield Finding(file, 0, problem, "Write it with a plain character.", warning=True)


def _way_out(draft: Draft, channel: Channel, locale: str, content: Mapping[str, str]) -> Iterator[Finding]:
    """A promotional message says how to get no more of them."""
    if channel is Channel.PUSH:
        return
    for part in sorted(content.keys() & {"html", "text"}):
        if UNSUBSCRIBE in content[part] or (channel is Channel.SMS and OPT_OUT.search(content[part])):
            continue
        remedy = "Write {{ unsubscribe_url }}" + (" or the word STOP." if channel is Channel.SMS else ".")
        problem = "A promotional message must say how to unsubscribe."
        yield Finding(_file(draft, channel, part, locale), 0, problem, remedy)


def _file(draft: Draft, channel: Channel, part: str, locale: str) -> str:
    """The file that a part's words are in, or the message's folder."""
    file = PARTS[channel].get(part, "")
    source = draft.words.get(file, {}).get(locale)
    return source.file if source else f"messages/{draft.name}"
