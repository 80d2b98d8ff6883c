"""Folders of messages, mutated, through lint, build and preview: a mistake is a finding and costs its message only."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from desk_builders import MESSAGE, SOUND, TRIGGER, a_desk
from heliograph_cli.authoring.build import build
from heliograph_cli.authoring.findings import DeskError
from heliograph_cli.authoring.lint import check
from heliograph_cli.authoring.preview import write
from search.budget import budget

if TYPE_CHECKING:
    from search.conftest import Tally

DESKS = budget(60)
AT_ONCE = 5  # spoilt messages beside a sound one
SHOWN = 40  # each how many-th desk is built and previewed as well
FALLBACK = '[[fallback]]\nunless = "delivered"\nwithin = "10 minutes"\nchannels = ["push"]\n'
FILES = ("messages/", "layouts/words.")  # the second: a language without words for the foot
NAMES = [
    "message.toml", "sample.json", "sample.de.json", "email.html", "email.de.html", "email.txt", "email.subject.txt",
    "email.subject.de.txt", "email.preview.txt", "sms.txt", "sms.de.txt", "sms.zz-ZZ.txt", "push.title.txt",
    "push.body.txt", "push.url.txt", "letter.txt", "email..html", "email.html.txt", ".html", "sms.😀.txt",
]  # fmt: skip
TEXTS = [
    "", " \n", "\0", "\ufeff", "{{", "}}", "{% if %}", "{% for x in data.url %}{{ x", "{# ", "{{ data.url | date }}",
    "{{ data.url | currency('EUR') }}", "{{ data.url | nope }}", "{{ ''.__class__.__mro__ }}", "{% include 'x' %}",
    "{% extends 'x' %}", "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "{{ button() }}", "{{ button(1, 2, 3) }}",
    "{{ range(10**9) }}", "{{ 1 / 0 }}", "{{ [].x.y }}", "{{ data.url() }}", "{% set data = 1 %}{{ data.url }}",
    "{{ recipient | dictsort }}", "{{ data.url | truncate('x') }}", "{{ 'a' * 10000 }}", "<p", "</td></tr></table>",
    "<table><tr><td>{% for x in [1] %}</td></tr>{% endfor %}", "<a href=>x</a>", "<a href='{{ data.url'>", "<!--",
    "<script>{{ x }}</script>", "<style>p { color: {{ colours.ink }} }", "zq0qz", "<!--zq9qz-->", "javascript:",
    "a" * 9000, "http://bit.ly/x", "\u202e", "TODO", "=1+1", "topic = 5", "[trigger]", "[[trigger]]", '{"data": []}',
    '{"data": 1',
    "[" * 5000, "{{ " + "-" * 2000 + "1 }}", "{{ " + "[" * 500 + "]" * 500 + " }}", "purpose = ['promotional']",
    "{% block a %}{% endblock %}{% block a %}{% endblock %}", "{% if a %}" * 40 + "{% endif %}" * 40, "channels = []",
]  # fmt: skip
DRAFT = {file.removeprefix("messages/hello/"): text for file, text in SOUND.items() if file.startswith("messages/")}
SEEDS = [
    DRAFT,
    DRAFT | {"message.toml": TRIGGER},
    DRAFT | {"message.toml": SOUND[MESSAGE] + FALLBACK, "push.title.txt": "Hi", "push.body.txt": "{{ data.url }}"},
]


def mutated(random: Random) -> dict[str, str]:
    """The files of a message, some of them spoilt, lost, renamed or strange."""
    files = dict(random.choice(SEEDS))
    for _ in range(random.randint(1, 4)):
        name, text = random.choice([*files, random.choice(NAMES)]), random.choice(TEXTS)
        old = files.get(name, "")
        place = random.randint(0, len(old))
        change = random.randrange(6)
        if change == 0:
            files.pop(name, None)
        elif change == 1:
            files[random.choice(NAMES)] = old
        elif change == 2:
            files[name] = text
        elif change == 3:
            files[name] = old[:place] + old[min(len(old), place + random.randint(1, 9)) :]
        else:
            files[name] = old[:place] + text + old[place:]
    return files


def fresh(folder: Path, files: dict[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", errors="replace")


def test_desk_folders(tally: Tally, tmp_path: Path) -> None:
    random, sound = Random(7), 0
    desk = a_desk(tmp_path / "templates")
    for number in range(DESKS):
        spoilt = {f"spoilt_{place}": mutated(random) for place in range(AT_ONCE)}
        for name, files in spoilt.items():
            fresh(desk / "messages" / name, files)
        tally.inputs += len(spoilt)
        try:
            proof = check(desk)
            if number % SHOWN == 0:
                write(desk, tmp_path / "preview")
                build(desk, tmp_path / "build/templates")
        except DeskError as refused:
            if not refused.findings:
                tally.lost.append(f"refused without a reason: {spoilt}")
        except Exception as unhandled:  # noqa: BLE001  (that is what is searched for)
            tally.unhandled.append(f"{unhandled!r:.200}: {spoilt!r:.3000}")
            continue
        if "hello" not in proof.messages:
            tally.harmed.append(f"the sound message cannot be shown: {spoilt!r:.3000}")
        for name, files in spoilt.items():
            place = f"messages/{name}"
            wrong = any(error.file == place or error.file.startswith(f"{place}/") for error in proof.errors)
            sound += not wrong
            if not wrong and name not in proof.messages:
                tally.lost.append(f"neither sound nor wrong: {files!r:.600}")
        for finding in proof.findings:
            if len(finding.remedy) < 6 or len(finding.problem) < 10 or not finding.file.startswith(FILES):
                tally.lost.append(f"a finding that does not help: {finding}")
    assert 0.02 * tally.inputs < sound < 0.9 * tally.inputs, "the search must try both what is sound and what is not"
