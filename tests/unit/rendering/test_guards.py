"""Rules about what words may do with the data of one person: it refuses that person, and nothing grows without end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from jinja2 import DictLoader, TemplateAssertionError

from builders import PUSH, a_message
from desk_builders import a_desk
from heliograph.model.policy import Policy
from heliograph.model.reasons import Reason
from heliograph.rendering.destinations import leads_anywhere_astray, leads_astray
from heliograph.rendering.guards import PART_BYTES
from heliograph.rendering.templates import Catalogue, Environment, Templates
from heliograph.text.errors import UndeliverableError
from heliograph_cli.authoring.compiling import catalogue
from heliograph_cli.authoring.folder import read
from tables import table

MESSAGE = a_message("hello", channels=(PUSH,), locales={PUSH: ("en",)})


def written(words: str, data: dict[str, Any], *, part: str = "body", **catalogue: Any) -> str:
    """What words make of data, in a part of a push message."""
    names = {"title": "push.title.en.txt", "body": "push.body.en.txt", "url": "push.url.en.txt"}
    sources = {f"hello/{name}": words if which == part else "https://example.com" for which, name in names.items()}
    variables: dict[str, tuple[str, ...]] = dict.fromkeys(sources, ())
    made = Catalogue(policy=Policy(), messages={"hello": MESSAGE}, variables=variables, **catalogue)
    templates = Templates(made, DictLoader(sources))
    content = templates.render(MESSAGE, PUSH, locale="en", recipient={}, data=data, unsubscribe_url="")
    return content[part]


def refused(words: str, data: dict[str, Any], *, part: str = "body", **catalogue: Any) -> UndeliverableError:
    with pytest.raises(UndeliverableError) as error:
        written(words, data, part=part, **catalogue)
    return error.value


def nested(depth: int) -> Any:
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    return deep


UNUSABLE: dict[str, tuple[str, Any]] = {
    "a number that is to be sorted as an object": ("{{ data.x | dictsort }}", 7),
    "words that are to be compared with numbers": ("{{ data.x | sort }}", [1, "a"]),
    "a list without anything in it": ("{{ data.x | first | upper }}", []),
    "an object as a key": ("{{ data.x | unique | list }}", [{"a": 1}, []]),
    "a width that is text": ("{{ 'Hello' | center(data.x) }}", "wide"),
    "a precision that is none": ("{{ 1.5 | round(data.x) }}", "fine"),
    "a text in place of a number": ("{{ data.x / 2 }}", "a"),
    "a division by nothing": ("{{ 1 / data.x }}", 0),
    "a filter named by data": ("{{ [1] | map(data.x) | list }}", "nothing"),
    "a test named by data": ("{{ [1] | select(data.x) | list }}", "nothing"),
    "a depth that nobody can write": ("{{ data.x | string | length }}", nested(100_000)),
    "half a character": ("{{ '%c' | format(data.x) }}", 0xD800),
    "an infinity": ("{{ data.x | int }} {{ (data.x | float) | round | int }}", 1e400),
}


@table("words, value", UNUSABLE)
def test_what_words_cannot_work_with_refuses_its_person(words: str, value: Any) -> None:
    try:
        text = written(words, {"x": value})
    except UndeliverableError as error:
        assert error.code in (Reason.MISSING_VARIABLE, Reason.TOO_LONG)
        assert "hello/push.body.en.txt" in error.detail or error.detail == "unknown variable"
    else:
        text.encode()


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"\\ud800x"', b'"\xed\xa0\x80"'])
def test_half_a_character_never_comes_in_with_an_event(text: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        msgspec.json.decode(text)


GROWING: dict[str, tuple[str, Any]] = {
    "a width": ("{{ 'x' | center(data.x) }}", 10**9),
    "an indent": ("{{ 'x' | indent(data.x, first=true) }}", 10**9),
    "a number of columns": ("{{ [1] | slice(data.x) | list }}", 10**9),
    "a number of rows": ("{{ [1] | batch(data.x, 'x') | list }}", 10**9),
    "a precision": ("{{ 1.5 | round(data.x, 'floor') }}", 10**9),
    "a format": ("{{ data.x | format(1) }}", "%999999999d"),
    "a format of a format": ("{{ data.x.format('x') }}", "{:>{}}"),
    "a width of a format": ("{{ data.x.format('x') }}", "{:>999999999}"),
    "a percent sign": ("{{ data.x % 1 }}", "%999999999d"),
    "a replacement": ("{{ data.x | replace('', data.x) }}", "x" * 100_000),
    "a separator": ("{{ data.x | list | join(data.x) }}", "x" * 100_000),
    "a repetition": ("{{ 'Hello' * data.x }}", 10**9),
    "a repetition, the other way round": ("{{ data.x * 'Hello' }}", 10**9),
    "a list that is repeated": ("{{ [1] * data.x }}", 10**9),
    "a power": ("{{ 10 ** data.x }}", 10**9),
    "a product": ("{{ data.x * data.x }}", 10**600),
    "a method": ("{{ 'x'.ljust(data.x) }}", 10**9),
    "a method that replaces": ("{{ data.x.replace('x', data.x) }}", "x" * 100_000),
    "a method that joins": ("{{ data.x.join(data.x) }}", "x" * 100_000),
    "a range": ("{% for n in range(data.x) %}x{% endfor %}", 10**9),
    "a loop in a loop": (
        "{% for n in data.x %}{% for n in data.x %}{{ data.x }}{% endfor %}{% endfor %}",
        "x" * 10_000,
    ),
    "tags without end": ("{{ data.x | striptags }}", "<" * 200_000),
    "a long text": ("{{ data.x }}", "x" * (PART_BYTES + 1)),
    "a long text of four bytes": ("{{ data.x }}", "😀" * (PART_BYTES // 4 + 1)),
}


@table("words, value", GROWING)
def test_data_never_makes_more_of_a_message_than_it_can_be(words: str, value: Any) -> None:
    assert refused(words, {"x": value}).code in (Reason.TOO_LONG, Reason.MISSING_VARIABLE)


@pytest.mark.parametrize(
    ("words", "value", "text"),
    [
        ("{{ data.x | center(9) }}|", "x", "x    |"),
        ("{{ '%05.1f' | format(data.x) }}", 2.5, "002.5"),
        ("{{ data.x | join(', ') }}", ["a", "b"], "a, b"),
        ("{{ data.x | replace('a', 'b') }}", "aa", "bb"),
        ("{{ data.x | round(2) }}", 1.237, "1.24"),
        ("{{ data.x * 3 }} {{ 2 ** data.x }} {{ data.x % 4 }}", 10, "30 1024 2"),
        ("{{ '=' * data.x }}", 3, "==="),
        ("{{ '{} of {}'.format(data.x, 5) }}", 2_000, "2000 of 5"),
        ("{{ data.x | truncate(8, leeway=0) }}", "a long text", "a..."),
        ("{{ data.x | wordwrap(5) }}", "one two", "one\ntwo"),
        ("{{ data.x | batch(2) | list }}", [1, 2, 3], "[[1, 2], [3]]"),
        ("{{ data.x | default('nobody') }}", None, "nobody"),
        ("{{ data.x | sum }} {{ data.x | max }}", [5_000, 6_000], "11000 6000"),
    ],
)
def test_what_is_ordinary_goes_as_before(words: str, value: Any, text: str) -> None:
    assert written(words, {"x": value}) == text


@pytest.mark.parametrize("name", ["attr('x')", "pprint", "random", "xmlattr"])
def test_a_filter_that_is_no_use_in_words_is_not_offered(name: str) -> None:
    with pytest.raises(TemplateAssertionError):
        Environment(formats={}).from_string(f"{{{{ data.x | {name} }}}}")


# ---- links ---------------------------------------------------------------------------------------------------

ASTRAY = (
    *("javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)"),
    *("\x01javascript:alert(1)", "java\tscript:alert(1)", "vbscript:x", "data:text/html,<b>", "file:///etc/passwd"),
    *("blob:https://example.com/x", "intent://x#Intent;end", "view-source:https://example.com"),
)


@pytest.mark.parametrize("link", ASTRAY)
def test_data_never_leads_people_to_a_script(link: str) -> None:
    assert refused("{{ data.link }}", {"link": link}, part="url").code is Reason.UNSAFE_LINK
    environment = Environment(formats={})
    for words in ('<a href="{{ l }}">', "<a href = '{{ l }}'>", '<a class="x"\nhref="{{ l }}">'):
        html = environment.from_string("{% autoescape true %}" + words + "{% endautoescape %}").render(l=link)
        assert leads_anywhere_astray(html, ())


@pytest.mark.parametrize(
    "link",
    ["https://example.com/a?b=javascript:x", "http://a", "HTTPS://a", "mailto:a@b.c", "tel:+49", "sms:+49", "#top", ""],
)
def test_data_leads_people_to_the_web_a_mailbox_or_a_phone(link: str) -> None:
    assert written("{{ data.link }}", {"link": link}, part="url") == link
    assert not leads_anywhere_astray(f'<a href="{link}">x</a><p>javascript:alert(1)</p>', ())


def test_the_words_say_which_apps_links_may_open() -> None:
    app = {"link": "shop://orders/7"}
    assert refused("{{ data.link }}", app, part="url").code is Reason.UNSAFE_LINK
    assert written("{{ data.link }}", app, part="url", schemes=frozenset({"shop"})) == app["link"]
    assert leads_astray("javascript:x", {"javascript"})


def test_a_build_takes_the_schemes_from_the_words(tmp_path: Path) -> None:
    files = {
        "messages/hello/push.title.txt": "Hi",
        "messages/hello/push.body.txt": "javascript: is a word here",
        "messages/hello/push.url.txt": "shop://orders/{{ data.url }}",
    }
    desk, _ = read(a_desk(tmp_path, files))
    assert desk
    assert catalogue(desk, []).schemes == {"shop"}
