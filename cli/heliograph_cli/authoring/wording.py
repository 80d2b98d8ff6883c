"""Rules about words and markup, without rendering: syntax, variables, links."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import TemplateSyntaxError, UndefinedError, nodes

from heliograph.model.policy import Purpose
from heliograph.rendering.formats import STYLES
from heliograph.rendering.templates import is_html, is_present
from heliograph_cli.authoring import compose
from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.sources import FILES, Desk, Draft, Source
from heliograph_cli.authoring.variables import Variable, variables

FOREIGN = (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport, nodes.Block)
UNSUBSCRIBE = "https://example.com/unsubscribe"
"""Stands for the personal link in samples."""
GIVEN = ("brand", "data", "locale", "recipient", "unsubscribe_url", "words", "lang", "dir", "start", "end")
"""What words may use."""
SLOTS = ("content", "preview")
"""What layouts may use besides."""


def check_syntax(sources: Sequence[Source]) -> list[Finding]:
    """Files that Jinja2 cannot read."""
    return [finding for source in sources if (finding := _syntax(source))]


@lru_cache(maxsize=1024)
def _syntax(source: Source) -> Finding | None:
    if "\N{REPLACEMENT CHARACTER}" in source.text:
        line = source.text.partition("\N{REPLACEMENT CHARACTER}")[0].count("\n") + 1
        return Finding(source.file, line, "A character cannot be read.", "Save the file as UTF-8.")
    try:
        tree = compose.ENVIRONMENT.parse(source.text)
        compose.ENVIRONMENT.compile(tree)
    except TemplateSyntaxError as error:
        said = (error.message or "This cannot be read").rstrip(".")
        return Finding(source.file, error.lineno, f"{said}.", "Correct what stands in {{ }} or {% %} there.")
    except (SyntaxError, RecursionError, MemoryError):
        return Finding(source.file, 0, "What stands in {{ }} or {% %} is nested too deeply.", "Write it more simply.")
    for node in tree.find_all(FOREIGN):
        problem = f"Files cannot {type(node).__name__.lower()} others or parts of others here."
        return Finding(source.file, node.lineno, problem, "Write a component in components/, and use it.")
    return None


def check_stylesheet(desk: Desk) -> Iterator[Finding]:
    """What layouts/email.css asks for."""
    file = "layouts/email.css"
    try:
        compose.stylesheet(desk)
    except TemplateSyntaxError as error:
        yield Finding(file, error.lineno, f"{error.message}.", "Correct what stands in {{ }} there.")
    except UndefinedError as error:
        known = ", ".join(f"colours.{name}" for name in type(desk.brand.colours).model_fields)
        yield Finding(file, 0, f"{error.message}.", f"Use one of: {known}.")


def check_words(desk: Desk, draft: Draft) -> Iterator[Finding]:
    """What a message's files say and use."""
    for file, texts in draft.words.items():
        if FILES[file] not in draft.every_channel():
            continue
        used = {locale: _variables(desk, file, source) for locale, source in texts.items()}
        for locale, source in texts.items():
            yield from _filters(source)
            yield from _unknown(desk, draft, locale, source, used[locale])
        yield from _forgotten(desk.policy.default_locale, texts, used)


def _variables(desk: Desk, file: str, source: Source) -> list[Variable]:
    tree = compose.ENVIRONMENT.parse(source.text)
    return variables(tree, compose.macros(desk, file))


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
