"""What the command line promises to people and to scripts."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aws.fake import FakeAws
from heliograph.model.reasons import Reason
from heliograph_cli import target as targets
from heliograph_cli.console import PIPE_WIDTH
from heliograph_cli.main import COMMANDS, cli
from wiring import FUNCTIONS

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
    "reached": 0,
    "pending": 0,
    "counts": {"accepted": 5, "skipped": 2, "scheduled": 1, "failed": 1, "unknown": 1},
    "skipped": {"not_consented": 2},
    "missing": {},
    "failed": {"rejected": 1},
    "by_channel": {"email": 4, "sms": 1},
    "via_fallback": {"sms": 1},
    "engagement": {"delivered": 4},
    "problem": "",
}
WHY = {
    "recipient_id": "anna-1",
    "message": "spring_sale",
    "decided_at": "2026-03-01T10:00:00Z",
    "outcome": "skipped",
    "channel": "email",
    "reason": "capped",
    "rules": [
        {"channel": "email", "rule": "expired", "result": "passed", "says": "expiry: ok"},
        {"channel": "email", "rule": "capped", "result": "capped", "says": "caps: full"},
    ],
    "dispatch_id": "01K0XW5N3M8QJ4RZT6V2Y7B9CC-0",
    "version": "v-1",
    "policy": "p-1",
    "run_id": RUN,
    "at_delivery": False,
    "state": "skipped",
    "zone": {"name": "Europe/Berlin", "source": "phone"},
    "until": None,
    "next_time": "2026-03-05T08:14:00Z",
    "order": [{"channel": "email", "order": "preference", "fallback": 0}],
    "caps": [
        {
            "limit": 3,
            "seconds": 604_800,
            "purpose": "promotional",
            "channel": None,
            "topic": None,
            "used": 3,
            "free_at": "2026-03-05T08:14:00Z",
        }
    ],
    "hours": [],
    "inputs": {"recipient_id": "anna-1"},
    "genuine": True,
    "replayed": True,
    "note": "",
}
DECIDED = {
    **{
        name: value
        for name, value in WHY.items()
        if name not in ("decided_at", "run_id", "at_delivery", "state", "note")
    },
    "at": "2026-03-01T10:00:00Z",
}


def report(question: dict[str, Any]) -> Any:
    """A report function that knows one run and one person."""
    if (question.get("run_id") or RUN) != RUN or question.get("recipient_id", "anna-1") != "anna-1":
        return {"not_found": "There is no run 01.", "next_step": "`heliograph campaign list` shows them."}
    listed = [{**{name: FIGURES[name] for name in ("run_id", "campaign", "state", "started_at")}, "more": 1}]
    return {
        "runs": listed,
        "status": FIGURES,
        "report": {"figures": FIGURES, "html_key": f"reports/{RUN}.html", "json_key": f"reports/{RUN}.json"},
        "timeline": {"recipient_id": "anna-1", "entries": [], "html_key": "reports/anna-1.html"},
        "why": {**WHY, "asked": question},
        "decide": {**DECIDED, "asked": question},
        "rehearse": {**DECIDED, "outcome": "dispatched", "known": True, "lacks": {}},
    }[question["action"]]


@pytest.fixture
def aws(fake_aws: FakeAws) -> FakeAws:
    fake_aws.report = report
    return fake_aws


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


@pytest.mark.parametrize("command", ["campaign", "recipients", "dead-letters", "approvals"])
def test_a_list_of_commands_has_whole_sentences(command: str) -> None:
    listed = heliograph(command, "--help").stdout.partition("Commands:")[2].partition("Example:")[0].split("\n")
    assert [line for line in listed if line.strip() and not line.endswith(".")] == []
    assert [line for line in listed if line.endswith("...")] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    shown = heliograph(command, "--help").stdout
    assert "Example: heliograph" in shown
    assert "--json" in shown


@pytest.mark.parametrize("simulator", ["fax=+447700900000", "email=a@example.com", "sms=", "sms", "+447700900000"])
def test_a_simulator_is_that_of_a_channel_which_asks_for_one(simulator: str) -> None:
    refused = heliograph("doctor", "--send", "--simulator", simulator)
    assert refused.exit_code == 2
    assert "is not one of sms with an address" in refused.stderr


def test_status_tells_scripts_the_bus_the_bucket_and_the_links(aws: FakeAws) -> None:
    status = told(local("status", "--json"))
    assert list(status) == [
        "state", "endpoint", "region", "stack", "bus", "bucket", "links", "queues", "awaiting_approval", "dead_letters"
    ]  # fmt: skip
    assert status["queues"]["events"] == {"waiting": 3, "in_flight": 1, "delayed": 0}
    assert (status["awaiting_approval"], status["dead_letters"]) == (1, {"events": 4})
    assert (status["state"], status["bus"], status["bucket"]) == ("running", "heliograph-bus", "heliograph-bucket")
    assert status["links"]["outbox"] == f"{ENDPOINT}/_heliograph/outbox"
    assert f"reports/{RUN}.html?" in status["links"]["report"]


def test_status_is_stopped_when_nothing_runs_and_no_stack_is_named(aws: FakeAws) -> None:
    assert told(heliograph("status", "--json"))["state"] == "stopped"


def dead_cloud(path: Path) -> None:
    """What a local cloud left that ended without `heliograph down`; no process has that number."""
    facts = {"endpoint": ENDPOINT, "pid": 2**22 + 1, "port": 4999, "region": "eu-west-1", "stack": "heliograph"}
    path.write_text(json.dumps({**facts, "directory": str(path.parent / "run"), "started_at": ""}))


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")


@pytest.mark.parametrize("words", [("campaign", "list"), ("send", "m", "--to", "anna-1"), ("recipients", "export")])
@pytest.mark.parametrize("stack", [(), ("--stack", "heliograph")])
def test_a_local_cloud_that_died_is_said_to_be_gone_and_aws_is_not_asked(
    aws: FakeAws, signed_in: None, tmp_path: Path, words: tuple[str, ...], stack: tuple[str, ...]
) -> None:
    dead_cloud(tmp_path / "state.json")
    for _ in range(2):  # what was found dead is not forgotten by looking
        result = heliograph(*words, *stack)
        assert result.exit_code == 2
        assert f"The local cloud at {ENDPOINT} is gone" in result.stderr
    assert not aws.calls


def test_status_of_a_local_cloud_that_died_is_a_no(aws: FakeAws, tmp_path: Path) -> None:
    dead_cloud(tmp_path / "state.json")
    result = heliograph("status", "--json")
    assert (result.exit_code, json.loads(result.stdout)["state"]) == (1, "gone")


def test_credentials_alone_never_mean_aws(aws: FakeAws, signed_in: None) -> None:
    result = heliograph("campaign", "list")
    assert result.exit_code == 2
    assert "--aws" in result.stderr
    assert not aws.calls


@pytest.mark.parametrize("asked", [("--aws",), ("--stack", "heliograph"), ("--region", "eu-central-1")])
def test_a_command_that_asks_for_aws_works_there_in_the_region_of_aws_region(
    aws: FakeAws, signed_in: None, asked: tuple[str, ...]
) -> None:
    result = heliograph("campaign", "list", *asked)
    assert result.exit_code == 0
    assert "on AWS (eu-central-1)" in result.stderr


def test_a_link_is_not_said_to_open_for_longer_than_the_sign_in_that_made_it(
    aws: FakeAws, signed_in: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "The links open for 12 h." in heliograph("campaign", "report", RUN, "--aws").stderr
    targets.session.cache_clear()
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    assert "no longer than your sign-in" in heliograph("campaign", "report", RUN, "--aws").stderr
    ends = datetime.now(UTC) + timedelta(minutes=40, seconds=30)
    monkeypatch.setattr("botocore.credentials.Credentials._expiry_time", ends, raising=False)
    assert "The links open for 40 min" in heliograph("campaign", "report", RUN, "--aws").stderr
    links = told(heliograph("campaign", "report", RUN, "--aws", "--json"))["links"]
    assert 2390 < int(re.findall(r"X-Amz-Expires=(\d+)", links["html"])[0]) <= 2430


def test_campaign_list_has_exactly_the_fields_that_scripts_read(aws: FakeAws) -> None:
    assert list(told(local("campaign", "list", "--json"))[0]) == ["run_id", "campaign", "state", "started_at"]


def test_campaign_status_has_exactly_the_fields_that_scripts_read(aws: FakeAws) -> None:
    status = told(local("campaign", "status", RUN, "--json"))
    assert list(status) == [
        "run_id", "campaign", "state", "problem", "audience", "rejected", "reached", "pending", "counts",
        "skipped", "missing", "failed",
        "by_channel", "via_fallback", "engagement",
    ]  # fmt: skip
    assert sum(status["counts"].values()) == status["audience"]


def test_campaign_status_shows_people_why_nobody_is_lost(aws: FakeAws) -> None:
    shown = local("campaign", "status", RUN).stdout
    for word in ("audience", "accepted", "not_consented", "scheduled", "failed", "unknown"):
        assert word in shown


def test_campaign_status_names_the_rows_and_people_that_no_sum_shows(aws: FakeAws) -> None:
    aws.report = lambda question: {**FIGURES, "rejected": 2, "reached": 1}
    shown = local("campaign", "status", RUN).stdout
    assert f"2 rows were refused. Why: campaigns/spring-sale/rejected-{RUN}.csv" in shown
    assert "1 person was left out, because earlier runs of this campaign had reached them." in shown


def test_campaign_status_says_that_a_run_is_complete_without_those_who_are_planned_again_later(aws: FakeAws) -> None:
    later = "planned again later; a run is complete without them."
    assert f"1 person is {later}" in " ".join(local("campaign", "status", RUN).stdout.split())
    nobody_waits = {"accepted": 6, "skipped": 2, "scheduled": 0, "failed": 1, "unknown": 1}
    aws.report = lambda question: {**FIGURES, "counts": nobody_waits}
    assert later not in " ".join(local("campaign", "status", RUN).stdout.split())


def test_the_page_shows_what_why_says_of_a_replay(aws: FakeAws) -> None:
    (said,) = (
        line for line in local("why", "anna-1").stdout.splitlines() if line.endswith("the decision is the same.")
    )
    assert said in (Path(__file__).parents[3] / "docs/cli.md").read_text().splitlines()


def test_why_gives_scripts_everything_that_the_report_function_tells(aws: FakeAws) -> None:
    assert told(local("why", "anna-1", "--json")).items() >= WHY.items()


def test_why_tells_people_in_sentences_and_then_rule_by_rule(aws: FakeAws) -> None:
    shown = local("why", "anna-1").stdout
    for sentence in (
        "spring_sale was not sent: the caps are full; this person has had as many messages as they may get. "
        "The next one could go on 2026-03-05 at 09:14 (Europe/Berlin; 2026-03-05 08:14 UTC).",
        "At most 3 promotional messages in 7 days: 3 so far, room again on 2026-03-05 at 09:14",
        "Order of the channels: email (as the person prefers).",
        "Time zone: Europe/Berlin, known from the phone number.",
        "Decided on 2026-03-01 at 11:00 (Europe/Berlin; 2026-03-01 10:00 UTC): policy p-1, message version v-1, "
        f"run {RUN}.",
        "Replayed from its inputs, the decision is the same.",
    ):
        assert sentence in " ".join(shown.split())
    assert shown.index("expiry: ok") < shown.index("caps: full")


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (
            {"outcome": "dispatched", "reason": None, "state": "delivered", "next_time": None},
            "spring_sale was sent by email; it was delivered.",
        ),
        (
            {"outcome": "dispatched", "reason": None, "state": "failed", "next_time": None},
            "spring_sale was to be sent by email; the provider refused it for good.",
        ),
        (
            {"outcome": "scheduled", "reason": "quiet_hours", "until": "2026-03-02T07:00:00Z", "hours": ["nights"]},
            "spring_sale waits to be sent by email: it waits for an hour at which messages may be sent to this person. "
            "It will be decided again on 2026-03-02 at 08:00 (Europe/Berlin; 2026-03-02 07:00 UTC).",
        ),
        ({"reason": "not_consented"}, "What the person said: nothing about this topic."),
        (
            {"reason": "not_consented", "inputs": {"consents": {"offers/email": "opted_out"}}},
            "What the person said: offers by email: opted out.",
        ),
        ({"reason": "quiet_hours", "hours": ["nights", "Sundays"]}, "Hours that did not permit it: nights, Sundays."),
        (
            {"reason": "not_consented", "at_delivery": True, "next_time": None},
            "spring_sale was to be sent by email, but the rules were checked again just before delivery: "
            "no consent for this topic by email.",
        ),
        (
            {"reason": "too_long", "at_delivery": True, "next_time": None},
            "spring_sale was to be sent by email, but it could not be written: "
            "the text would take more SMS parts than the message may, or a part of it be too large.",
        ),
        (
            {"reason": "not_consented", "at_delivery": True},
            "Replayed from its inputs, what was decided before delivery is the same.",
        ),
        (
            {"replayed": None, "note": "what it was made of is not there: the sheet"},
            "It cannot be replayed: what it was made of is not there: the sheet.",
        ),
        (
            {"replayed": False, "genuine": False, "note": "it differs in reason"},
            "Replayed from its inputs, it differs in reason. The inputs do not match the ledger.",
        ),
        ({"channel": "sms", "reason": "no_address"}, "spring_sale was not sent: there is no address for sms."),
    ],
)
def test_why_has_a_sentence_for_every_outcome(aws: FakeAws, facts: dict[str, Any], sentence: str) -> None:
    aws.report = lambda _: WHY | facts
    assert sentence in " ".join(local("why", "anna-1").stdout.split())


@pytest.mark.parametrize("reason", Reason)
def test_why_has_words_for_every_reason(aws: FakeAws, reason: Reason) -> None:
    aws.report = lambda _: WHY | {"reason": reason}
    first = local("why", "anna-1").stdout.split(". ")[0]
    assert re.fullmatch(r"spring_sale was not sent: [a-z][^_]*", first.partition(".")[0])


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("2026-11-23", "2026-11-23T00:00:00+00:00"),
        ("2026-11-23T09:00", "2026-11-23T09:00:00+00:00"),
        ("2026-11-23T09:00Z", "2026-11-23T09:00:00+00:00"),
        ("2026-11-23T09:00+01:00", "2026-11-23T08:00:00+00:00"),
    ],
)
def test_a_time_without_a_zone_is_utc(aws: FakeAws, given: str, asked: str) -> None:
    for words in (("why", "anna-1"), ("decide", "anna-1", "spring_sale")):
        assert told(local(*words, "--at", given, "--json"))["asked"]["at"] == asked


def test_a_time_that_is_none_is_wrong_usage(aws: FakeAws) -> None:
    assert local("why", "anna-1", "--at", "tomorrow").exit_code == 2


def test_why_is_asked_of_a_run_and_a_message(aws: FakeAws) -> None:
    asked = told(local("why", "anna-1", "--run", RUN, "--message", "spring_sale", "--json"))["asked"]
    assert asked | {"at": None} == {
        "action": "why",
        "recipient_id": "anna-1",
        "message": "spring_sale",
        "run_id": RUN,
        "name": None,
        "at": None,
    }


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"outcome": "dispatched", "reason": None, "next_time": None}, "spring_sale would be sent by email."),
        ({}, "spring_sale would not be sent: the caps are full"),
        (
            {"outcome": "scheduled", "reason": "paused", "until": "2026-03-02T07:00:00Z"},
            "spring_sale would wait to be sent by email: the person wants to be left alone for a while. "
            "It will be decided again on 2026-03-02 at 08:00 (Europe/Berlin; 2026-03-02 07:00 UTC).",
        ),
        ({}, "At most 3 promotional messages in 7 days: 3 so far"),
        ({}, "Nothing was sent."),
    ],
)
def test_decide_tells_what_would_happen(aws: FakeAws, facts: dict[str, Any], sentence: str) -> None:
    aws.report = lambda _: DECIDED | facts
    assert sentence in " ".join(local("decide", "anna-1", "spring_sale").stdout.split())
    assert not aws.events


def test_the_timeline_tells_the_reason_in_words_and_the_next_time(aws: FakeAws) -> None:
    aws.report = lambda _: {"recipient_id": "anna-1", "entries": [WHY | {"events": {}}], "html_key": ""}
    shown = " ".join(local("timeline", "anna-1").stdout.split())
    assert "the caps are full" in shown
    assert "next one could go on 2026-03-05" in shown


@pytest.mark.parametrize(
    ("state", "cause", "shown", "sentence"),
    [
        ("failed", "dead_token", "failed (dead_token)", "the provider refused it for good (dead_token)"),
        ("retry", "HTTP503", "retry (HTTP503)", "the provider has not accepted it yet (HTTP503)"),
        ("accepted", None, "accepted", "the provider accepted it."),
    ],
)
def test_what_did_not_go_well_is_told_with_its_code(
    aws: FakeAws, state: str, cause: str | None, shown: str, sentence: str
) -> None:
    entry = WHY | {"outcome": "dispatched", "reason": None, "state": state, "cause": cause, "next_time": None}
    aws.report = lambda _: {"recipient_id": "anna-1", "entries": [entry | {"events": {state: "2026-03-01T10:00:01Z"}}]}
    assert shown in " ".join(local("timeline", "anna-1").stdout.split())
    aws.report = lambda _: entry
    assert sentence in " ".join(local("why", "anna-1").stdout.split())


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


@pytest.mark.parametrize("recipient", ["", "a b", "x" * 129])
def test_an_identifier_that_could_not_travel_is_wrong_usage(aws: FakeAws, recipient: str) -> None:
    assert local("send", "order_shipped", "--to", recipient).exit_code == 2


def test_a_campaign_is_submitted_with_its_manifest_last(aws: FakeAws, folder: Path) -> None:
    aws.report = lambda question: report(question) if aws.uploads or question["action"] != "runs" else []
    status = told(local("campaign", "submit", str(folder), "--wait", "--json"))
    assert [path.rpartition("/")[2] for path in aws.uploads] == ["segment.csv", "campaign.toml"]
    assert (status["run_id"], status["state"]) == (RUN, "complete")


def test_a_folder_that_was_submitted_before_is_not_said_to_start(aws: FakeAws, folder: Path) -> None:
    listed = {name: FIGURES[name] for name in ("run_id", "campaign", "state", "started_at")}
    aws.report = lambda question: (
        [{**listed, "uploads": 2 if aws.uploads else 1}] if question["action"] == "runs" else FIGURES
    )
    result = local("campaign", "submit", str(folder))
    assert "This content was uploaded before: nobody is written to twice." in result.stderr
    assert "started" not in result.stderr


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


def test_a_report_function_that_stopped_is_trouble_with_its_log(aws: FakeAws) -> None:
    def stop(question: dict[str, Any]) -> Any:
        raise RuntimeError("Task timed out after 300.00 seconds")

    aws.report = stop
    result = local("campaign", "list")
    assert result.exit_code == 2
    assert "Task timed out" in result.stderr
    assert "/aws/lambda/heliograph-report" in result.stderr


def test_a_question_that_cannot_be_read_is_wrong_usage(aws: FakeAws) -> None:
    aws.report = lambda _: {"malformed": "at", "code": "bad_time", "reason": "is not a time"}
    assert local("campaign", "list").exit_code == 2


def test_a_question_whose_answer_is_lost_is_not_asked_again(aws: FakeAws) -> None:
    aws.failing["lambda"] = (503, "ServiceUnavailable", "busy")
    assert local("campaign", "list").exit_code == 2
    assert aws.calls.count("lambda") == 1


def test_an_answer_is_awaited_for_longer_than_the_report_function_may_take(aws: FakeAws) -> None:
    config = targets.functions(targets.Target("heliograph", "eu-west-1", ENDPOINT)).meta.config
    assert vars(config)["_user_provided_options"]["read_timeout"] > FUNCTIONS["Report"]["Timeout"]


def test_a_missing_stack_is_named_with_what_to_do(aws: FakeAws) -> None:
    result = local("campaign", "list", "--stack", "elsewhere")
    assert result.exit_code == 2
    assert "There is no stack elsewhere" in result.stderr
    assert "heliograph up" in result.stderr


def test_status_shows_what_waits_for_approval_and_what_was_put_aside(aws: FakeAws) -> None:
    shown = " ".join(local("status").stdout.split())
    assert "events: 3 waiting, 1 in flight" in shown
    assert "1 pack: heliograph approvals list" in shown
    assert "4 in events: heliograph dead-letters show" in shown
    assert "opens for 12 h" in shown


def test_status_shows_a_link_in_one_line(aws: FakeAws) -> None:
    (link,) = [line for line in local("status").stdout.splitlines() if line.startswith("report ")]
    assert len(link) > PIPE_WIDTH
    assert "X-Amz-Signature=" in link


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
