"""Rules about what the linter refuses, and what it says about it."""

from pathlib import Path

import pytest

from desk_builders import MESSAGE, PALETTE, SOUND, TRIGGER, findings, mail_in

PROMOTIONAL = SOUND[MESSAGE].replace("transactional", "promotional")
HTML = "messages/hello/email.html"
SMS = "messages/hello/sms.txt"


def test_a_sound_desk_has_nothing_to_correct(tmp_path: Path) -> None:
    assert findings(tmp_path) == []


MISTAKES = [
    # what is different, where it is reported, what is said
    ({"messages/hello/email.txt": None}, "messages/hello/email.txt", "The text of the email is missing"),
    ({"messages/hello/sms.txt": None}, SMS, "The text of the sms is missing"),
    ({"messages/hello/push.title.txt": "Hi"}, "messages/hello/push.title.txt", "is not sent by push"),
    ({"messages/hello/email.subject.de.txt": "Hallo"}, "messages/hello/email.de.html", "there in en, but not in de"),
    ({"messages/hello/email.subjct.txt": "Hi"}, "messages/hello/email.subjct.txt", '"subjct" is not a language'),
    ({"messages/hello/letter.txt": "Hi"}, "messages/hello/letter.txt", "not a part that we know"),
    ({SMS: "Acme: {{ data.ulr }}"}, f"{SMS}:1", "{{ data.ulr }} is not in sample.json"),
    ({SMS: "Acme\n{{ first_name }}"}, f"{SMS}:2", "{{ first_name }} is not a variable"),
    ({SMS: "{{ brand.nmae }}"}, f"{SMS}:1", "{{ brand.nmae }} does not exist"),
    ({SMS: "{% if recipient.zip %}x{% endif %}"}, f"{SMS}:1", "{{ recipient.zip }} is not in sample.json"),
    ({HTML: "{{ button('Go', data.no) }}"}, f"{HTML}:1", "{{ data.no }} is not in sample.json"),
    ({HTML: "<p>\n\n{% for %}</p>"}, f"{HTML}:3", "Expected an expression"),
    ({HTML: "<p>Hello</p>\n<a href='http://acme.example.com'>x</a>"}, f"{HTML}:2", "is not encrypted"),
    ({HTML: "<img src='https://acme.example.com/a.png'>"}, HTML, "no alt text"),
    ({SMS: "a" * 460}, SMS, "takes 4 parts; 3 are allowed"),
    ({SMS: " "}, SMS, "The text is empty"),
    ({SMS: "{{ recipient.name / 2 }}"}, "messages/hello", "cannot be rendered"),
    ({MESSAGE: PROMOTIONAL}, SMS, "must say how to unsubscribe"),
    ({"messages/hello/sample.json": "{"}, "messages/hello/sample.json:1", "cannot be read"),
    ({"messages/hello/sample.json": None}, "messages/hello/sample.json", "The file is missing"),
    ({"messages/hello/sample.json": '{"date": {}}'}, "messages/hello/sample.json:1", "date is not a field"),
    ({MESSAGE: SOUND[MESSAGE].replace("news", "nwes")}, f"{MESSAGE}:1", '"nwes" is not a topic'),
    ({MESSAGE: SOUND[MESSAGE] + 'topc = "x"'}, f"{MESSAGE}:4", "topc is not a field"),
    ({MESSAGE: 'purpose = "transactional"'}, MESSAGE, "topic is missing"),
    ({MESSAGE: SOUND[MESSAGE] + 'expires_after = "soon"'}, f"{MESSAGE}:4", "expires_after"),
    ({MESSAGE: SOUND[MESSAGE].replace('"sms"]', '"email"]')}, f"{MESSAGE}:3", "a channel is named twice"),
    ({MESSAGE: TRIGGER + 'data = "detail."'}, f"{MESSAGE}:8", "is not a JMESPath expression"),
    ({MESSAGE: TRIGGER + "[trigger.filter.detail]\na = []"}, f"{MESSAGE}:8", "must be a list of allowed values"),
    ({MESSAGE: TRIGGER + '[trigger.filter]\nsource = ["x"]'}, f"{MESSAGE}:8", "is said in [trigger] itself"),
    ({MESSAGE: TRIGGER + f'[trigger.filter]\naccount = ["{"1" * 2100}"]'}, f"{MESSAGE}:8", "longer than 2048 bytes"),
    ({"messages/a b/message.toml": SOUND[MESSAGE]}, "messages/a b", "cannot be the name of a message"),
    ({"policy.toml": 'default_locale = "english language"\n[topics]\na = "A"'}, "policy.toml:1", "not a BCP-47"),
    (
        {"brand/brand.toml": SOUND["brand/brand.toml"].replace("#5a6462", "#aaaaaa")},
        "brand/brand.toml:6",
        "hard to read",
    ),
    ({"policy.toml": SOUND["policy.toml"] + '"our news" = "News"'}, "policy.toml:5", "our news"),
    ({"layouts/email.txt": None}, "layouts/email.txt", "The layout of mails is missing"),
    ({"layouts/email.txt": "{{ content }}\n{{ brand.fax }}"}, "layouts/email.txt:2", "{{ brand.fax }} does not exist"),
    ({"layouts/email.txt": "{{ contents }}"}, "layouts/email.txt:1", "{{ contents }} does not exist"),
    ({SMS: "{{ data.url }} {{ unsubscribe_url }}"}, f"{SMS}:1", "has no link to unsubscribe"),
    ({SMS: "a\nGr\ufffdn"}, f"{SMS}:2", "A character cannot be read"),
    (
        {MESSAGE: TRIGGER.replace("transactional", "promotional") + 'email = "detail.email"'},
        f"{MESSAGE}:4",
        "never to an address in an event",
    ),
    ({"layouts/words.de.toml": "[phrases]"}, "layouts/words.de.toml", '"unsubscribe" is there in en, but not in de'),
]


@pytest.mark.parametrize(("files", "place", "said"), MISTAKES)
def test_a_mistake_is_refused_at_its_place(tmp_path: Path, files: dict[str, str | None], place: str, said: str) -> None:
    errors = [str(finding) for finding in findings(tmp_path, files) if not finding.warning]
    assert any(error.startswith(f"{place}: ") and said in error for error in errors), errors


@pytest.mark.parametrize(("files", "place", "said"), MISTAKES)
def test_every_finding_says_what_to_do(tmp_path: Path, files: dict[str, str | None], place: str, said: str) -> None:
    assert all(len(finding.remedy) > 5 for finding in findings(tmp_path, files))


REMARKS = [
    ({"messages/hello/email.preview.txt": None}, "has no preview text"),
    ({**mail_in("de"), "messages/hello/sms.de.txt": "Acme"}, "{{ data.url }} is used in en, but not in de"),
    ({SMS: "Fête {{ data.url }} and this is a longer text"}, "“ê” cuts a part from 160 to 70"),
    ({**mail_in("de"), "messages/hello/sms.de.txt": "Acme: {{ data.url }}"}, "the foot of their mails is in en"),
]


@pytest.mark.parametrize(("files", "said"), REMARKS)
def test_what_is_merely_odd_is_a_warning(tmp_path: Path, files: dict[str, str | None], said: str) -> None:
    found = findings(tmp_path, files)
    assert all(finding.warning for finding in found)
    assert any(said in finding.problem for finding in found), found


def test_several_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    wrong = SOUND[MESSAGE].replace("transactional", "spam") + 'sms_parts = 99\nfoo = "bar"'
    problems = " ".join(
        finding.problem for finding in findings(tmp_path, {MESSAGE: wrong, "messages/hello/x.txt": "x"})
    )
    assert all(word in problems for word in ("purpose", "sms_parts", "foo", "not a part"))


@pytest.mark.parametrize(
    "text",
    [
        '{{ recipient.zip | default("") }}',
        "{% if recipient.zip is defined %}{{ recipient.zip }}{% endif %}",
        "{% for row in data.rows | default([]) %}{{ row.name }}{% endfor %}",
        "{% set name = recipient.name %}{{ name }}",
        "{{ brand.name }} {{ words.unsubscribe }} {{ locale }} {{ lang }} {{ dir }}",
        "{% for n in range(3) %}{{ n }}{{ loop.index }}{% endfor %}",
    ],
)
def test_what_is_made_up_for_or_set_is_not_missing(tmp_path: Path, text: str) -> None:
    assert [finding for finding in findings(tmp_path, {SMS: text + "{{ data.url }}"}) if not finding.warning] == []


@pytest.mark.parametrize("way_out", ["{{ unsubscribe_url }}", "Reply STOP to opt out"])
def test_a_promotional_text_message_says_how_to_get_out(tmp_path: Path, way_out: str) -> None:
    files = {MESSAGE: PROMOTIONAL, SMS: f"Acme {{{{ data.url }}}} {way_out}"}
    assert findings(tmp_path, files) == []


def test_a_language_without_its_own_link_takes_the_default_one(tmp_path: Path) -> None:
    push = {f"messages/hello/push.{part}": "Hi" for part in ("title.txt", "body.txt", "title.de.txt", "body.de.txt")}
    files = {
        MESSAGE: SOUND[MESSAGE].replace('"sms"]', '"sms", "push"]'),
        "messages/hello/push.url.txt": "{{ data.url }}",
        "messages/hello/sms.de.txt": "Acme (de): {{ data.url }}",
        "layouts/words.de.toml": SOUND["layouts/words.toml"],
    }
    assert findings(tmp_path, {**push, **files, **mail_in("de")}) == []


def test_dark_colours_are_checked_like_light_ones(tmp_path: Path) -> None:
    brand = SOUND["brand/brand.toml"].rpartition(PALETTE)
    files = {"brand/brand.toml": brand[0] + PALETTE.replace("#1e2b29", "#eeeeee")}
    assert "[dark]" in findings(tmp_path, files)[0].problem
