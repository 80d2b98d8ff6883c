"""What `heliograph consents` says, and to whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aws.fake import FakeAws
from heliograph_cli import compiled
from heliograph_cli import target as targets
from heliograph_cli.main import cli

GIVEN = {
    "subject": "offers",
    "channel": "sms",
    "state": "pending",
    "at": "2026-11-20T09:00:00Z",
    "source": "page:signup",
    "text": "offers-2026-03",
    "proof": "form/17",
}
ASKED: list[dict[str, Any]] = []


def report(question: dict[str, Any]) -> Any:
    """A report function that knows one person."""
    ASKED.append(question)
    if question["recipient_id"] != "anna-1":
        return {"not_found": "Nobody is known as ben.", "next_step": "`heliograph recipients export` lists everybody."}
    unset = {"subject": "promotional", "channel": "sms", "state": "not_set", "at": None}
    history = [GIVEN | {"recorded_at": "2026-11-20T09:00:02Z", "holds": True}]
    return {
        "recipient_id": "anna-1",
        "at": question["at"],
        "consents": [GIVEN, unset | dict.fromkeys(("source", "text", "proof"), "")],
        "history": history,
    }


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeAws:
    """An AWS that answers; nothing is sent anywhere."""
    aws = FakeAws(report)
    targets.session.cache_clear()
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", lambda _, request: aws.send(request))
    monkeypatch.setattr(targets, "STATE", tmp_path / "cloud.json")
    return aws


def heliograph(*arguments: str) -> Result:
    where = ("--endpoint-url", "http://127.0.0.1:4999")
    return CliRunner().invoke(cli, [*where, *arguments], prog_name="heliograph")


def consents(*arguments: str) -> Result:
    return heliograph("consents", *arguments)


def test_a_person_reads_what_holds_and_what_was_said_in_words() -> None:
    shown = consents("anna-1").stdout
    assert "anna-1, now" in shown
    for words in ("waits for confirmation", "not set", "page:signup", "offers-2026-03", "form/17"):
        assert words in shown


def test_a_script_gets_what_holds_and_the_history() -> None:
    told = json.loads(consents("anna-1", "--json").stdout)
    assert told.keys() == {"recipient_id", "at", "consents", "history"}
    assert told["consents"][0] == GIVEN
    assert told["history"][0] == GIVEN | {"recorded_at": "2026-11-20T09:00:02Z", "holds": True}


def test_a_time_is_asked_about_in_utc() -> None:
    assert consents("anna-1", "--at", "2026-11-21 10:00").exit_code == 0
    assert ASKED[-1]["at"] == "2026-11-21T10:00:00+00:00"


def test_a_time_that_cannot_be_read_is_wrong_usage() -> None:
    refused = consents("anna-1", "--at", "yesterday")
    assert refused.exit_code == 2
    assert "ISO 8601" in refused.stderr


def test_somebody_who_does_not_exist_is_a_no() -> None:
    refused = consents("ben")
    assert refused.exit_code == 1
    assert "recipients export" in refused.stderr


def test_nobody_is_imported_while_it_is_not_known_which_topics_need_a_confirmation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compiled, "COMPILED", tmp_path)
    people = tmp_path / "people.csv"
    people.write_text("recipient_id,consent.offers.email\nanna-1,yes\n")
    refused = heliograph("recipients", "import", str(people))
    assert refused.exit_code == 2
    assert "make build" in refused.stderr
