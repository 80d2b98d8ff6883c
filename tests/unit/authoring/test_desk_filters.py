"""Rules about the filters of words: in the language and the time zone of the reader, from data that may be anything."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jinja2 import ModuleLoader

from builders import EMAIL
from desk_builders import MESSAGE, SOUND, a_desk, findings
from heliograph.model.channels import Channel
from heliograph.model.reasons import Reason
from heliograph.rendering.filters import FILTERS
from heliograph.rendering.templates import Templates
from heliograph.text.errors import UndeliverableError
from heliograph_cli.authoring import compiling, localising
from heliograph_cli.authoring.build import PACKAGE, build
from heliograph_cli.authoring.preview import write

MAIL = [file for file in SOUND if file.startswith("messages/hello/email.")]
SMS = "messages/hello/sms.txt"
SAMPLE = (
    '{"recipient": {"name": "Ann"}, "data": {"url": "https://acme.example.com/a", "total": "12.5", "currency": "EUR",'
    ' "points": 1234, "share": 0.25, "when": "2026-12-24T17:05:00Z"}}'
)
WRITTEN = "{{ data.total | currency(data.currency) }} {{ data.when | datetime('long') }}"


def files(text: str, **others: str | None) -> dict[str, str | None]:
    return {SMS: text, "messages/hello/sample.json": SAMPLE, **others}


@contextmanager
def rendering(folder: Path, text: str, **others: str | None) -> Iterator[Any]:
    """A function that renders the text message, as the deployed functions do."""
    catalogue = build(a_desk(folder / "templates", files(text, **others)), folder / "build/templates")
    templates = Templates(catalogue, ModuleLoader(folder / "build/templates" / PACKAGE))

    def render(data: dict[str, Any], *, locale: str = "en", timezone: str = "") -> str:
        return templates.render(
            templates.messages["hello"],
            Channel("sms"),
            locale=locale,
            recipient={},
            data=data,
            unsubscribe_url="",
            timezone=timezone,
        )["text"]

    yield render


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("{{ data.total | currency(data.currency) }}", "€12.50"),
        ("{{ data.points | number }}", "1,234"),
        ("{{ data.share | percent }}", "25%"),
        ("{{ data.when | date }}", "Dec 24, 2026"),
        ('{{ data.when | date("full") }}', "Thursday, December 24, 2026"),
        ("{{ data.when | time }}", "5:05 PM"),
        ("{{ data.when | datetime }}", "Dec 24, 2026, 5:05 PM"),
        ('{{ data.when | datetime(style="long") }}', "December 24, 2026, 5:05 PM"),
        ('{{ data.later | default("2026-12-24") | date("short") }}', "12/24/26"),
        ('{{ "2026-12-24" | date("long") }}', "December 24, 2026"),
    ],
)
def test_a_value_is_written_as_the_filter_says(tmp_path: Path, text: str, written: str) -> None:
    data = {"total": "12.5", "currency": "EUR", "points": 1234, "share": 0.25, "when": "2026-12-24T17:05:00Z"}
    with rendering(tmp_path, text) as render:
        assert render(data) == written


def test_a_reader_gets_the_rules_of_the_language_and_of_the_time_zone(tmp_path: Path) -> None:
    data = {"total": 12.5, "currency": "EUR", "when": "2026-12-24T23:05:00Z"}
    by_sms = {MESSAGE: SOUND[MESSAGE].replace('"email", ', "")} | dict.fromkeys(MAIL)
    german = {"messages/hello/sms.de.txt": WRITTEN, "layouts/words.de.toml": SOUND["layouts/words.toml"]}
    with rendering(tmp_path, WRITTEN, **by_sms, **german) as render:
        assert render(data, locale="de-AT", timezone="Europe/Vienna") == "12,50 € 25. Dezember 2026, 00:05"
        assert render(data, timezone="America/New_York") == "€12.50 December 24, 2026, 6:05 PM"


def test_without_a_time_zone_that_of_the_policy_counts(tmp_path: Path) -> None:
    policy = 'default_timezone = "Asia/Tokyo"\n' + SOUND["policy.toml"].lstrip()
    with rendering(tmp_path, "{{ data.when | time }}", **{"policy.toml": policy}) as render:
        assert render({"when": "2026-12-24T17:05:00Z"}) == "2:05 AM"


def test_a_component_uses_the_rules_of_the_message_it_stands_in(tmp_path: Path) -> None:
    component = {"components/price.txt": "{% macro price(value) %}{{ value | currency('EUR') }}{% endmacro %}"}
    with rendering(tmp_path, "{{ price(data.total) }}", **component) as render:
        assert render({"total": 3}) == "€3.00"


CALLS = {name: f"{{{{ data.value | {name}{'(data.currency)' if name == 'currency' else ''} }}}}" for name in FILTERS}
SOUND_VALUES = {name: "2026-12-24T17:05:00Z" if name in ("date", "time", "datetime") else 7 for name in FILTERS}


def sample_for(name: str) -> dict[str, str]:
    data = {"value": SOUND_VALUES[name], "currency": "EUR", "url": "x"}
    return {"messages/hello/sample.json": json.dumps({"recipient": {"name": "Ann"}, "data": data})}


@pytest.mark.parametrize("name", FILTERS)
def test_a_missing_variable_is_named_behind_every_filter(tmp_path: Path, name: str) -> None:
    with rendering(tmp_path, CALLS[name], **sample_for(name)) as render:
        for data in ({"currency": "EUR"}, {"currency": "EUR", "value": None}):
            with pytest.raises(UndeliverableError) as refused:
                render(data)
            assert (refused.value.code, refused.value.detail) == (Reason.MISSING_VARIABLE, "data.value")


@pytest.mark.parametrize("name", FILTERS)
def test_a_value_that_a_filter_cannot_write_refuses_that_person_only(tmp_path: Path, name: str) -> None:
    values = [True, [], {}, "soon", "1,5", 10**400, 1e300, 10**5000, "9" * 5000, "2026-99-99", b"x", object()]
    with rendering(tmp_path, CALLS[name], **sample_for(name)) as render:
        for value in values:
            with pytest.raises(UndeliverableError) as refused:
                render({"value": value, "currency": "EUR"})
            told = (refused.value.code, refused.value.detail)
            assert told == (Reason.MISSING_VARIABLE, "unusable value in hello/sms.en.txt")
        assert render({"value": SOUND_VALUES[name], "currency": "EUR"})


def test_a_mail_writes_an_amount_once_escaped(tmp_path: Path) -> None:
    desk = a_desk(
        tmp_path / "t", files("x", **{"messages/hello/email.html": "<p>{{ data.total | currency('EUR') }}</p>"})
    )
    write(desk, tmp_path / "preview")
    assert "€12.50" in (tmp_path / "preview/index.html").read_text()


def test_the_layer_holds_only_the_rules_that_words_use(tmp_path: Path) -> None:
    plain = build(a_desk(tmp_path / "a/templates"), tmp_path / "a/build/templates")
    localised = build(a_desk(tmp_path / "b/templates", files(WRITTEN)), tmp_path / "b/build/templates")
    assert (set(plain.formats), set(localised.formats)) == (set(), {"en"})


def test_a_message_has_another_version_when_the_rules_of_its_language_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk(tmp_path / "templates", files(WRITTEN))
    before = build(desk, tmp_path / "build/templates").messages["hello"].version
    changed = msgspec.structs.replace(localising.formats("en"), group="'")
    monkeypatch.setattr(compiling, "formats", lambda tag: changed)
    assert build(desk, tmp_path / "build/templates").messages["hello"].version != before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('a\n{{ data.when | date("longer") }}', "date knows no style “longer”"),
        ('a\n{{ data.when | datetime(style="dd.MM.yyyy") }}', "datetime knows no style “dd.MM.yyyy”"),
        ("a\n{{ data.total | currency }}", "currency does not know which currency"),
        ("a\n{{ data.when | tiem }}", "No filter named 'tiem'"),
    ],
)
def test_a_filter_that_cannot_work_is_found_at_its_line(tmp_path: Path, text: str, said: str) -> None:
    found = [finding for finding in findings(tmp_path, files(text)) if not finding.warning]
    assert any((finding.file, finding.line) == (SMS, 2) and said in finding.problem for finding in found), found


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JaVaScript:alert(1)",
        " java\nscript:alert(1)",
        "\x01javascript:x",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize(
    "html", ["<a href='{{ data.url }}'>x</a>", '<A HREF = "{{ data.url }}">x</A>', "{{ button('Go', data.url) }}"]
)
def test_data_never_becomes_a_script_in_a_link(tmp_path: Path, html: str, link: str) -> None:
    with mailing(tmp_path, html) as mail:
        with pytest.raises(UndeliverableError) as refused:
            mail(link)
        assert (refused.value.code, refused.value.detail) == (Reason.UNSAFE_LINK, "the html of hello")


@pytest.mark.parametrize("link", ["https://a.example/?a=1&b=javascript:", "mailto:a@a.example", "tel:+491", "", "/a:b"])
def test_data_may_be_a_link(tmp_path: Path, link: str) -> None:
    with mailing(tmp_path, "{{ button('Go', data.url) }}") as mail:
        assert f'href="{link.replace("&", "&amp;")}"' in mail(link)


def test_a_missing_link_is_named(tmp_path: Path) -> None:
    with mailing(tmp_path, "<a href='{{ data.url }}'>x</a>") as mail:
        with pytest.raises(UndeliverableError) as refused:
            mail(None)
        assert refused.value.detail == "data.url"


@contextmanager
def mailing(folder: Path, html: str) -> Iterator[Callable[[str | None], str]]:
    """A function that renders the mail with a link."""
    desk = a_desk(folder / "templates", {"messages/hello/email.html": html})
    templates = Templates(build(desk, folder / "build/templates"), ModuleLoader(folder / "build/templates" / PACKAGE))

    def mail(link: str | None) -> str:
        return templates.render(
            templates.messages["hello"],
            EMAIL,
            locale="en",
            recipient={"name": "Ann"},
            data={"url": link},
            unsubscribe_url="",
        )["html"]

    yield mail
