"""Two hundred at once: each decision is written by one, and each message is sent by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from audience import a_person
from aws.flow_system import System, forget_clients
from aws.local_cloud import LocalCloud
from builders import EMAIL, NOW, a_dispatch
from heliograph.ledger.store import Ledger, Written
from heliograph.model.decisions import Verdict
from heliograph.model.dispatches import DispatchPack, Rendered
from heliograph.model.ledger import LedgerEntry
from heliograph.model.outcomes import NotSent, Outcome
from heliograph.model.requests import Lane
from heliograph.runtime import wiring
from tests_desk import compiled

AT_ONCE = 200
DECISIONS = 5
ORDER = {"order_id": "o-1", "carrier": "DHL", "tracking_url": "https://example.com/t", "lines": []}


@pytest.fixture(scope="module")
def deployed(local_cloud: LocalCloud) -> Iterator[System]:
    """Tables, queues and providers."""
    forget_clients()
    yield System(local_cloud, "claims")
    forget_clients()


@pytest.fixture
def system(deployed: System, monkeypatch: pytest.MonkeyPatch) -> System:
    """The system, with the environment and the templates of its functions for the length of a test."""
    monkeypatch.syspath_prepend(compiled())
    for name, value in {**deployed.environment, "HELIOGRAPH_PARKING_QUEUE": ""}.items():
        monkeypatch.setenv(name, value)
    return deployed


def a_decision(number: int, planner: str) -> LedgerEntry:
    """A planner's decision on a request; the pack tells whose it is."""
    return LedgerEntry(
        recipient_id=f"claims-{number}",
        dispatch_id=f"claims-{number}-0",
        message="news",
        version="v",
        outcome=Verdict.SKIPPED,
        decided_at=NOW,
        pack_id=planner,
        slot=0,
    )


class AnswersLost:
    """DynamoDB, of which the answer to every write is lost once, so that the client writes again."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_execute_statement(self, **arguments: Any) -> Any:
        """Write, lose the answer, write again."""
        self._client.batch_execute_statement(**arguments)
        return self._client.batch_execute_statement(**arguments)


def test_a_claim_whose_answer_was_lost_is_won_by_its_own_retry_and_by_nobody_else(system: System) -> None:
    table = system.environment["HELIOGRAPH_LEDGER_TABLE"]
    client: Any = AnswersLost(system.cloud.client("dynamodb"))
    losing = Ledger(client, table)
    entry = msgspec.structs.replace(a_decision(0, "p-lost"), recipient_id="claims-lost", dispatch_id="claims-lost-0")
    assert losing.write([entry]) == Written(won={"claims-lost-0"})
    assert losing.write([entry]) == Written(existing={"claims-lost-0": entry})


def test_each_decision_of_two_hundred_planners_at_once_is_written_by_one_and_known_to_all(system: System) -> None:
    numbers = range(DECISIONS)

    def write(planner: str) -> Written:
        return wiring.ledger().write([a_decision(number, planner) for number in numbers])

    with ThreadPoolExecutor(AT_ONCE) as planners:
        names = [f"planner-{number}" for number in range(AT_ONCE)]
        written = dict(zip(names, planners.map(write, names), strict=True))
    won = Counter(dispatch_id for one in written.values() for dispatch_id in one.won)
    assert won == Counter(f"claims-{number}-0" for number in numbers)
    winners = {dispatch_id: name for name, one in written.items() for dispatch_id in one.won}
    for one in written.values():
        assert one.won | one.existing.keys() == winners.keys()
        assert all(winners[dispatch_id] == entry.pack_id for dispatch_id, entry in one.existing.items())


def a_pack(name: str, batch: int) -> str:
    """The body of a pack of messages to people of their own."""
    people = [f"claims-{name}-{number}" for number in range(batch)]
    wiring.recipients().save_many([a_person(person, email=f"{person}@example.com") for person in people])
    dispatches = tuple(
        a_dispatch(slot=slot, request_id=person, recipient_id=person, message="order_shipped", data=ORDER)
        for slot, person in enumerate(people)
    )
    pack = DispatchPack(pack_id=f"CLAIMS{name}", channel=EMAIL, lane=Lane.PRIORITY, dispatches=dispatches)
    return msgspec.json.encode(pack).decode()


def at_once(system: System, body: str) -> list[dict[str, Any]]:
    """Hand a pack to two hundred invocations of deliver; their answers.

    A Lambda has one thread, and botocore makes its clients in one thread only: here they are made before.
    """
    (
        wiring.templates(),
        wiring.recipients(),
        wiring.ledger(),
        wiring.records(),
        wiring.settling(),
        wiring.sender(EMAIL),
    )
    with ThreadPoolExecutor(AT_ONCE) as lambdas:
        return list(lambdas.map(lambda _: system.run("deliver", [body]), range(AT_ONCE)))


def sent(system: System, name: str) -> Counter[str]:
    """How many mails the provider took, by person."""
    log = (str(message["tags"].get("recipient_id")) for message in system.cloud.outbox(channel="email"))
    return Counter(person for person in log if person.startswith(f"claims-{name}-"))


def throttled(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
    """A provider that has no time."""
    yield tuple(NotSent(dispatch_id=one.dispatch.dispatch_id, cause="TooManyRequestsException") for one in batch)


@pytest.mark.parametrize("batch", [1, 3])
def test_each_message_of_a_pack_that_two_hundred_deliver_at_once_is_sent_once(system: System, batch: int) -> None:
    body = a_pack(f"first{batch}", batch)
    assert at_once(system, body) == [{"batchItemFailures": []}] * AT_ONCE
    assert sent(system, f"first{batch}") == Counter(f"claims-first{batch}-{number}" for number in range(batch))


def test_each_message_that_was_throttled_is_sent_once_by_two_hundred_who_try_again_at_once(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = a_pack("again", 3)
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "sender", lambda channel: throttled)
        assert system.run("deliver", [body]) == {"batchItemFailures": []}
    assert sent(system, "again") == Counter()
    at_once(system, body)
    assert sent(system, "again") == Counter(f"claims-again-{number}" for number in range(3))
