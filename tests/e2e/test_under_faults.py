"""A run while a fifth of all calls fail, at providers, tables and queues: complete, in agreement, and sent once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from aws.deployed import Stack, deployed
from aws.local_cloud import free_port
from aws.proxy import between
from builders import EMAIL, SMS
from crowd import save, somebody, taken

MAILS, TEXTS = 4_500, 500  # people
FAILING = dict.fromkeys(("throttle", "server_error", "reset", "timeout_after_acceptance"), 0.05)
SHARE = 0.2  # of the calls to tables and queues
PATIENCE = 180.0  # seconds in which no function calls anybody: four times as long as work may rest
VISIBILITY = 45  # seconds, in place of 360: what cannot even say that it failed comes back after them
CAMPAIGN = "under-faults"
QUEUES = ("engagement", "settle", "segments", "requests-bulk", "outbox-email-bulk", "outbox-sms-bulk")


@dataclass
class Outcome:
    """A run that is over."""

    run_id: str
    figures: dict[str, Any]
    messages: list[dict[str, Any]]
    """What the providers took."""
    injected: dict[str, Counter[str]]
    """What went wrong, by provider."""
    failed_calls: int
    """To tables and queues."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: its functions mostly wait to try again, so more of them run at once; and so does its work."""
    with deployed(tmp_path_factory.mktemp("stack"), port=free_port(), at_once=4) as stack:
        stack.come_back_after(VISIBILITY)
        yield stack


@pytest.fixture(scope="module")
def outcome(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """A run to thousands of people under faults."""
    people = [somebody(f"mail-{number:04}", EMAIL) for number in range(MAILS)]
    people += [somebody(f"text-{number:04}", SMS) for number in range(TEXTS)]
    save(stack, people)
    stack.cloud.faults({"ses": FAILING, "sms": FAILING, "seed": 5})
    try:
        with between(stack, tmp_path_factory.mktemp("proxy")) as proxy:
            proxy.fail(SHARE)
            run_id = start(stack, [person.recipient_id for person in people])
            stack.eventually(lambda: is_over(stack, run_id), PATIENCE, progress=proxy.calls)
            injected = {name: Counter(faults["injected"]) for name, faults in stack.cloud.get("faults").items()}
            yield Outcome(run_id, figures(stack, run_id), sent(stack, run_id), injected, proxy.injected())
    finally:
        stack.cloud.faults({})


def start(stack: Stack, people: list[str]) -> str:
    """Upload a campaign to these people; the id of its run."""
    stack.upload(f"campaigns/{CAMPAIGN}/segment.csv", "\n".join(["recipient_id", *people]))
    stack.upload(f"campaigns/{CAMPAIGN}/campaign.toml", 'message = "spring_sale"\nsegment = "segment.csv"\n')
    [run] = stack.eventually(lambda: [run for run in stack.ask("runs") if run["campaign"] == CAMPAIGN])
    run_id: str = run["run_id"]
    return run_id


def figures(stack: Stack, run_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = stack.ask("status", run_id=run_id)
    return answer


def sent(stack: Stack, run_id: str) -> list[dict[str, Any]]:
    return taken(stack, tag=f"run_id:{run_id}")


def is_over(stack: Stack, run_id: str) -> bool:
    """Whether everybody has an outcome and no work is left anywhere."""
    if any(stack.waiting(queue) for queue in QUEUES):
        return False
    now = figures(stack, run_id)
    return (now["state"], now["counts"]["unknown"]) == ("complete", 0)


def test_everything_that_can_fail_did(outcome: Outcome) -> None:
    assert {"ses", "sms"} <= {provider for provider, faults in outcome.injected.items() if faults}
    assert set().union(*outcome.injected.values()) == {*FAILING, "throttled_entry"}
    assert outcome.failed_calls > 100


def test_everybody_is_accounted_for(outcome: Outcome) -> None:
    counts = outcome.figures["counts"]
    assert outcome.figures["audience"] == sum(counts.values()) == MAILS + TEXTS
    assert (counts["skipped"], counts["scheduled"], counts["unknown"]) == (0, 0, 0)
    assert set(outcome.figures["failed"]) == {"in_doubt"}
    assert counts["accepted"] > counts["failed"]


def test_what_the_providers_took_is_what_the_ledger_says(outcome: Outcome) -> None:
    by_channel = Counter(message["channel"] for message in outcome.messages)
    assert by_channel == outcome.figures["by_channel"]
    assert len(outcome.messages) == outcome.figures["counts"]["accepted"]


def test_nobody_gets_a_message_twice(outcome: Outcome) -> None:
    people = Counter(message["tags"]["recipient_id"] for message in outcome.messages)
    assert [person for person, number in people.items() if number > 1] == []


def test_the_operator_is_told_that_ledger_and_providers_agree(outcome: Outcome, stack: Stack) -> None:
    told = stack.heliograph("reconcile", outcome.run_id, "--json")
    assert told.returncode == 0, told.stdout + told.stderr
    assert {
        kind: found["count"] for kind, found in json.loads(told.stdout)["differences"].items() if found["count"]
    } == {}


def test_nothing_is_given_up(outcome: Outcome, stack: Stack) -> None:
    assert stack.dead_letters() == {}
