"""`heliograph find`, and the names under which a message is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aws.fake import FakeAws
from heliograph_cli.main import cli

ENTRY = {
    "message": "order_shipped",
    "channel": "email",
    "outcome": "skipped",
    "reason": "address_suppressed",
    "state": "skipped",
    "decided_at": "2026-11-21T10:05:00Z",
}
NAMED: dict[str, Any] = {
    "name": "A-1001",
    "requests": [
        {"recipient_id": "anna-1", "request_id": "01KAJ8ZQG0AMARA0000000000A", "entries": [ENTRY]},
        {"recipient_id": "ben-1", "request_id": "01KAJ8ZQG0AMARA0000000000B", "entries": []},
    ],
    "runs": [{"run_id": "01KAJ8ZQG0RVN00000000000AR", "campaign": "spring-sale", "started_at": "2026-11-21T10:05:00Z"}],
}


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--endpoint-url", "http://127.0.0.1:4999"], catch_exceptions=False)


def test_find_shows_whom_a_name_leads_to_what_came_of_it_and_the_runs(fake_aws: FakeAws) -> None:
    asked: list[Any] = []

    def report(question: Any) -> Any:
        asked.append(question)
        return NAMED

    fake_aws.report = report
    assert json.loads(run("find", "A-1001", "--json").stdout) == NAMED
    assert asked == [{"action": "named", "name": "A-1001"}]
    shown = " ".join(run("find", "A-1001").stdout.split())
    assert all(word in shown for word in ("anna-1", "ben-1", "nothing was decided", "spring-sale"))


def test_a_name_that_nobody_gave_is_a_no(fake_aws: FakeAws) -> None:
    fake_aws.report = lambda _: {"not_found": "Nothing was asked for under the name x.", "next_step": "Look again."}
    assert run("find", "x").exit_code == 1


@pytest.mark.parametrize("name", ["n" * 256, "\x1b[31m"])
def test_what_can_be_no_name_is_wrong_usage_and_asks_nothing(fake_aws: FakeAws, name: str) -> None:
    assert run("find", name).exit_code == 2
    assert not fake_aws.calls


def test_send_passes_on_the_reference(fake_aws: FakeAws) -> None:
    answer = {"recipient_id": "anna-1", "outcome": "dispatched", "known": True, "lacks": {}, "channel": "email"}
    fake_aws.report = lambda _: answer
    assert run("send", "order_shipped", "--to", "anna-1", "--reference", "A-1001").exit_code == 0
    assert [each["Detail"]["reference"] for each in fake_aws.events] == ["A-1001"]


@pytest.mark.parametrize("option", ["--reference", "--idempotency-key"])
def test_a_name_that_cannot_be_kept_is_wrong_usage(fake_aws: FakeAws, option: str) -> None:
    assert run("send", "order_shipped", "--to", "anna-1", option, "n" * 256).exit_code == 2
    assert not fake_aws.calls
