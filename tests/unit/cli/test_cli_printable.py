"""Nothing that comes from data commands the terminal of whoever reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from aws.fake import FakeAws
from heliograph_cli.main import cli
from heliograph_cli.printable import UNPRINTABLE, printable, printable_json

EVIL = "x\x1b[2J\x1b]0;owned\x07\x9b31m\r\x08\x7f\u202egnp.exe\u2066\u2028y"
FACTS = {"message": EVIL, "run_id": EVIL, "version": EVIL, "policy": EVIL, "reason": EVIL, "channel": EVIL}
RULES = [{"channel": EVIL, "rule": EVIL, "result": EVIL, "says": EVIL}]
DECIDED: dict[str, Any] = {
    **FACTS,
    "recipient_id": "anna-1",
    "decided_at": "2026-03-01T10:00:00Z",
    "at": "2026-03-01T10:00:00Z",
    "outcome": "skipped",
    "rules": RULES,
    "at_delivery": False,
    "state": EVIL,
    "events": {EVIL: "2026-03-01T10:00:00Z"},
    "zone": None,
    "until": None,
    "next_time": None,
    "order": [],
    "caps": [],
    "hours": [EVIL],
    "inputs": {},
    "genuine": True,
    "replayed": False,
    "note": EVIL,
}
FIGURES: dict[str, Any] = {
    **FACTS,
    "campaign": EVIL,
    "state": "failed",
    "started_at": "2026-03-01T10:00:00Z",
    "audience": 0,
    "reached": 0,
    "rejected": 0,
    "pending": 0,
    "counts": {"accepted": 0, "skipped": 0, "scheduled": 0, "failed": 0, "unknown": 0},
    "skipped": {EVIL: 1, "missing_variable": 1},
    "missing": {EVIL: 1},
    "failed": {EVIL: 1},
    "by_channel": {EVIL: 1},
    "via_fallback": {EVIL: 1},
    "engagement": {EVIL: 1},
    "problem": EVIL,
}
SAID = {"subject": EVIL, "channel": EVIL, "state": "opted_in", "at": EVIL, "source": EVIL, "text": EVIL}
ANSWERS: dict[str, Any] = {
    "runs": [FIGURES],
    "status": FIGURES,
    "timeline": {"recipient_id": "anna-1", "entries": [DECIDED], "html_key": EVIL},
    "why": DECIDED,
    "decide": DECIDED,
    "consents": {
        "recipient_id": "anna-1",
        "at": EVIL,
        "consents": [SAID],
        "history": [{**SAID, "proof": EVIL, "recorded_at": EVIL, "holds": True}],
    },
}
COMMANDS = [
    ("timeline", "anna-1"),
    ("why", "anna-1"),
    ("decide", "anna-1", "spring_sale"),
    ("consents", "anna-1"),
    ("campaign", "list"),
    ("campaign", "status", "01"),
]


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--endpoint-url", "http://127.0.0.1:4999"], catch_exceptions=False)


@pytest.fixture
def aws(fake_aws: FakeAws) -> FakeAws:
    fake_aws.report = lambda question: ANSWERS[question["action"]]
    return fake_aws


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("json_too", [[], ["--json"]], ids=["shown", "json"])
def test_no_command_hands_on_what_would_command_a_terminal(
    aws: FakeAws, words: tuple[str, ...], json_too: list[str]
) -> None:
    result = run(*words, *json_too)
    assert "x" in result.stdout
    assert not UNPRINTABLE.search(result.stdout + result.stderr)


def test_json_says_exactly_what_the_data_says_all_the_same(aws: FakeAws) -> None:
    assert json.loads(run("timeline", "anna-1", "--json").stdout)["entries"][0]["message"] == EVIL


@pytest.mark.parametrize("words", [("nothing" + EVIL,), ("send", "m", "--to", EVIL), ("send", "m", "--data", EVIL)])
def test_an_error_does_not_hand_on_what_would_command_a_terminal(aws: FakeAws, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert not UNPRINTABLE.search(result.stderr)


def test_what_aws_says_does_not_command_a_terminal(aws: FakeAws) -> None:
    aws.failing["cloudformation"] = (400, "Strange", "it said &#x9b;31m&#x202e;")
    assert not UNPRINTABLE.search(run("campaign", "list").stderr)


@given(st.text(st.characters(codec=None)))
def test_printable_text_is_always_printable_and_of_the_same_lines(text: str) -> None:
    shown = printable(text)
    assert not UNPRINTABLE.search(shown)
    assert shown.count("\n") == text.count("\n")
    shown.encode()


@given(st.text(st.characters(codec="utf-8")))
def test_printable_json_always_means_what_it_meant(text: str) -> None:
    shown = printable_json(json.dumps([text], ensure_ascii=False))
    assert json.loads(shown) == [text]
    assert not UNPRINTABLE.search(shown)


@pytest.mark.parametrize("text", ["Größe", "مرحبا\u200f", "emoji 👩‍👩‍👧", "a\tb\nc", "[bold]:smile:"])
def test_words_of_any_script_stay_as_they_are(text: str) -> None:
    assert printable(text) == text
