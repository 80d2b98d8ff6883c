"""Rules about rendering, on the real templates, compiled."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from builders import EMAIL, PUSH, SMS
from heliograph.model.channels import Channel
from heliograph.model.messages import Message
from heliograph.model.policy import Purpose
from heliograph.model.reasons import Reason
from heliograph.rendering.templates import Environment, Templates, is_present, load
from heliograph.text.errors import UndeliverableError
from heliograph_cli.authoring.build import PACKAGE, build
from tests_desk import DESK

ROOT = Path(__file__).parents[3]
ORDER = {"order_id": "A-1", "tracking_url": "https://shop.example.com/t?a=1&b=2"}
UNSUBSCRIBE = "https://u.example.com/x?a=1&b=2"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("build") / "templates"
    build(DESK, target)
    return target / Path(PACKAGE).parent


@pytest.fixture(scope="module")
def templates(folder: Path) -> Iterator[Templates]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        load.cache_clear()
        yield load()
    load.cache_clear()
    sys.modules.pop("heliograph_templates", None)


def render(templates: Templates, name: str, channel: Channel, locale: str = "en", **given: Any) -> dict[str, str]:
    message = templates.messages[name]
    return templates.render(
        message,
        channel,
        locale=locale,
        recipient=given.get("recipient", {}),
        data=given.get("data", {}),
        unsubscribe_url=given.get("unsubscribe_url", ""),
    )


def test_the_facts_of_a_message_are_those_of_its_folder(templates: Templates) -> None:
    message = templates.message("password_reset")
    assert isinstance(message, Message)
    assert (message.topic, message.purpose) == ("account", Purpose.TRANSACTIONAL)
    assert (message.channels, message.expires_after) == ((EMAIL, SMS), 900)
    assert message.locales[EMAIL] == ("en", "ar", "de")


def test_a_message_that_is_not_there_is_none(templates: Templates) -> None:
    assert templates.message("nothing") is None


@pytest.mark.parametrize(
    ("wanted", "found"), [("de-AT", "de"), ("ar_EG", "ar"), ("fr", "en"), ("", "en"), ("nonsense!", "en")]
)
def test_people_read_the_nearest_translation(templates: Templates, wanted: str, found: str) -> None:
    assert templates.locale_for(templates.messages["order_shipped"], EMAIL, wanted) == found


def test_each_channel_has_its_parts(templates: Templates) -> None:
    message = templates.messages["order_shipped"]
    parts = {channel: set(render(templates, "order_shipped", channel, data=ORDER)) for channel in message.channels}
    assert parts == {
        EMAIL: {"subject", "html", "text"},
        SMS: {"text"},
        PUSH: {"title", "body", "url"},
    }


def test_data_is_escaped_in_html_and_in_nothing_else(templates: Templates) -> None:
    data = ORDER | {"carrier": "<b>Fast & Co</b>"}
    content = render(templates, "order_shipped", EMAIL, data=data)
    assert "&lt;b&gt;Fast &amp; Co&lt;/b&gt;" in content["html"]
    assert "<b>Fast & Co</b>" in content["text"]


@given(st.text())
def test_data_never_breaks_a_subject_into_lines(templates: Templates, order_id: str) -> None:
    data = ORDER | {"order_id": f"{order_id}\r\nBcc: everyone@example.com"}
    subject = render(templates, "order_shipped", EMAIL, data=data)["subject"]
    assert len(subject.splitlines()) == 1


@given(st.text(min_size=1))
def test_data_never_becomes_markup(templates: Templates, text: str) -> None:
    html = render(templates, "order_shipped", EMAIL, data=ORDER | {"carrier": f"<x-evil>{text}"})["html"]
    assert "<x-evil>" not in html


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({}, "data.order_id"),
        ({"order_id": "A-1"}, "data.tracking_url"),
        ({"order_id": "A-1", "tracking_url": None}, "data.tracking_url"),
        (ORDER | {"lines": [{"name": "Bench", "quantity": 1}, {"name": "Lamp"}]}, "data.lines[].quantity"),
    ],
)
def test_a_missing_variable_is_named(templates: Templates, data: dict[str, Any], named: str) -> None:
    with pytest.raises(UndeliverableError) as refused:
        render(templates, "order_shipped", EMAIL, data=data)
    assert (refused.value.code, refused.value.detail) == (Reason.MISSING_VARIABLE, named)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"lines": []}, "data.order_id"),
        ({"order_id": None, "lines": []}, "data.order_id"),
        ({"order_id": "A-1"}, "data.lines"),
    ],
)
def test_a_variable_that_json_lacks_is_named_as_that_of_any_words(
    templates: Templates, data: dict[str, Any], named: str
) -> None:
    with pytest.raises(UndeliverableError) as refused:
        render(templates, "order_told", Channel("webhook"), recipient={"first_name": "Ann"}, data=data)
    assert (refused.value.code, refused.value.detail) == (Reason.MISSING_VARIABLE, named)


@pytest.mark.parametrize(("value", "named"), [("data.a", "'a'"), ("{'b': [data.a]}", "'a'"), ("data.b.c", "'c'")])
def test_what_is_missing_within_json_is_named(value: str, named: str) -> None:
    template = Environment(formats={}).from_string(f"{{{{ {value} | tojson }}}}")
    with pytest.raises(UndefinedError, match=named):
        template.render(data={"b": {}})
    assert template.render(data={"a": 1, "b": {"c": 1}})


def test_a_value_that_words_cannot_use_is_as_good_as_missing(templates: Templates) -> None:
    with pytest.raises(UndeliverableError) as refused:
        render(templates, "order_shipped", EMAIL, data=ORDER | {"lines": 5})
    assert refused.value.code is Reason.MISSING_VARIABLE


@given(st.dictionaries(st.sampled_from(["order_id", "tracking_url", "lines", "carrier"]), JSON))
def test_a_refusal_never_quotes_data(templates: Templates, data: dict[str, Any]) -> None:
    try:
        render(templates, "order_shipped", EMAIL, data=data)
    except UndeliverableError as refused:
        assert refused.detail in {
            "data.order_id",
            "data.tracking_url",
            "data.lines[].name",
            "data.lines[].quantity",
            "unknown variable",
            "unusable value in order_shipped/email.en.html",
        }


def test_the_desk_tells_of_every_template_what_it_reads_of_a_person(templates: Templates) -> None:
    assert {name for name in templates.variables if name not in templates.reads} == set()
    assert templates.reads["spring_sale/email.en.html"].holes.keys() >= {"unsubscribe_url"}


def test_a_promotional_mail_shows_the_way_out_in_both_parts(templates: Templates) -> None:
    content = render(templates, "spring_sale", EMAIL, "de", unsubscribe_url=UNSUBSCRIBE)
    assert UNSUBSCRIBE in content["text"]
    assert UNSUBSCRIBE.replace("&", "&amp;") in content["html"]
    assert "Abmelden" in content["html"]


def test_a_transactional_mail_has_no_way_out(templates: Templates) -> None:
    content = render(templates, "order_shipped", EMAIL, data=ORDER)
    assert "Unsubscribe" not in content["html"] + content["text"]


@pytest.mark.parametrize(
    ("locale", "opening"), [("ar-EG", '<html lang="ar" dir="rtl"'), ("de", '<html lang="de" dir="ltr"')]
)
def test_a_mail_says_its_language_and_direction(templates: Templates, locale: str, opening: str) -> None:
    assert opening in render(templates, "spring_sale", EMAIL, locale)["html"]


def test_styles_are_written_into_the_elements(templates: Templates) -> None:
    html = render(templates, "order_shipped", EMAIL, data=ORDER)["html"]
    assert '<h1 style="' in html
    assert "prefers-color-scheme: dark" in html


def test_rows_of_a_loop_stay_inside_their_table(templates: Templates) -> None:
    lines = [{"name": "Bench", "quantity": 1}, {"name": "Lamp", "quantity": 2}]
    html = render(templates, "order_shipped", EMAIL, data=ORDER | {"lines": lines})["html"]
    table = html.partition('<table class="lines"')[2].partition("</table>")[0]
    assert table.count("<tr>") == 2
    assert "Lamp" in table


def test_at_run_time_nothing_of_the_desk_is_imported(folder: Path) -> None:
    code = (
        "import sys; from heliograph.rendering.templates import load; load();"
        "print([m for m in ('babel', 'pydantic', 'css_inline', 'boto3', 'heliograph_cli') if m in sys.modules])"
    )
    environment = {"PYTHONPATH": f"{folder}:{ROOT / 'layers/heliograph'}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("data.a", True),
        ("data.b", False),
        ("data.a.b", False),
        ("data.null", False),
        ("data.rows[].x", True),
        ("data.rows[].y", False),
        ("data.none[].x", True),
    ],
)
def test_a_variable_is_present_if_every_row_has_it(path: str, there: bool) -> None:
    data = {"a": 1, "null": None, "rows": [{"x": 1, "y": 1}, {"x": 2}], "none": []}
    assert is_present(path, {"data": data}) is there
