"""A templates folder with one sound message; tests say only what is different."""

from collections.abc import Mapping
from pathlib import Path

from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.lint import check

PALETTE = """
canvas = "#f3efe7"
paper = "#ffffff"
ink = "#1e2b29"
muted = "#5a6462"
rule = "#e4ded2"
accent = "#17594a"
on_accent = "#ffffff"
"""
SOUND = {
    "policy.toml": """
default_locale = "en"
[topics]
news = "News"
""",
    "brand/brand.toml": f"""
name = "Acme"
website = "https://acme.example.com"
support = "help@acme.example.com"
postal_address = "1 Main Street"
[colours]{PALETTE}
[dark]{PALETTE}
""",
    "layouts/email.css": "p { color: {{ colours.ink }}; } .button a { color: {{ colours.on_accent }}; }",
    "layouts/email.html": '<html lang="{{ lang }}" dir="{{ dir }}"><head><title>x</title></head><body>{{ content }}'
    '{% if promotional %}<a href="{{ unsubscribe_url }}">{{ words.unsubscribe }}</a>{% endif %}</body></html>',
    "layouts/email.txt": "{{ content }}\n{% if promotional %}{{ words.unsubscribe }}: {{ unsubscribe_url }}{% endif %}",
    "layouts/words.toml": '[phrases]\nunsubscribe = "Unsubscribe from {topic}"\n',
    "components/button.html": "{% macro button(label, url) %}"
    '<table class="button"><tr><td><a href="{{ url }}">{{ label }}</a></td></tr></table>{% endmacro %}',
    "messages/hello/message.toml": 'topic = "news"\npurpose = "transactional"\nchannels = ["email", "sms"]\n',
    "messages/hello/sample.json": '{"recipient": {"name": "Ann"}, "data": {"url": "https://acme.example.com/a"}}',
    "messages/hello/email.subject.txt": "Hello {{ recipient.name }}",
    "messages/hello/email.preview.txt": "Something is new",
    "messages/hello/email.html": "<p>Hello {{ recipient.name }}</p>",
    "messages/hello/email.txt": "Hello {{ recipient.name }}",
    "messages/hello/sms.txt": "Acme: {{ data.url }}",
}
POLICY = "policy.toml"
MESSAGE = "messages/hello/message.toml"
TRIGGER = SOUND[MESSAGE] + '[trigger]\nsource = "shop"\ndetail_type = "Said"\nrecipient_id = "detail.id"\n'


def mail_in(locale: str) -> dict[str, str]:
    """The mail of the message, translated."""
    files = {file: text for file, text in SOUND.items() if file.startswith("messages/hello/email.")}
    return {
        f"{file.rpartition('.')[0]}.{locale}.{file.rpartition('.')[2]}": f"{text} ({locale})"
        for file, text in files.items()
    }


def with_policy(text: str) -> dict[str, str | None]:
    """A sound desk's policy with tables at its end."""
    return {POLICY: SOUND[POLICY] + text}


def a_desk(folder: Path, files: Mapping[str, str | None] | None = None) -> Path:
    """Write a sound desk with some files different, or (None) not there."""
    for file, text in (SOUND | dict(files or {})).items():
        if text is not None:
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder


def findings(folder: Path, files: Mapping[str, str | None] | None = None) -> list[Finding]:
    """What the linter says about a sound desk with some files different."""
    return list(check(a_desk(folder, files)).findings)
