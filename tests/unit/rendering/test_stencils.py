"""Rules about stencils: people get what plain rendering gives them, and a campaign is rendered once per branch."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import BaseLoader, DictLoader, nodes

from builders import EMAIL, PUSH, SMS, a_message
from heliograph.channels.registry import spec
from heliograph.model.channels import Channel
from heliograph.model.messages import Message
from heliograph.model.policy import Policy
from heliograph.model.reasons import Reason
from heliograph.rendering.guards import PART_BYTES
from heliograph.rendering.stencils import CHECKED_EVERY, SHEETS, STENCILS, Stencils
from heliograph.rendering.templates import Catalogue, Reads, Templates, template_name
from heliograph.text.errors import UndeliverableError
from heliograph_cli.authoring import compose
from heliograph_cli.authoring.localising import formats
from heliograph_cli.authoring.reads import reads

WEBHOOK = Channel("webhook")
OF_TEXT = (PUSH, SMS, WEBHOOK)
"""The channels whose parts hold no markup."""
MESSAGE = a_message("sale", channels=(EMAIL, *OF_TEXT), locales=dict.fromkeys((EMAIL, *OF_TEXT), ("en",)))
MACROS = """{% macro button(label, url) %}<a class="b" href="{{ url }}">{{ label }}</a>{% endmacro %}
{% macro loud(label) %}<b>{{ label | upper }}</b>{% endmacro %}
{% macro perhaps(label, note="") %}{% if label %}<i title="{{ note }}">{{ label }}</i>{% endif %}{% endmacro %}
{% macro both(label, url) %}{{ button(label, url) }}{{ loud(url) }}{% endmacro %}
"""
FRAGMENTS = (
    *(" ", "\n", "x=", "<p>", "hre", "href", 'href="', '"', "=", "javascript:"),
    "{{ recipient.name }}",
    "{{ recipient.url }}",
    "{{ recipient.url | tojson }}",
    "https://example.com/{{ recipient.name }}",
    "{{ recipient.name | default('you') }}",
    "{{ recipient['name'] | d('you', true) }}",
    "{{ 'Dear ' ~ recipient.name ~ recipient.tier | default('') }}",
    "{{ recipient.name or recipient.tier or 'you' }}",
    "{{ recipient.name and 'known' }}",
    "{{ recipient.tier if recipient.tier is defined else 'none' }}",
    "{% if recipient.tier is defined and recipient.tier == 'gold' %}gold{% elif recipient.tier %}other{% endif %}",
    "{% if recipient.tier | default('gold') in ['gold', 'silver'] %}precious{% else %}{{ recipient.tier }}{% endif %}",
    "{% if 'gold' != recipient.tier %}not{% endif %}",
    "{% if not recipient.points %}none{% else %}{{ recipient.points }} points{% endif %}",
    "{% if recipient.points == 5 %}five{% endif %}",
    "{% if recipient.name > 'M' %}late{% endif %}",
    "{% if recipient.name == data.vip %}vip{% endif %}",
    "{{ recipient.name | upper }}{{ recipient.name | length }}{{ recipient.name[0] }}",
    "{{ recipient.name | e }}{{ recipient.name | safe }}{{ recipient.name | trim }}",
    "{% for letter in recipient.name %}{{ letter }},{% endfor %}",
    "{% for line in data.lines %}{{ loop.index }}{{ line }}{{ recipient.name }}{% else %}-{% endfor %}",
    "{% for name in data.lines if name != recipient.name %}{{ name }}{% endfor %}",
    "{% set name = recipient.name | default('x') %}{{ name | title }}",
    "{% set said %}{{ recipient.name }}{% endset %}{{ said | upper }}",
    "{% filter upper %}{{ recipient.name }}{% endfilter %}",
    "{% with p = recipient.tier | default('t') %}{{ p }}{% endwith %}",
    "{% autoescape false %}{{ recipient.name | default('x') }}{% endautoescape %}",
    '<a href="{{ recipient.url }}">',
    "<a href='{{ recipient.url | default('https://x') }}'>",
    "<a href={{ recipient.url | default('https://x') }}>",
    '<a href="https://example.com/{{ recipient.name }}">',
    '<a href="{{ recipient.name }}:{{ recipient.url }}">',
    '<a {{ recipient.name }}="{{ recipient.url }}">',
    '<a href="{{ unsubscribe_url }}">',
    "{{ unsubscribe_url }}",
    "{{ timezone }}",
    "{{ data.when | datetime }}",
    "{{ data.lines | map('upper') | join('+') }}",
    "{{ button('Shop', 'https://example.com/?of=' ~ recipient.name) }}",
    "{{ button(recipient.name | default('you'), url=unsubscribe_url) }}",
    "{{ button(recipient.name, recipient.url) | upper }}",
    "{{ perhaps(recipient.name, note=recipient.tier | default('t')) }}",
    "{{ loud(recipient.name | default('you')) }}",
    "{{ both(recipient.tier | default('t'), recipient.url | default('u')) }}",
    "{{ recipient | length }}",
)
VALUES = st.one_of(
    st.sampled_from(["", " ", "Anna", "ANNA", "gold", "silver", " y ", "Ab \ue000", "\ud800"]),
    st.sampled_from(
        ["<b>", "a&b", "q\"'", "a=b", "&#58;", "javascript:alert(1)", "java\nscript:x", "javascript", "=x"]
    ),
    st.sampled_from(["https://ok.example", "href=javascript:1"]),
    st.text(max_size=4),
    st.sampled_from([None, 0, 5, 5.0, True, False, -0.0, 0.0, [], ["a"], {"a": 1}, "x" * (PART_BYTES // 4)]),
)
PEOPLE = st.dictionaries(st.sampled_from(["name", "tier", "points", "url"]), VALUES)
LINKS = st.sampled_from(["", "https://u.example/x?a=1&b=2", "mailto:u@example.com?subject=x"])
DATA = {"lines": ["p", "q"], "vip": "Anna", "when": "2026-12-24T18:00:00Z"}


class Counting(Templates):
    """Templates that count how often each is rendered."""

    def __init__(self, catalogue: Catalogue, loader: BaseLoader) -> None:
        super().__init__(catalogue, loader)
        self.rendered_parts = 0

    def texts(self, message: Message, channel: Channel, context: dict[str, Any]) -> dict[str, str]:
        self.rendered_parts += 1
        return super().texts(message, channel, context)


def parsed(words: str, file: str) -> nodes.Template:
    tree = compose.ENVIRONMENT.parse(words, name=file)
    tree.set_environment(compose.ENVIRONMENT)
    return tree


def of(words: str, file: str = "sale/email.en.html") -> Reads | None:
    tree = parsed(words, file)
    return reads(tree, {node.name: node for node in tree.body if isinstance(node, nodes.Macro)})


def templates(html: str, *, claimed: Reads | None = None, **others: str) -> Counting:
    """A mail of three parts; `claimed` is what the desk is to have found in all of them."""
    return templates_of(EMAIL, {"subject": "Hello", "text": "Hello", "html": html} | others, claimed=claimed)


def templates_of(channel: Channel, words: dict[str, str], *, claimed: Reads | None = None) -> Counting:
    """A message on a channel, of the words of its parts."""
    parts = spec(channel).parts
    sources = {template_name("sale", parts[part].file, "en"): text for part, text in words.items()}
    found = {name: claimed or of(text, name) for name, text in sources.items()}
    catalogue = Catalogue(
        policy=Policy(default_timezone="Europe/Berlin"),
        messages={"sale": MESSAGE},
        variables=dict.fromkeys(sources, ()),
        reads={name: each for name, each in found.items() if each},
        formats={"en": formats("en")},
    )
    return Counting(catalogue, DictLoader(sources))


def written(
    by: Stencils | Templates, person: dict[str, Any], *, on: Channel = EMAIL, **given: Any
) -> dict[str, str] | tuple[str, str]:
    """What somebody gets, or why nothing."""
    given = {"data": DATA, "unsubscribe_url": "https://u.example/x", "timezone": ""} | given
    try:
        return by.render(MESSAGE, on, locale="en", recipient=person, **given)
    except UndeliverableError as refused:
        return refused.code, refused.detail


def differed(message: Message, channel: Channel) -> None:
    raise AssertionError(f"a stencil of {message.name} differed on {channel}")


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from(FRAGMENTS), max_size=5),
    st.lists(st.sampled_from(FRAGMENTS), max_size=2),
    st.lists(st.tuples(PEOPLE, LINKS, st.sampled_from(["", "Asia/Tokyo"])), min_size=1, max_size=8),
)
@example(['<a href="{{ recipient.url }}">'], [], [({"url": "https://x"}, "", ""), ({"url": "javascript:x"}, "", "")])
@example(["{{ recipient.name }}"], [], [({"name": "Ann"}, "", ""), ({"name": "href=javascript:x"}, "", "")])
@example(["{{ data.when | datetime }}"], [], [({}, "", ""), ({}, "", "Asia/Tokyo")])
def test_everybody_always_gets_what_plain_rendering_gives_them(
    html: list[str], text: list[str], people: list[tuple[dict[str, Any], str, str]]
) -> None:
    made = templates(MACROS + "".join(html), text=MACROS + "".join(text), subject="".join(text))
    stencils = Stencils(made, differed)
    for person, link, zone in [*people, *people]:
        context: dict[str, Any] = {"unsubscribe_url": link, "timezone": zone}
        assert written(stencils, person, **context) == written(made, person, **context)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(OF_TEXT),
    st.lists(st.lists(st.sampled_from(FRAGMENTS), max_size=2), min_size=3, max_size=3),
    st.lists(st.tuples(PEOPLE, LINKS), min_size=1, max_size=8),
)
@example(PUSH, [["Hello"], [], ["{{ recipient.url }}"]], [({"url": "https://x"}, ""), ({"url": "javascript:x"}, "")])
@example(PUSH, [["Hello"], [], ["{{ unsubscribe_url }}"]], [({}, "https://x"), ({}, "intent://x"), ({}, "data:,x")])
def test_so_it_is_where_a_part_is_a_link_or_a_text(
    channel: Channel, words: list[list[str]], people: list[tuple[dict[str, Any], str]]
) -> None:
    parts = dict(zip(spec(channel).parts, (MACROS + "".join(each) for each in words), strict=False))
    made = templates_of(channel, parts)
    stencils = Stencils(made, differed)
    for person, link in [*people, *people]:
        told = written(stencils, person, on=channel, unsubscribe_url=link)
        assert told == written(made, person, on=channel, unsubscribe_url=link)


@pytest.mark.parametrize(
    "astray", ["javascript:alert(1)", "java\tscript:alert(1)", "intent://evil", "data:text/html,x"]
)
def test_a_value_never_leads_a_notification_astray(astray: str) -> None:
    made = templates_of(PUSH, {"title": "Hi {{ recipient.name }}", "body": "Sale", "url": "{{ recipient.url }}"})
    stencils = Stencils(made, differed)
    written(stencils, {"name": "Ann", "url": "https://a.example"}, on=PUSH)  # it is made of hers
    for number in range(8):  # some uses are compared with plain rendering, and others are not
        assert written(stencils, {"name": f"Ben {number}", "url": astray}, on=PUSH) == (
            Reason.UNSAFE_LINK,
            "the url of sale",
        )
        assert type(written(stencils, {"name": f"Zoe {number}", "url": "https://z.example"}, on=PUSH)) is dict


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_each_way_to_use_a_value_gives_everybody_their_own(fragment: str) -> None:
    made = templates(MACROS + fragment)
    stencils = Stencils(made, differed)
    names = ("ANNA", "Bob", "anna <b>", "gold", " z ", "javascript:x", "")
    people: list[dict[str, Any]] = [{"name": name, "tier": name, "points": name, "url": name} for name in names]
    for person in [{}, *people, {"points": 5, "name": "Zoe"}, *people, {}]:
        assert written(stencils, person) == written(made, person)


def test_each_branch_of_a_campaign_is_rendered_once_and_twice_with_probes() -> None:
    words = "{{ recipient.name }}{% if recipient.tier is defined and recipient.tier == 'gold' %}, free{% endif %}"
    made = templates(words)
    stencils = Stencils(made, differed)
    for number in range(300):
        person = [{"tier": "gold"}, {"tier": f"other {number}"}, {}][number % 3] | {"name": f"Person {number}"}
        written(stencils, person)
    compared = len([1, 2, 4, 8, 16, 32, 64])
    assert made.rendered_parts == 3 * (3 + compared)


def test_beyond_so_many_branches_everybody_is_rendered() -> None:
    made = templates("{{ recipient.name | upper }}")
    stencils = Stencils(made, differed)
    said = [written(stencils, {"name": f"p{number}"}) for number in range(2 * STENCILS)]
    assert said == [written(made, {"name": f"p{number}"}) for number in range(2 * STENCILS)]
    assert made.rendered_parts == 3 * STENCILS + STENCILS + 2 * STENCILS


def test_the_oldest_campaign_makes_room() -> None:
    made = templates("{{ recipient.name }}{{ data.number }}")
    stencils = Stencils(made, differed)
    counts = Counter[int]()
    for number in [*range(SHEETS + 1), SHEETS, 0]:
        before = made.rendered_parts
        written(stencils, {"name": "Anna"}, data={"number": number})
        counts[number] += made.rendered_parts - before
    assert counts[SHEETS] == 3 + 1  # its first use is compared
    assert counts[0] == 3 + 3


def test_the_data_of_a_campaign_is_that_of_no_other() -> None:
    made = templates("{{ recipient.name }} {{ data.x }}")
    stencils = Stencils(made, differed)
    for x in (1, True, 1.0, "1", [1]):
        for name in ("Anna", "Ben"):
            assert written(stencils, {"name": name}, data={"x": x}) == written(made, {"name": name}, data={"x": x})


COMPUTING = (
    "{{ recipient.name | upper }}",
    "{{ recipient.name | length }}",
    "{{ recipient.name | trim }}",
    "{{ recipient.name[0] }}",
    "{{ recipient.name[:3] }}",
    "{{ recipient.name | replace('A', 'a') }}",
    "{{ recipient.name | safe }}",
    "{{ recipient.name | e | e }}",
    "{{ recipient.name | striptags }}",
    "{{ recipient.name | list | join('-') }}",
    "{% if recipient.name < 'M' %}early{% endif %}",
    "{% if recipient.name | length > 20 %}long{% endif %}",
)


@pytest.mark.parametrize("words", COMPUTING)
def test_a_stencil_that_would_be_wrong_is_found_before_anybody_gets_it(words: str) -> None:
    made = templates(words, claimed=Reads(holes={"recipient.name": ()}))
    stencils = Stencils(made, differed)
    for name in ("ANNA", "ANNA", "Zoe", "<i>Bob</i> & Co", "A much longer name than before"):
        assert written(stencils, {"name": name}) == written(made, {"name": name})


@pytest.mark.parametrize(("right", "wrong"), [(0, 0), (2, 1), (4, 3), (1_024, CHECKED_EVERY - 25)])
def test_a_stencil_that_no_probe_finds_wrong_is_found_in_use_and_not_used_again(right: int, wrong: int) -> None:
    """It says the right thing so often, then so often the wrong one, until it is compared again."""
    found: list[str] = []
    made = templates(
        "{{ recipient.name }}{% if recipient.name == data.vip %}!{% endif %}",
        claimed=Reads(holes={"recipient.name": ()}),
    )
    stencils = Stencils(made, lambda message, channel: found.append(f"{message.name} {channel}"))
    for _ in range(1 + right):  # it is made of the first
        written(stencils, {"name": "Ben"})
    for _ in range(wrong):
        assert written(stencils, {"name": "Anna"}) != written(made, {"name": "Anna"})
    assert not found
    for _ in range(2):
        assert written(stencils, {"name": "Anna"}) == written(made, {"name": "Anna"})
    assert found == ["sale email"]


@pytest.mark.parametrize(
    ("words", "holes", "computed"),
    [
        ("{{ recipient.name }}", {"recipient.name": ()}, ()),
        ("{{ recipient.name | default('you') }}", {"recipient.name": ()}, ()),
        ("{% if recipient.tier == 'gold' %}{% endif %}", {"recipient.tier": ("gold",)}, ()),
        ("{% if recipient.tier in ('gold', 'silver') %}{% endif %}", {"recipient.tier": ("gold", "silver")}, ()),
        ("{{ recipient.name }}{{ recipient.name | upper }}", {}, ("recipient.name",)),
        ("{{ recipient.address.city }}", {}, ("recipient.address",)),
        ("{% if recipient.name == data.vip %}{% endif %}", {}, ("recipient.name",)),
        ("{{ data.when | date }}", {}, ("timezone",)),
        ("{{ data.lines | map(data.filter) }}", {}, ("timezone",)),
        (MACROS + "{{ button(recipient.name, unsubscribe_url) }}", {"recipient.name": (), "unsubscribe_url": ()}, ()),
        (MACROS + "{{ loud(recipient.name) }}", {}, ("recipient.name",)),
        ("{{ data.name }}", {}, ()),
    ],
)
def test_the_desk_tells_what_is_only_written_down_from_what_is_computed_with(
    words: str, holes: dict[str, tuple[str, ...]], computed: tuple[str, ...]
) -> None:
    assert of(words) == Reads(holes=holes, computed=computed)


@pytest.mark.parametrize(
    "words", ["{{ recipient }}", "{{ recipient[data.x] }}", "{% for k in recipient %}{% endfor %}", "{% include 'x' %}"]
)
def test_words_that_hand_a_whole_person_on_have_no_stencils(words: str) -> None:
    assert of(words) is None
