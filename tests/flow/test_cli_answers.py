"""What the command line says about a real system: the report function's own answers, not played ones."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from aws.flow_system import System
from functions.report.app import handler
from heliograph.reporting import work

Heliograph = Callable[..., Result]
RUN = "01K0XW5N3M8QJ4RZT6V2Y7B9CE"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("campaign", "status", RUN), f"There is no run {RUN}."),
        (("campaign", "report", RUN), f"There is no run {RUN}."),
        (("why", "nobody-at-all"), "Nothing was ever decided for this person."),
        (("why", "nobody-at-all", "--message", "spring_sale"), "Nothing was ever decided about spring_sale for"),
        (("decide", "nobody-at-all", "no_such_message"), "There is no message no_such_message. Deployed are"),
        (("consents", "nobody-at-all"), "Nobody is known as nobody-at-all."),
        (("recipients", "show", "nobody-at-all"), "Nobody is known as nobody-at-all."),
        (("reconcile", RUN), f"There is no run {RUN}."),
        (("replay", RUN), f"There is no run {RUN}."),
    ],
    ids=lambda words: " ".join(words[:2]) if isinstance(words, tuple) else "",
)
def test_a_question_about_nothing_is_a_no_with_a_next_step_and_no_error_of_a_function(
    system: System, heliograph: Heliograph, caplog: pytest.LogCaptureFixture, words: tuple[str, ...], what: str
) -> None:
    with caplog.at_level(logging.WARNING):
        result = heliograph(*words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert what in result.stderr
    assert not caplog.records


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"action": "nothing"},
        {"action": "status"},
        {"action": "status", "run_id": "../../x"},
        {"action": "timeline", "recipient_id": "a/b"},
        {"action": "timeline", "recipient_id": 7},
        {"action": "why", "recipient_id": "a", "at": "soon"},
        {"action": "why", "recipient_id": "a", "at": 7},
        {"action": "why", "recipient_id": "a", "message": ["b"]},
        [],
        None,
        "status",
    ],
    ids=str,
)
def test_a_question_that_cannot_be_read_is_answered_with_its_place(system: System, question: Any) -> None:
    assert set(handler(question, None)) == {"malformed", "code", "reason"}


@pytest.mark.parametrize("question", ["status", "report"])
def test_the_name_of_a_campaign_leads_to_its_newest_run(
    system: System, heliograph: Heliograph, person: str, question: str
) -> None:
    name = f"twice-{question}-{person}"
    for message in ("no_such_message", "nor_this_one"):
        system.upload_campaign(name, f'message = "{message}"\n', f"recipient_id\n{person}\n".encode())
        system.work()
    newest, earlier = (str(run["run_id"]) for run in work.runs() if run["campaign"] == name)
    result = heliograph("campaign", question, name)
    assert (result.exit_code, result.stdout) == (1, "")
    told = " ".join(result.stderr.split())
    assert f"There is no run {name}. {name} is a campaign; its newest run is {newest}." in told
    assert earlier not in told


def test_a_run_that_failed_says_why_wherever_it_is_asked_about(
    system: System, heliograph: Heliograph, person: str
) -> None:
    name = f"failed-{person}"
    system.upload_campaign(name, 'message = "no_such_message"\n', f"recipient_id\n{person}\n".encode())
    system.work()
    run_id = str(next(run["run_id"] for run in work.runs() if run["campaign"] == name))
    why = "there is no message no_such_message"
    shown = " ".join(heliograph("campaign", "status", run_id).stdout.split())
    assert why in shown
    assert "Nobody was sent to." in shown
    assert "accepted" not in shown
    told = json.loads(heliograph("campaign", "status", run_id, "--json").stdout)
    assert told["state"] == "failed"
    assert why in told["problem"]
    heliograph("campaign", "report", run_id)
    page = system.cloud.client("s3").get_object(Bucket=system.bucket, Key=f"reports/{run_id}.html")["Body"].read()
    assert why in page.decode()
    assert "The sums match" not in page.decode()
