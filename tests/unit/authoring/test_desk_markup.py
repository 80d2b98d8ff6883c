"""Rules about CSS inlining and about the variables that a template reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, nodes

from heliograph_cli.authoring.inline import inlined
from heliograph_cli.authoring.variables import variables

CSS = "p { color: red; } td { color: blue; } a { color: green; }"
TAGS = ["{{ a.b }}", "{% if x > 1 %}", "{% endif %}", "{# <p> #}", "{{ '<b>' }}"]


@pytest.mark.parametrize(
    ("html", "styled"),
    [
        ("<p>{{ x }}</p>", '<p style="color: red;">{{ x }}</p>'),
        ('<a href="{{ x }}">y</a>', '<a href="{{ x }}" style="color: green;">y</a>'),
        ("{% if a < b %}<p>x</p>{% endif %}", '{% if a < b %}<p style="color: red;">x</p>{% endif %}'),
        (
            "<table>{% for x in y %}<tr><td>{{ x }}</td></tr>{% endfor %}</table>",
            '<table>{% for x in y %}<tr><td style="color: blue;">{{ x }}</td></tr>{% endfor %}</table>',
        ),
        ("<!--[if mso]>{{ x }}<![endif]-->", "<!--[if mso]>{{ x }}<![endif]-->"),
    ],
)
def test_styles_move_into_elements_and_tags_stay_where_they_are(html: str, styled: str) -> None:
    assert inlined(html, CSS) == styled


def test_a_style_element_is_kept_for_clients_that_read_it() -> None:
    html = (
        "<html><head><title>{{ t }}</title><style>@media x { p { color: {{ c }} } }</style></head><body></body></html>"
    )
    assert "<title>{{ t }}</title><style>@media x { p { color: {{ c }} } }</style>" in inlined(html, CSS)


@given(st.lists(st.sampled_from([*TAGS, "<p>", "</p>", "text ", "<br>"])))
def test_no_tag_is_ever_lost_or_moved_before_another(pieces: list[str]) -> None:
    html = "".join(pieces)
    styled = inlined(html, CSS)
    places = [styled.find(tag) for tag in TAGS if tag in html]
    assert -1 not in places
    assert [piece for piece in pieces if piece in TAGS] == [
        tag for _, tag in sorted((place, tag) for tag in TAGS for place in _all(styled, tag))
    ]


def _all(text: str, part: str) -> list[int]:
    return [place for place in range(len(text)) if text.startswith(part, place)]


MACRO = "{% macro rows(lines) %}{% for l in lines %}{{ l.name }}{{ data.currency }}{% endfor %}{% endmacro %}"


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("{{ data.a }}", ["data.a"]),
        ("{{ data['a'].b }}", ["data.a.b"]),
        ("{{ data.a[0].b }}", ["data.a[].b"]),
        ("{% for x in data.rows %}{{ x.name }}{{ loop.index }}{% endfor %}", ["data.rows", "data.rows[].name"]),
        ("{% for k, v in data.pairs %}{{ v }}{% endfor %}", ["data.pairs"]),
        ("{% set x = data.a %}{{ x.b }}", ["data.a", "data.a.b"]),
        ("{{ rows(data.lines) }}", ["data.currency", "data.lines", "data.lines[].name"]),
        ("{{ rows(lines=data.lines) }}", ["data.currency", "data.lines", "data.lines[].name"]),
        ("{{ data.a | upper ~ recipient.b }}", ["data.a", "recipient.b"]),
    ],
)
def test_the_variables_of_a_template_are_found_without_rendering(text: str, paths: list[str]) -> None:
    macros = {macro.name: macro for macro in Environment(autoescape=True).parse(MACRO).find_all(nodes.Macro)}
    found = variables(Environment(autoescape=True).parse(text), macros)
    assert [variable.path for variable in found] == paths


def test_a_variable_stands_at_the_line_where_it_is_first_read() -> None:
    [found] = variables(Environment(autoescape=True).parse("\n{{ data.a }}\n{{ data.a }}"), {})
    assert found.line == 2


@pytest.mark.parametrize(
    "text",
    ["{{ data.a | default('') }}", "{% if data.a is defined %}{{ data.a.b }}{% endif %}", "{{ data.a | d('') }}"],
)
def test_a_variable_that_is_made_up_for_is_optional(text: str) -> None:
    assert all(variable.optional for variable in variables(Environment(autoescape=True).parse(text), {}))
