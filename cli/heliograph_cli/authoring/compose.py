"""Put words, layout and components together into one flat template, with all that is known at build time filled in."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from babel import Locale
from jinja2 import Template, UndefinedError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.visitor import NodeTransformer

from heliograph.channels.registry import spec
from heliograph.model.policy import Purpose
from heliograph.rendering.templates import Environment, is_html
from heliograph.text.locales import lookup
from heliograph_cli.authoring.inline import inlined
from heliograph_cli.authoring.localising import Localised
from heliograph_cli.authoring.sources import FILES, Desk, Draft, Source

ENVIRONMENT = Environment(formats=Localised())


LEFT_TO_RIGHT = {"dir": "ltr", "start": "left", "end": "right"}
RIGHT_TO_LEFT = {"dir": "rtl", "start": "right", "end": "left"}


def constants(desk: Desk, draft: Draft, locale: str) -> dict[str, Any]:
    """What a template knows before anybody is written to."""
    topic = draft.facts.topic
    words = desk.words[lookup(locale, [desk.policy.default_locale, *desk.words])]
    known = desk.policy.topics.get(topic)
    title = words.topics.get(topic, known.title if known else topic)
    filled = {"{topic}": title, "{brand}": desk.brand.name}
    return {
        "brand": desk.brand.model_dump(mode="json"),
        "message": {"name": draft.name, "topic": topic},
        "promotional": draft.facts.purpose is Purpose.PROMOTIONAL,
        "words": {name: _filled(phrase, filled) for name, phrase in words.phrases.items()},
        "lang": locale,
        **(RIGHT_TO_LEFT if Locale.parse(locale, sep="-").text_direction == "rtl" else LEFT_TO_RIGHT),
    }


def _filled(phrase: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        phrase = phrase.replace(name, value)
    return phrase


def template(desk: Desk, draft: Draft, file: str, locale: str) -> nodes.Template:
    """The whole template of a part in a language; a mistake in the syntax raises jinja2.TemplateSyntaxError."""
    tree = parsed(desk, draft.words[file][locale])
    layout = desk.layouts.get(file)
    if layout:
        slots = {"content": tree.body}
        for aside in spec(FILES[file]).asides:
            words = draft.words.get(aside, {}).get(locale)
            slots[aside.split(".")[-2]] = parsed(desk, words).body if words else []
        tree = parsed(desk, layout)
        _Splice(slots).visit(tree)
    tree.body[:0] = [macro for _, macro in sorted(needed(tree, macros(desk, file)).items())]
    _Fold(constants(desk, draft, locale), tidy=is_html(file)).visit(tree)
    tree.set_lineno(1).set_environment(ENVIRONMENT)
    return tree


def rendered_alone(desk: Desk, draft: Draft, file: str, locale: str, context: Mapping[str, Any]) -> str:
    """The words of a file without a layout; what cannot be rendered is empty, and found elsewhere."""
    if locale not in draft.words.get(file, {}):
        return ""
    code = ENVIRONMENT.compile(template(replace(desk, layouts={}), draft, file, locale), file)
    return Template.from_code(ENVIRONMENT, code, {}).render(context)


def parsed(desk: Desk, source: Source) -> nodes.Template:
    """The syntax tree of a file, its styles inlined."""
    text = inlined(source.text, stylesheet(desk)) if is_html(source.file) else source.text
    return ENVIRONMENT.parse(text, filename=source.file)


def stylesheet(desk: Desk) -> str:
    """The rules of layouts/email.css in the colours of the brand."""
    return _coloured(desk.css, tuple(desk.brand.colours.model_dump().items()))


@lru_cache
def _coloured(css: str, colours: tuple[tuple[str, str], ...]) -> str:
    return ENVIRONMENT.from_string(css).render(colours=dict(colours))


def macros(desk: Desk, file: str) -> dict[str, nodes.Macro]:
    """The components for a file: those of `*.html` for HTML, those of `*.txt` for text."""
    sources = [source for source in desk.components if is_html(source.file) == is_html(file)]
    trees = [parsed(desk, source) for source in sources]
    return {macro.name: macro for tree in trees for macro in tree.find_all(nodes.Macro)}


def needed(tree: nodes.Template, known: Mapping[str, nodes.Macro]) -> dict[str, nodes.Macro]:
    """The components that a template uses, and those that these use."""
    found: dict[str, nodes.Macro] = {}
    wanted = _undeclared([tree])
    while wanted := (wanted & known.keys()) - found.keys():
        found |= {name: known[name] for name in wanted}
        wanted = _undeclared(found[name] for name in wanted)
    return found


def _undeclared(trees: Iterable[nodes.Node]) -> set[str]:
    bodies = [tree.body if isinstance(tree, nodes.Template) else [tree] for tree in trees]
    return {name for body in bodies for name in find_undeclared_variables(_template(body))}


def _template(body: list[Any]) -> nodes.Template:
    tree = nodes.Template(list(body), lineno=1)
    tree.set_environment(ENVIRONMENT)
    return tree


def _truth(test: nodes.Node) -> bool | None:
    """What a condition is, where that is known at build time."""
    test.set_environment(ENVIRONMENT)
    try:
        return bool(test.as_const()) if isinstance(test, nodes.Expr) else None
    except (nodes.Impossible, UndefinedError):
        return None


class _Splice(NodeTransformer):
    """Put trees where `{{ content }}` and `{{ preview }}` stand."""

    def __init__(self, slots: Mapping[str, list[nodes.Node]]) -> None:
        self.slots = slots

    def visit_Output(self, node: nodes.Output) -> list[nodes.Node]:  # noqa: N802  (Jinja2's name)
        return list(self._pieces(node))

    def _pieces(self, node: nodes.Output) -> Iterator[nodes.Node]:
        for child in node.nodes:
            if isinstance(child, nodes.Name) and child.name in self.slots:
                yield from self.slots[child.name]
            else:
                yield nodes.Output([child], lineno=node.lineno)


class _Fold(NodeTransformer):
    """Replace what is known by its value, and drop the branches that will not be taken."""

    def __init__(self, known: Mapping[str, Any], *, tidy: bool) -> None:
        self.known = known
        self.tidy = tidy

    def visit_Name(self, node: nodes.Name) -> nodes.Expr:  # noqa: N802  (Jinja2's name)
        if node.ctx == "load" and node.name in self.known:
            return nodes.Const(self.known[node.name], lineno=node.lineno)
        return node

    def visit_If(self, node: nodes.If) -> nodes.Node | list[nodes.Node]:  # noqa: N802  (Jinja2's name)
        self.generic_visit(node)
        taken = _truth(node.test)
        if taken is None:
            return node
        if taken:
            return node.body
        if not node.elif_:
            return node.else_
        head, *rest = node.elif_
        return nodes.If(head.test, head.body, rest, node.else_, lineno=node.lineno)

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.TemplateData:  # noqa: N802  (Jinja2's name)
        if self.tidy:
            node.data = re.sub(r"[ \t]*\n\s*", "\n", node.data)
        return node
