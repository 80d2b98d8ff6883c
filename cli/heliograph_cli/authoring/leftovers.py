"""What is left over when a folder was copied: the words, the trigger and the sample of the message it was."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.markup import line_at
from heliograph_cli.authoring.sources import Desk, Draft, Source
from heliograph_cli.authoring.triggers import event_pattern

SAID = 12  # letters from which on two texts are not the same by chance
MARKS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<[^>]*>", re.DOTALL)
PLACEHOLDER = re.compile(r"\blorem ipsum\b|\b(?:TODO|FIXME|TBD)\b|\bX{3,}\b", re.IGNORECASE)


def check_leftovers(desk: Desk) -> Iterator[Finding]:
    """Warnings: each may be meant, and most are not."""
    for earlier, later in combinations(desk.drafts, 2):
        yield from _same_words(earlier, later)
        yield from _same_trigger(desk, earlier, later)
    for draft in desk.drafts:
        yield from _untranslated(desk, draft)
        yield from _unused_in_sample(draft)
        for source in _sources(draft):
            yield from _placeholders(source)
            yield from _names_of_others(desk, draft, source)


def _sources(draft: Draft) -> Iterator[Source]:
    for texts in draft.words.values():
        yield from texts.values()


def _words(source: Source) -> str:
    """What people would read of a file, as far as it says something."""
    text = " ".join(MARKS.sub(" ", source.text).split())
    return text if sum(character.isalpha() for character in text) >= SAID else ""


def _same_words(earlier: Draft, later: Draft) -> Iterator[Finding]:
    for file, texts in later.words.items():
        for locale, source in texts.items():
            other = earlier.words.get(file, {}).get(locale)
            if other and _words(source) and _words(source) == _words(other):
                problem = f"The same words stand in {other.file}."
                yield Finding(source.file, 0, problem, "Is one a copy? Then change its words.", warning=True)


def _same_trigger(desk: Desk, earlier: Draft, later: Draft) -> Iterator[Finding]:
    triggers = earlier.facts.trigger, later.facts.trigger
    if not triggers[0] or not triggers[1]:
        return
    if event_pattern(triggers[0].to_model()) == event_pattern(triggers[1].to_model()):
        file = f"messages/{later.name}/message.toml"
        problem = f"The same event sends {earlier.name}, too: people get both."
        yield Finding(file, desk.line(file, "trigger"), problem, "Correct the trigger, or remove it.", warning=True)


def _untranslated(desk: Desk, draft: Draft) -> Iterator[Finding]:
    default = desk.policy.default_locale
    for texts in draft.words.values():
        for locale, source in texts.items():
            spoken = locale.partition("-")[0]
            if default not in texts or spoken == default.partition("-")[0] or not _words(source):
                continue
            if _words(source) == _words(texts[default]):
                problem = f"The words in {locale} are those in {default}."
                yield Finding(source.file, 0, problem, "Translate them.", warning=True)


def _unused_in_sample(draft: Draft) -> Iterator[Finding]:
    """Names in the sample that neither the words nor the trigger know: of another message, perhaps."""
    if not draft.words:
        return
    trigger = draft.facts.trigger.model_dump_json() if draft.facts.trigger else ""
    known = set(re.findall(r"[\w-]+", " ".join([trigger, *(source.text for source in _sources(draft))])))
    for source in draft.sample_sources(""):
        for name in sorted(_names(json.loads(source.text)) - known):
            line = line_at(source.text, source.text.find(json.dumps(name, ensure_ascii=False)))
            problem = f'Nothing in this message uses "{name}".'
            yield Finding(source.file, line, problem, "Is it left over from a copy? Then remove it.", warning=True)


def _names(sample: dict[str, Any]) -> set[str]:
    """The names of the first level of an event: deeper ones may be walked through by a component."""
    return set(sample.get("data", {}))


def _placeholders(source: Source) -> Iterator[Finding]:
    for found in PLACEHOLDER.finditer(source.text):
        line = line_at(source.text, found.start())
        yield Finding(source.file, line, f"“{found[0]}” stands in the words.", "Write what people read.", warning=True)


def _names_of_others(desk: Desk, draft: Draft, source: Source) -> Iterator[Finding]:
    """The name of another message, as in the campaign of a link; a name that is a plain word may be meant."""
    for other in desk.drafts:
        if other is draft or not re.search(r"[_-]", other.name) or other.name in draft.name:
            continue
        found = re.search(rf"(?<![\w-]){re.escape(other.name)}(?![\w-])", source.text)
        if found:
            problem = f"The words name another message, {other.name}."
            line = line_at(source.text, found.start())
            yield Finding(source.file, line, problem, f"Should it be {draft.name}?", warning=True)
