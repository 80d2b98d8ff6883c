"""What the command line promises to people and to scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fake_aws import FakeAws
from heliograph_cli import target as targets
from heliograph_cli.main import COMMANDS, cli

RUN = "01K0XW5N3M8QJ4RZT6V2Y7B9CD"
ENDPOINT = "http://127.0.0.1:4999"
FIGURES = {
    "run_id": RUN,
    "campaign": "spring-sale",
    "message": "spring_sale",
    "state": "complete",
    "started_at": "2026-03-01T10:00:00Z",
    "audience": 10,
    "rejected": 1,
    "pending": 0,
    "counts": {"accepted": 5, "suppressed": 2, "deferred": 1, "failed": 1, "unknown": 1},
    "suppressed": {"not_consented": 2},
    "failed": {"rejected": 1},
    "by_channel": {"email": 4, "sms": 1},
    "engagement": {"delivered": 4},
    "problem": "",
}
WHY = {
    "recipient_id": "anna-1",
    "message": "spring_sale",
    "decided_at": "2026-03-01T10:00:00Z",
    "outcome": "suppressed",
    "channel": "email",
    "reason": "not_consented",
    "rules": [{"channel": "email", "rule": "not_consented", "result": "not_consented"}],
}


def report(question: dict[str, Any]) -> Any:
    """A report function that knows one run and one person."""
    if question.get("run_id", RUN) != RUN or question.get("recipient_id", "anna-1") != "anna-1":
        raise LookupError("run_id: there is no run 01: `heliograph campaign list` shows them")
    listed = [{**{name: FIGURES[name] for name in ("run_id", "campaign", "state", "started_at")}, "more": 1}]
    return {
        "runs": listed,
        "status": FIGURES,
        "report": {"figures": FIGURES, "html_key": f"reports/{RUN}.html", "json_key": f"reports/{RUN}.json"},
        "timeline": {"recipient_id": "anna-1", "entries": [], "html_key": "reports/anna-1.html"},
        "why": WHY,
    }[question["action"]]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeAws:
    fake = FakeAws(report)
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(targets, "STATE", tmp_path / "state.json")
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", lambda _, request: fake.send(request))
    targets.session.cache_clear()
    return fake


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "spring-sale"
    made.mkdir()
    (made / "campaign.toml").write_text('message = "spring_sale"\n')
    (made / "segment.csv").write_text("recipient_id\nanna-1\n")
    return made


def heliograph(*words: str) -> Result:
    return CliRunner().invoke(cli, [*words], catch_exceptions=False)


def local(*words: str) -> Result:
    return heliograph(*words, "--endpoint-url", ENDPOINT)


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("command", [name for name, place in COMMANDS.items() if ".desk." not in place])
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    shown = heliograph(command, "--help").stdout
    assert "Example: heliograph" in shown
    assert "--json" in shown


def test_status_tells_scripts_the_bus_the_bucket_and_the_links(aws: FakeAws) -> None:
    status = told(local("status", "--json"))
    assert list(status) == ["state", "endpoint", "region", "stack", "bus", "bucket", "links"]
    assert (status["state"], status["bus"], status["bucket"]) == ("running", "heliograph-bus", "heliograph-bucket")
    assert status["links"]["outbox"] == f"{ENDPOINT}/_heliograph/outbox"
    assert f"reports/{RUN}.html?" in status["links"]["report"]


def test_status_is_stopped_when_nothing_runs_and_no_stack_is_named(aws: FakeAws) -> None:
    assert told(heliograph("status", "--json"))["state"] == "stopped"


def test_campaign_list_has_exactly_the_fields_that_scripts_read(aws: FakeAws) -> None:
    assert list(told(local("campaign", "list", "--json"))[0]) == ["run_id", "campaign", "state", "started_at"]


def test_campaign_status_has_exactly_the_fields_that_scripts_read(aws: FakeAws) -> None:
    status = told(local("campaign", "status", RUN, "--json"))
    assert list(status) == [
        "run_id", "campaign", "state", "audience", "counts", "suppressed", "by_channel", "engagement"
    ]  # fmt: skip
    assert sum(status["counts"].values()) == status["audience"]


def test_campaign_status_shows_people_why_nobody_is_lost(aws: FakeAws) -> None:
    shown = local("campaign", "status", RUN).stdout
    for word in ("audience", "accepted", "not_consented", "deferred", "failed", "unknown"):
        assert word in shown


def test_why_gives_the_rules_and_the_outcome(aws: FakeAws) -> None:
    assert told(local("why", "anna-1", "--json")) == WHY
    assert "not_consented" in local("why", "anna-1").stdout


def test_send_puts_a_request_on_the_bus(aws: FakeAws) -> None:
    words = ("send", "order_shipped", "--to", "anna-1", "--data", '{"order_id": "A-1"}', "--idempotency-key", "k-1")
    assert told(local(*words, "--json"))["event_id"] == "event-1"
    assert aws.events[0]["DetailType"] == "SendRequested"
    assert aws.events[0]["Detail"] == {
        "message": "order_shipped",
        "recipient_id": "anna-1",
        "data": {"order_id": "A-1"},
        "idempotency_key": "k-1",
    }


def test_options_work_before_and_after_the_command(aws: FakeAws) -> None:
    before = heliograph("--endpoint-url", ENDPOINT, "--json", "campaign", "list")
    assert told(before) == told(local("campaign", "list", "--json"))


def test_a_person_is_told_which_stack_is_in_use_and_a_script_is_not_disturbed(aws: FakeAws) -> None:
    result = local("campaign", "list", "--json")
    assert "stack heliograph on the local cloud" in result.stderr
    json.loads(result.stdout)


@pytest.mark.parametrize("data", ["{", "[]", "7"])
def test_data_that_is_no_json_object_is_wrong_usage(aws: FakeAws, data: str) -> None:
    assert local("send", "order_shipped", "--to", "anna-1", "--data", data).exit_code == 2


@pytest.mark.parametrize("recipient", ["anna@example.com", "", "a b", "x" * 129])
def test_an_identifier_that_could_not_travel_is_wrong_usage(aws: FakeAws, recipient: str) -> None:
    assert local("send", "order_shipped", "--to", recipient).exit_code == 2


def test_a_campaign_is_submitted_with_its_manifest_last(aws: FakeAws, folder: Path) -> None:
    aws.report = lambda question: report(question) if aws.uploads or question["action"] != "runs" else []
    status = told(local("campaign", "submit", str(folder), "--wait", "--json"))
    assert [path.rpartition("/")[2] for path in aws.uploads] == ["segment.csv", "campaign.toml"]
    assert (status["run_id"], status["state"]) == (RUN, "complete")


def test_a_run_that_failed_is_a_no_with_its_reason(aws: FakeAws, folder: Path) -> None:
    failed = {**FIGURES, "state": "failed", "problem": "segment.csv: there is no such file"}
    aws.report = lambda question: (
        ([] if not aws.uploads else report(question)) if question["action"] == "runs" else failed
    )
    result = local("campaign", "submit", str(folder), "--wait")
    assert result.exit_code == 1
    assert "segment.csv: there is no such file" in result.stderr


def test_a_folder_that_cannot_be_read_is_refused_before_anything_is_uploaded(aws: FakeAws, folder: Path) -> None:
    (folder / "segment.csv").write_text("name\nAnna\n")
    result = local("campaign", "submit", str(folder))
    assert result.exit_code == 2
    assert "segment.csv, row 1" in result.stderr
    assert not aws.uploads


def test_an_unknown_run_is_a_no_and_says_where_to_look(aws: FakeAws) -> None:
    result = local("campaign", "status", "01K0XW5N3M8QJ4RZT6V2Y7B9CE")
    assert result.exit_code == 1
    assert "heliograph campaign list" in result.stderr


def test_a_missing_stack_is_named_with_what_to_do(aws: FakeAws) -> None:
    result = local("campaign", "list", "--stack", "elsewhere")
    assert result.exit_code == 2
    assert "There is no stack elsewhere" in result.stderr
    assert "heliograph up" in result.stderr


def test_without_cloud_and_credentials_the_way_to_both_is_shown(aws: FakeAws) -> None:
    result = heliograph("campaign", "list", "--region", "eu-west-1")
    assert result.exit_code == 2
    assert "credentials" in result.stderr
    assert "heliograph up" in result.stderr


@pytest.mark.parametrize(
    ("code", "word"), [("InvalidClientTokenId", "credentials"), ("AccessDenied", "may not"), ("Strange", "Strange")]
)
def test_what_aws_refuses_is_a_sentence(aws: FakeAws, code: str, word: str) -> None:
    aws.failing["cloudformation"] = (403, code, "the security token is invalid")
    result = local("campaign", "list")
    assert result.exit_code == 2
    assert word in result.stderr


def test_an_unknown_profile_is_a_sentence(aws: FakeAws) -> None:
    result = heliograph("campaign", "list", "--profile", "nobody")
    assert result.exit_code == 2
    assert "nobody" in result.stderr


def test_the_outbox_exists_only_on_a_local_cloud(aws: FakeAws) -> None:
    result = heliograph("outbox")
    assert result.exit_code == 2
    assert "heliograph up" in result.stderr
