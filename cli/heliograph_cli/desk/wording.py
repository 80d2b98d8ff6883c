"""Rules about words and markup, without rendering: syntax, variables, links."""

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from heliograph.adapters.templates import is_html, is_present
from heliograph.domain.formats import STYLES
from heliograph.domain.model import Purpose
from heliograph_cli.desk import compose
from heliograph_cli.desk.findings import Finding
from heliograph_cli.desk.sources import FILES, Desk, Draft, Source
from heliograph_cli.desk.variables import Variable, variables

UNSAFE_LINK = re.compile(r"http://(?!www\.w3\.org/)[^\s\"'<>]*")
UNSUBSCRIBE = "https://example.com/unsubscribe"
"""Stands for the personal link in samples."""
GIVEN = ("brand", "data", "locale", "recipient", "unsubscribe_url", "words", "lang", "dir", "start", "end")
"""What words may use."""
SLOTS = ("content", "preview")
"""What layouts may use besides."""


def check_syntax(desk: Desk) -> list[Finding]:
    """Files that Jinja2 cannot read."""
    sources = [*desk.layouts.values(), *desk.components]
    sources += [source for draft in desk.drafts for texts in draft.words.values() for source in texts.values()]
    return [finding for source in sources if (finding := _syntax(source))]


def _syntax(source: Source) -> Finding | None:
    if "\N{REPLACEMENT CHARACTER}" in source.text:
        line = source.text.partition("\N{REPLACEMENT CHARACTER}")[0].count("\n") + 1
        return Finding(source.file, line, "A character cannot be read.", "Save the file as UTF-8.")
    try:
        compose.ENVIRONMENT.compile(source.text, raw=True)
    except TemplateSyntaxError as error:
        said = (error.message or "This cannot be read").rstrip(".")
        return Finding(source.file, error.lineno, f"{said}.", "Correct what stands in {{ }} or {% %} there.")
    return None


def check_words(desk: Desk, draft: Draft) -> Iterator[Finding]:
    """What a message's files say and use."""
    for file, texts in draft.words.items():
        if FILES[file] not in draft.every_channel():
            continue
        used = {locale: _variables(desk, file, source) for locale, source in texts.items()}
        for locale, source in texts.items():
            yield from _links(source)
            yield from _filters(source)
            yield from _unknown(desk, draft, locale, source, used[locale])
        yield from _forgotten(desk.policy.default_locale, texts, used)


def _variables(desk: Desk, file: str, source: Source) -> list[Variable]:
    tree = compose.ENVIRONMENT.parse(source.text)
    return variables(tree, compose.macros(desk, file))


def _links(source: Source) -> Iterator[Finding]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        for link in UNSAFE_LINK.findall(line):
            yield Finding(source.file, number, f"The link {link} is not encrypted.", "Write https instead of http.")


def _filters(source: Source) -> Iterator[Finding]:
    """Filters of dates and amounts that can work with no data at all."""
    for used in compose.ENVIRONMENT.parse(source.text).find_all(nodes.Filter):
        given = [*used.args, *(keyword.value for keyword in used.kwargs)]
        style = given[0].value if given and isinstance(given[0], nodes.Const) else None
        if used.name in ("date", "datetime") and style is not None and style not in STYLES:
            problem = f"{used.name} knows no style “{style}”."
            yield Finding(source.file, used.lineno, problem, f"Write one of: {', '.join(STYLES)}.")
        if used.name == "currency" and not given:
            remedy = 'Write currency("EUR"), or where the code is: currency(data.currency).'
            yield Finding(source.file, used.lineno, "currency does not know which currency.", remedy)


def _unknown(
    desk: Desk, draft: Draft, locale: str, source: Source, used: list[Variable]
) -> Iterator[Finding]:  # the variables of one file
    context = sample_context(desk, draft, locale)
    for variable in used:
        if variable.root == "unsubscribe_url" and draft.facts.purpose is Purpose.TRANSACTIONAL:
            problem = "A transactional message has no link to unsubscribe."
            yield Finding(source.file, variable.line, problem, "Remove {{ unsubscribe_url }}.")
        if variable.optional or is_present(variable.path, context):
            continue
        name = f"{{{{ {variable.path} }}}}"
        if variable.root not in GIVEN:
            components = "" if is_html(source.file) else " of a .txt file"
            remedy = f"Use {', '.join(GIVEN[:5])}, or the name of a component{components}."
            yield Finding(source.file, variable.line, f"{name} is not a variable.", remedy)
        elif variable.root in ("data", "recipient"):
            remedy = 'Correct the name, add it to the sample, or say what to write without it: | default("…").'
            yield Finding(source.file, variable.line, f"{name} is not in sample.json.", remedy)
        else:
            yield Finding(source.file, variable.line, f"{name} does not exist.", "Correct the name.")


def check_layouts(desk: Desk) -> Iterator[Finding]:
    """What the layouts use."""
    context = compose.constants(desk, desk.drafts[0], desk.policy.default_locale) if desk.drafts else {}
    known = {*context, *GIVEN, *SLOTS}
    for file, source in desk.layouts.items():
        yield from _links(source)
        for variable in _variables(desk, file, source) if context else []:
            if variable.root not in known or (variable.root in context and not _there(variable, context)):
                problem = f"{{{{ {variable.path} }}}} does not exist."
                yield Finding(source.file, variable.line, problem, "Correct the name.")


def _there(variable: Variable, context: dict[str, Any]) -> bool:
    return variable.optional or is_present(variable.path, context)


def _forgotten(default: str, texts: dict[str, Source], used: dict[str, list[Variable]]) -> Iterator[Finding]:
    """Variables that the default language uses and a translation does not."""
    said = {variable.path for variable in used.get(default, [])}
    for locale, source in texts.items():
        for path in sorted(said - {variable.path for variable in used[locale]}):
            problem = f"{{{{ {path} }}}} is used in {default}, but not in {locale}."
            yield Finding(source.file, 0, problem, "Is that on purpose?", warning=True)


def sample_context(desk: Desk, draft: Draft, locale: str) -> dict[str, Any]:
    """What a message's templates may use in a language, with the values of its sample."""
    sample = draft.sample(locale)
    return compose.constants(desk, draft, locale) | {
        "recipient": sample.recipient,
        "data": sample.data,
        "locale": locale,
        "unsubscribe_url": UNSUBSCRIBE,
        "timezone": desk.policy.default_timezone,
    }
