"""Rules about facts and files: is everything there that a message needs, in every language?"""

from collections.abc import Iterator
from datetime import timedelta

from heliograph.channels.registry import CHANNELS, spec
from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementKind
from heliograph.model.policy import Purpose
from heliograph.text.locales import lookup
from heliograph_cli.authoring import pattern
from heliograph_cli.authoring.compiling import locales
from heliograph_cli.authoring.facts import BrandFacts, Confirmation
from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.sources import FILES, SHARED, Desk, Draft
from heliograph_cli.authoring.triggers import event_pattern

LAYOUTS = frozenset({"email.html", "email.txt"})
READABLE = 4.5  # contrast of text: WCAG 2.2, success criterion 1.4.3, level AA


def check_desk(desk: Desk) -> Iterator[Finding]:
    """What concerns all messages."""
    for file in sorted(LAYOUTS - desk.layouts.keys()):
        yield Finding(f"layouts/{file}", 0, "The layout of mails is missing.", "Add the file.")
    yield from _contrast(desk)
    yield from _phrases(desk)
    for channel in CHANNELS:
        if spec(channel).shares_layout:
            yield from _feet(desk, channel)


def _feet(desk: Desk, channel: Channel) -> Iterator[Finding]:
    """Languages of messages in which the layout around them says nothing."""
    drafts = [draft for draft in desk.drafts if channel in draft.every_channel()]
    default, noun = desk.policy.default_locale, spec(channel).noun
    for locale in sorted({locale for draft in drafts for locale in draft.locales(channel)}):
        if _language(lookup(locale, [default, *desk.words])) != _language(locale):
            problem = f"There are messages in {locale}, but the foot of their {noun} is in {default}."
            yield Finding(f"layouts/words.{locale}.toml", 0, problem, "Add the file.", warning=True)


def check_draft(desk: Desk, draft: Draft) -> Iterator[Finding]:
    """What concerns one message."""
    yield from _facts(desk, draft)
    yield from _ways(desk, draft)
    yield from _unused(draft)
    for channel in draft.every_channel():
        yield from _missing(desk, draft, channel)
        yield from _silent(desk, draft, channel)


def _facts(desk: Desk, draft: Draft) -> Iterator[Finding]:
    file = f"messages/{draft.name}/message.toml"
    line = desk.line(file, "topic")
    if draft.facts.topic not in desk.policy.topics:
        known = ", ".join(sorted(desk.policy.topics))
        yield Finding(file, line, f'"{draft.facts.topic}" is not a topic of policy.toml.', f"Use one of: {known}.")
    trigger = draft.facts.trigger
    if trigger and pattern.size(event_pattern(trigger.to_model())) > pattern.SIZE_LIMIT:
        problem = f"The trigger's pattern is longer than {pattern.SIZE_LIMIT} bytes."
        yield Finding(file, desk.line(file, "trigger", "filter"), problem, "Shorten the filter.")
    if trigger and (trigger.email or trigger.phone) and draft.facts.purpose is Purpose.PROMOTIONAL:
        problem = "A promotional message goes only to people who consented, never to an address in an event."
        yield Finding(file, desk.line(file, "trigger"), problem, "Remove email and phone from [trigger].")


def _ways(desk: Desk, draft: Draft) -> Iterator[Finding]:
    """The channels and the fallbacks: can each be reached, and only once?"""
    file = f"messages/{draft.name}/message.toml"
    steps = [draft.channels, *(fallback.channels for fallback in draft.facts.fallback)]
    if not draft.channels:
        yield _no_channel(draft, file)
    begins = timedelta()
    for number, fallback in enumerate(draft.facts.fallback):
        earlier = {channel for step in steps[: number + 1] for channel in step}
        line = desk.line(file, "fallback", number, "channels")
        for channel in sorted(earlier & set(fallback.channels)):
            yield Finding(file, line, f"{channel} is named twice.", "Name each channel once, in the step that it has.")
        for channel in steps[number] if fallback.unless is Confirmation.OPENED else ():
            if EngagementKind.OPENED in spec(channel).reports:
                continue
            line = desk.line(file, "fallback", number, "unless")
            problem = f"Nobody reports whether {spec(channel).noun} were opened."
            yield Finding(file, line, problem, 'Write unless = "delivered", or use another channel before it.')
        begins += fallback.within
        if draft.facts.expires_after and begins >= draft.facts.expires_after:
            line = desk.line(file, "fallback", number, "within")
            problem = "The message has expired when this fallback begins."
            yield Finding(file, line, problem, "Shorten within, or lengthen expires_after.")


def _no_channel(draft: Draft, file: str) -> Finding:
    """Nobody is written to: there are no words, or only for channels that must be named."""
    written = ", ".join(dict.fromkeys(f'"{FILES[each]}"' for each in draft.words))
    if not written:
        return Finding(file, 0, "There are no words for any channel.", "Add the words, or name channels.")
    problem = f"There are words for {written} alone, which policy.toml does not list among its channels."
    return Finding(file, 0, problem, f"Write channels = [{written}] into message.toml.")


def _unused(draft: Draft) -> Iterator[Finding]:
    """Words of a channel that the message does not use, while it uses another."""
    if not draft.channels:
        return
    for file, texts in draft.words.items():
        if FILES[file] in draft.every_channel():
            continue
        for source in texts.values():
            problem = f'The message is not sent by {FILES[file]}: message.toml does not name "{FILES[file]}".'
            yield Finding(source.file, 0, problem, "Add it to channels or to a fallback, or remove the file.")


def _missing(desk: Desk, draft: Draft, channel: Channel) -> Iterator[Finding]:
    """Parts that are not there: in the default language, then in the others."""
    folder, default = f"messages/{draft.name}", desk.policy.default_locale
    for name, part in spec(channel).parts.items():
        if not part.is_optional and default not in draft.words.get(part.file, {}):
            yield Finding(f"{folder}/{part.file}", 0, f"The {name} of the {channel} is missing.", "Add the file.")
    for file, problem in spec(channel).asides.items():
        if default not in draft.words.get(file, {}):
            yield Finding(f"{folder}/{file}", 0, problem, "Add the file.", warning=True)
    for locale in locales(desk, draft, channel):
        for file in _translated(draft, channel, default):
            if locale not in draft.words[file]:
                problem = f"This part is there in {default}, but not in {locale}."
                yield Finding(f"{folder}/{_suffixed(file, locale)}", 0, problem, f"Add the file, or remove {locale}.")


def _silent(desk: Desk, draft: Draft, channel: Channel) -> Iterator[Finding]:
    """Languages that other channels of the message speak and this one does not."""
    spoken, default = draft.locales(channel), desk.policy.default_locale
    if default not in spoken:  # said already
        return
    elsewhere = {locale: other for other in draft.every_channel() for locale in draft.locales(other)}
    for locale, other in sorted(elsewhere.items()):
        if _language(lookup(locale, [default, *spoken])) != _language(locale):
            file = f"{draft.folder}/{_suffixed(spec(channel).files()[0], locale)}"
            problem = f"There is a translation in {locale} for {other}, but none for {channel}."
            yield Finding(file, 0, problem, f"Add it: people who read {locale} would get {default}.")


def _language(locale: str) -> str:
    return locale.partition("-")[0]


def _translated(draft: Draft, channel: Channel, default: str) -> list[str]:
    """The files of a channel that every language must have: those of the default language."""
    files = [file for file, owner in FILES.items() if owner == channel and file not in SHARED]
    return [file for file in files if default in draft.words.get(file, {})]


def _suffixed(file: str, locale: str) -> str:
    stem, _, extension = file.rpartition(".")
    return f"{stem}.{locale}.{extension}"


def _phrases(desk: Desk) -> Iterator[Finding]:
    default = desk.policy.default_locale
    for locale, words in desk.words.items():
        for name in sorted(desk.words[default].phrases.keys() - words.phrases.keys()):
            problem = f'The phrase "{name}" is there in {default}, but not in {locale}.'
            yield Finding(f"layouts/words.{locale}.toml", 0, problem, "Translate it.")


def _contrast(desk: Desk) -> Iterator[Finding]:
    for table, words, behind in _pairs(desk.brand):
        contrast = contrast_ratio(words, behind)
        if contrast < READABLE:
            problem = f"[{table}] {words} on {behind} is hard to read: contrast {contrast:.1f}, needed {READABLE}."
            line = desk.line("brand/brand.toml", table)
            yield Finding("brand/brand.toml", line, problem, "Make one of the two darker or lighter.")


def _pairs(brand: BrandFacts) -> Iterator[tuple[str, str, str]]:
    """Pairs of colours that people must be able to read: where, words, behind them."""
    for table, palette in (("colours", brand.colours), ("dark", brand.dark)):
        yield table, palette.ink, palette.paper
        yield table, palette.muted, palette.canvas
        yield table, palette.accent, palette.paper
        yield table, palette.on_accent, palette.accent


def contrast_ratio(one: str, other: str) -> float:
    """How well two colours tell apart, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
