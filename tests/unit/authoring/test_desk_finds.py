"""Rules about what a marketer forgets: languages, leftovers of a copy, links, markup, the logo; all at once."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from desk_builders import MESSAGE, SOUND, TRIGGER, a_desk, findings, mail_in
from heliograph_cli.authoring.commands import preview
from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.links import SHORTENERS
from heliograph_cli.authoring.lint import check
from heliograph_cli.authoring.preview import write

HTML = "messages/hello/email.html"
TEXT = "messages/hello/email.txt"
SMS = "messages/hello/sms.txt"
SAMPLE = "messages/hello/sample.json"
BRAND = "brand/brand.toml"
GERMAN = {**mail_in("de"), "layouts/words.de.toml": SOUND["layouts/words.toml"]}
LOGO = '[logo]\nurl = "https://acme.example.com/l.png"\nfile = "{}"\nalt = "Acme"\nwidth = 90\nheight = 30\n'
PNG = b"\x89PNG\r\n\x1a\n"
TRANSLATED: dict[str, str | None] = {**GERMAN, "messages/hello/sms.de.txt": "Acme (de): {{ data.url }}"}


def errors(folder: Path, files: dict[str, str | None]) -> list[Finding]:
    return [finding for finding in findings(folder, files) if not finding.warning]


def warnings(folder: Path, files: dict[str, str | None]) -> list[Finding]:
    return [finding for finding in findings(folder, files) if finding.warning]


def the_line_of(found: list[Finding], file: str, said: str) -> int:
    """Where a problem is reported; it is among the findings of that file."""
    lines = [finding.line for finding in found if finding.file == file and said in finding.problem]
    assert lines, found
    return lines[0]


# ---- languages ---------------------------------------------------------------------------------------------------


def test_a_language_of_one_channel_is_a_language_of_all(tmp_path: Path) -> None:
    [found] = errors(tmp_path, {**GERMAN})
    assert found.file == "messages/hello/sms.de.txt"
    assert found.problem == "There is a translation in de for email, but none for sms."
    assert found.remedy == "Add it: people who read de would get en."


def test_a_translation_on_every_channel_has_nothing_to_correct(tmp_path: Path) -> None:
    assert findings(tmp_path, TRANSLATED) == []


def test_a_regional_language_is_spoken_by_the_channel_that_speaks_the_general_one(tmp_path: Path) -> None:
    swiss: dict[str, str | None] = {**TRANSLATED, "messages/hello/sms.de-CH.txt": "Acme (Schweiz): {{ data.url }}"}
    british: dict[str, str | None] = {"messages/hello/sms.en-GB.txt": "Acme UK: {{ data.url }}"}
    assert findings(tmp_path / "swiss", swiss) == []
    assert findings(tmp_path / "british", british) == []


def test_words_that_nobody_translated_are_a_warning(tmp_path: Path) -> None:
    copied = TRANSLATED | {"messages/hello/email.subject.de.txt": "Good to have you, {{ recipient.name }}"}
    copied |= {"messages/hello/email.subject.txt": "Good to have you, {{ recipient.name }}"}
    [found] = findings(tmp_path, copied)
    assert (found.file, found.problem) == ("messages/hello/email.subject.de.txt", "The words in de are those in en.")


# ---- leftovers of a copy -----------------------------------------------------------------------------------------


def a_copy(**changes: str) -> dict[str, str | None]:
    """A second message, copied from the first, with some files different."""
    names = {file.removeprefix("messages/hello/"): text for file, text in SOUND.items() if file.startswith("messages/")}
    names |= {"email.txt": "Goodbye, goodbye, {{ recipient.name }}", "email.preview.txt": "New to you", **changes}
    return {f"messages/good_bye/{file}": text for file, text in names.items()}


def test_words_of_a_copied_folder_that_nobody_changed_are_a_warning(tmp_path: Path) -> None:
    both = "<p>Good to have you with us, {{ recipient.name }}</p>"
    found = warnings(tmp_path, {HTML: both, **a_copy(**{"email.html": both})})
    assert the_line_of(found, HTML, "The same words stand in messages/good_bye/email.html.") == 0


def test_texts_of_a_few_letters_may_be_the_same_by_chance(tmp_path: Path) -> None:
    found = findings(tmp_path, a_copy(**{"email.preview.txt": "Once again, and again"}))
    assert found == []


def test_two_messages_that_one_event_sends_are_a_warning(tmp_path: Path) -> None:
    found = warnings(tmp_path, {MESSAGE: TRIGGER, **a_copy(**{"message.toml": TRIGGER})})
    assert the_line_of(found, MESSAGE, "The same event sends good_bye, too") == 4


def test_two_messages_that_different_events_send_are_none(tmp_path: Path) -> None:
    narrow = TRIGGER + "[trigger.filter.detail]\nlast = [true]\n"
    assert warnings(tmp_path, {MESSAGE: TRIGGER, **a_copy(**{"message.toml": narrow})}) == []


def test_the_name_of_the_message_that_was_copied_is_a_warning(tmp_path: Path) -> None:
    text = "Acme\n{{ data.url }}?utm_campaign=good_bye"
    found = warnings(tmp_path, {SMS: text, **a_copy()})
    assert the_line_of(found, SMS, "The words name another message, good_bye.") == 2


def test_what_the_sample_of_the_copied_message_held_is_a_warning(tmp_path: Path) -> None:
    sample = '{\n"recipient": {"name": "Ann", "zip": "1"},\n"data": {"url": "https://a.example",\n"reset_url": "x"}}'
    [found] = findings(tmp_path, {SAMPLE: sample})
    assert (found.file, found.line, found.problem) == (SAMPLE, 4, 'Nothing in this message uses "reset_url".')


@pytest.mark.parametrize("text", ["Lorem ipsum dolor", "TODO: words", "Call us: XXX"])
def test_what_stands_for_words_is_a_warning(tmp_path: Path, text: str) -> None:
    assert the_line_of(warnings(tmp_path, {SMS: f"Acme {{{{ data.url }}}}\n{text}"}), SMS, "stands in the words") == 2


# ---- markup and links --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ("<SCRIPT src='https://acme.example.com/x.js'></SCRIPT>", "<script>"),
        ("<iframe src='https://acme.example.com'></iframe>", "<iframe>"),
        ("<form action='https://acme.example.com'><input name='a'></form>", "<form>"),
        ("<form action='https://acme.example.com'><input name='a'></form>", "<input>"),
        ("<object data='https://acme.example.com'></object>", "<object>"),
        ("<p onclick='x()'>Hi</p>", "onclick="),
        ("<a href='javascript:alert(1)'>Hi</a>", "javascript:"),
        ("<a href=' JavaScript :alert(1)'>Hi</a>", "javascript:"),
        ("{{ button('Hi', 'javascript:alert(1)') }}", "javascript:"),
        ("{{ button('Hi', 'data:text/html,x') }}", "data:"),
        ("<a href='/spring'>Hi</a>", "/spring is relative"),
        ("<a href='spring.html'>Hi</a>", "spring.html is relative"),
        ("<a href='www.acme.example.com'>Hi</a>", "www.acme.example.com is relative"),
        ("<a href='//acme.example.com'>Hi</a>", "//acme.example.com is relative"),
        ("{{ button('Hi', '/spring') }}", "/spring is relative"),
        ("<img alt='' src='logo.png'>", "logo.png is relative"),
        ("<a href='https://bit.ly/3xYz'>Hi</a>", "bit.ly/3xYz"),
        ("<a href='http://acme.example.com'>Hi</a>", "not encrypted"),
        ('{% include "messages/other.html" %}', "include"),
    ],
)
def test_what_mail_programs_remove_or_distrust_is_refused_at_its_line(tmp_path: Path, html: str, said: str) -> None:
    assert the_line_of(errors(tmp_path, {HTML: f"<p>Hello\n</p>{html}"}), HTML, said) == 2


@pytest.mark.parametrize("html", ["<a href=''>Hi</a>", "<a href='#'>Hi</a>", "<a href>Hi</a>"])
def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, html: str) -> None:
    the_line_of(errors(tmp_path, {HTML: html}), HTML, "leads nowhere")


@pytest.mark.parametrize(
    "html",
    [
        "<a href='https://acme.example.com/a?b=1&amp;c=2#d'>Hi</a>",
        "<a href='mailto:help@acme.example.com'>Hi</a>",
        "<a href='tel:+491234'>Hi</a>",
        "<p>About javascript and forms: on the way to https://acme.example.com/bit.ly/x, only {{ data.url }}</p>",
        "<p>abit.ly/x is another domain, and so is bit.ly.example.com/x</p>",
        "{# <script> and <form> are not for mails #}<p>Hi</p>",
        "<a href='#terms'>Terms</a><p id='terms'>Hi</p>",
    ],
)
def test_links_that_lead_somewhere_are_fine(tmp_path: Path, html: str) -> None:
    assert findings(tmp_path, {HTML: html}) == []


def test_a_link_of_the_sample_is_found_in_the_sample(tmp_path: Path) -> None:
    sample = '{"recipient": {"name": "Ann"},\n"data": {"url": "/orders/1"}}'
    files: dict[str, str | None] = {SAMPLE: sample, HTML: "<a href='{{ data.url }}'>Hi</a>"}
    assert the_line_of(errors(tmp_path, files), SAMPLE, "/orders/1 is relative") == 2


@pytest.mark.parametrize("shortener", SHORTENERS)
@pytest.mark.parametrize("scheme", ["", "https://", "https://www."])
def test_links_of_public_shorteners_are_refused_in_texts(tmp_path: Path, shortener: str, scheme: str) -> None:
    text = f"Acme: {{{{ data.url }}}}\n{scheme}{shortener}/3xYz"
    assert the_line_of(errors(tmp_path, {SMS: text}), SMS, "public shorteners") == 2


@pytest.mark.parametrize("words", ["", " \n", "<p></p>", "<p>&nbsp;</p>", "{% if false %}Hi{% endif %}", "{# Hi #}"])
def test_a_mail_of_nothing_but_its_layout_is_refused(tmp_path: Path, words: str) -> None:
    layout = {
        "layouts/email.html": SOUND["layouts/email.html"].replace("{{ content }}", "{{ content }}Acme, 1 Main St")
    }
    the_line_of(errors(tmp_path, {HTML: words, **layout}), HTML, "The mail is empty")


def test_a_plain_text_of_nothing_but_its_layout_is_refused(tmp_path: Path) -> None:
    layout = {"layouts/email.txt": "{{ content }}\nAcme"}
    the_line_of(errors(tmp_path, {TEXT: "\n", **layout}), TEXT, "The mail is empty")


def test_a_mail_may_be_one_picture(tmp_path: Path) -> None:
    assert findings(tmp_path, {HTML: "<img alt='{{ recipient.name }}' src='https://acme.example.com/a.png'>"}) == []


# ---- the logo ----------------------------------------------------------------------------------------------------


def with_logo(name: str) -> dict[str, str | None]:
    layout = SOUND["layouts/email.html"].replace(
        "<body>", '<body><img src="{{ brand.logo.url }}" alt="{{ brand.logo.alt }}">'
    )
    return {BRAND: SOUND[BRAND].replace("[colours]", f"{LOGO.format(name)}[colours]"), "layouts/email.html": layout}


def test_a_logo_that_is_not_there_is_refused(tmp_path: Path) -> None:
    [found] = errors(tmp_path, with_logo("l.png"))
    assert (found.file, found.line, found.problem) == (BRAND, 8, "brand/l.png is missing.")


@pytest.mark.parametrize("name", ["../secret.png", "..", ".", "../..", "/etc/passwd", "a/b.png", "a\\\\b.png", ".png"])
def test_the_file_of_a_logo_is_a_name_and_no_path(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.png").write_bytes(PNG)
    [found] = errors(tmp_path / "templates", with_logo(name))
    assert (found.file, found.line) == (BRAND, 8)
    assert "a name, no path" in found.remedy


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"root:x:0:0", "is not a picture"),
        (b"<svg onload='x()'/>", "is not a picture"),
        (b"", "is not a picture"),
        (PNG + b"\0" * 1_000_000, "is larger than 1000 KB"),
    ],
)
def test_only_pictures_that_mail_programs_show_are_logos(tmp_path: Path, content: bytes, said: str) -> None:
    desk = a_desk(tmp_path, with_logo("l.png"))
    (desk / "brand/l.png").write_bytes(content)
    [found] = check(desk).errors
    assert said in found.problem
    write(desk, tmp_path / "preview")
    assert "base64" not in (tmp_path / "preview/index.html").read_text()


def test_a_logo_never_leads_out_of_the_brand(tmp_path: Path) -> None:
    desk = a_desk(tmp_path / "templates", with_logo("l.png"))
    (tmp_path / "secret.png").write_bytes(PNG)
    (desk / "brand/l.png").symlink_to(tmp_path / "secret.png")
    [found] = check(desk).errors
    assert found.problem == "brand/l.png is missing."


# ---- all at once -------------------------------------------------------------------------------------------------

BROKEN = {
    "messages/a/message.toml": "topic = ",
    "messages/a/sample.json": "{}",
    "messages/a/sms.txt": "{{ nothing",
    "messages/b/message.toml": SOUND[MESSAGE].replace("news", "nwes"),
    "messages/b/sample.json": "{}",
    "messages/b/email.html": "<script>",
    "messages/b/sms.txt": "{% if %}",
    "messages/c/message.toml": SOUND[MESSAGE].replace('"email", ', ""),
    "messages/c/sample.json": "{}",
    "messages/c/sms.txt": "{{ data.nothing }} http://acme.example.com",
    "messages/d/message.toml": SOUND[MESSAGE].replace('"email", ', ""),
    "messages/d/sample.json": "{}",
    "messages/d/sms.txt": "a" * 500,
}


def test_every_message_says_all_that_is_wrong_with_it_at_once(tmp_path: Path) -> None:
    said = "\n".join(map(str, errors(tmp_path, {**BROKEN})))
    for expected in (
        "messages/a/message.toml:1: The file cannot be read",
        "messages/a/sms.txt:1: unexpected",
        'messages/b/message.toml:1: "nwes" is not a topic',
        "messages/b/email.html:1: Mail programs remove <script>",
        "messages/b/sms.txt:1: Expected an expression",
        "messages/b/email.txt: The text of the email is missing",
        "messages/c/sms.txt:1: {{ data.nothing }} is not in sample.json",
        "messages/c/sms.txt:1: The link http://acme.example.com is not encrypted",
        "messages/d/sms.txt: The text takes 4 parts",
    ):
        assert expected in said, said


def test_a_policy_that_cannot_be_read_does_not_hide_what_is_wrong_elsewhere(tmp_path: Path) -> None:
    files: dict[str, str | None] = {"policy.toml": "default_locale =", **BROKEN}
    said = {finding.file for finding in errors(tmp_path, files)}
    assert {"policy.toml", "messages/a/message.toml", "messages/a/sms.txt", "messages/b/email.html"} <= said


def test_one_broken_message_does_not_hide_the_preview_of_the_others(tmp_path: Path) -> None:
    desk = a_desk(tmp_path / "templates", {**BROKEN})
    shown = write(desk, tmp_path / "preview")
    page = (tmp_path / "preview/index.html").read_text()
    assert (shown.messages, shown.broken) == (["d", "hello"], ["a", "b", "c"])
    assert "Hello Ann" in page
    assert "messages/a/message.toml:1: The file cannot be read" in page
    assert page.count("cannot be shown until this is corrected") == 3


def test_a_preview_says_what_it_cannot_show(tmp_path: Path) -> None:
    desk, target = a_desk(tmp_path / "t", {**BROKEN}), tmp_path / "preview"
    done = CliRunner().invoke(preview, ["--templates", str(desk), "--to", str(target), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["broken"] == ["a", "b", "c"]
    assert "messages/b/sms.txt:1" in done.stderr
    said = CliRunner().invoke(preview, ["--templates", str(desk), "--to", str(target)]).stdout
    assert said.endswith("index.html: 2 messages. 3 messages cannot be shown.\n")


def test_a_preview_of_a_broken_message_alone_says_why(tmp_path: Path) -> None:
    desk, target = a_desk(tmp_path / "t", {**BROKEN}), tmp_path / "preview"
    done = CliRunner().invoke(preview, ["--templates", str(desk), "--to", str(target), "--message", "c"])
    assert done.exit_code == 1
    assert "messages/c/sms.txt:1: {{ data.nothing }} is not" in done.stderr


def test_a_preview_shows_every_language_that_any_channel_speaks(tmp_path: Path) -> None:
    write(a_desk(tmp_path / "t", TRANSLATED), tmp_path / "preview")
    page = (tmp_path / "preview/index.html").read_text()
    assert [page.count(f'data-language="{tag}"') for tag in ("en", "de")] == [1, 1]
    assert page.count('data-locale="de"') == 2


@pytest.mark.parametrize(
    ("written", "shown"),
    [("1 minute", "1 minute"), ("90 minutes", "90 minutes"), ("1 hour", "1 hour"), ("P7D", "7 days")],
)
def test_a_preview_says_times_as_people_do(tmp_path: Path, written: str, shown: str) -> None:
    files: dict[str, str | None] = {MESSAGE: SOUND[MESSAGE] + f'expires_after = "{written}"\n'}
    write(a_desk(tmp_path / "t", files), tmp_path / "preview")
    assert f"expires after {shown}<" in (tmp_path / "preview/index.html").read_text()


@pytest.mark.parametrize(
    "files",
    [
        {"layouts/email.css": "p { color: {{ colours.inc }}; }"},
        {"layouts/email.css": "p { color: {{ colours.ink; }"},
        {"policy.toml": 'use_hours = ["mars"]\n' + SOUND["policy.toml"]},
        {SMS: "{% for a in [1] %}" * 30 + "x" + "{% endfor %}" * 30},
        {SMS: "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}"},
        {MESSAGE: TRIGGER + f"[trigger.filter]\na = {'[' * 3000}{']' * 3000}\n"},
        {SAMPLE: "[" * 100_000},
        {HTML: "<p>zq7qz {{ recipient.name }}</p><td>zq0qz"},
        {MESSAGE: TRIGGER + f"data = '{'(' * 3000}'"},
    ],
)
def test_no_mistake_stops_the_linter(tmp_path: Path, files: dict[str, str | None]) -> None:
    found = errors(tmp_path, files)
    assert all(finding.file in files for finding in found)
    assert found or HTML in files
