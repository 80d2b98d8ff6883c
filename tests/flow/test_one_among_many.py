"""One person's data stops nobody else: in a pack of a hundred, the one is skipped with a reason and 99 get theirs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from click.testing import Result
from jinja2 import DictLoader

from audience import a_person, submitted
from aws.flow_system import System
from builders import EMAIL
from heliograph.people.changes import RecipientChange
from heliograph.rendering.templates import Catalogue, Templates
from heliograph.reporting import work
from heliograph.runtime import wiring

HONEST = 99
MANIFEST = 'message = "spring_sale"\n'

UNUSABLE: dict[str, tuple[str, Any]] = {
    "AttributeError": ("{{ recipient.data | groupby('a.b') | list }}", [1]),
    "IndexError": ("{{ recipient.data.format() }}", "{0}"),
    "KeyError": ("{{ '%(a)s' | format(**recipient.data) }}", {"b": 1}),
    "OverflowError": ("{{ recipient.data | round | int }}", "1e400"),
    "RecursionError": ("{% macro again(n) %}{{ again(n) }}{% endmacro %}{{ again(recipient.data) }}", 1),
    "TypeError": ("{{ recipient.data | dictsort }}", 7),
    "ValueError": ("{{ '%c' | format(recipient.data) }}", 10**9),
    "ZeroDivisionError": ("{{ 1 / recipient.data }}", 0),
    "too much": ("{{ 'x' | center(recipient.data) }}", 10**9),
}
"""What words cannot do with data, one of each kind."""
WORDS = "".join(f"{{% if recipient.kind == '{kind}' %}}{words}{{% endif %}}" for kind, (words, _) in UNUSABLE.items())
WORDS = "Hello {{ recipient.first_name }}" + WORDS


class Sent(NamedTuple):
    """A run that is over."""

    run_id: str
    honest: list[str]


@pytest.fixture
def words(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of the spring sale for as long as a test: they read what people may not have."""
    ours = wiring.templates()
    message = msgspec.structs.replace(
        ours.messages["spring_sale"], version="of-a-test", locales={EMAIL: ("en",)}, channels=(EMAIL,)
    )
    names = [f"spring_sale/email{part}" for part in (".subject.en.txt", ".en.html", ".en.txt")]
    catalogue = Catalogue(
        policy=ours.policy,
        messages={"spring_sale": message},
        variables=dict.fromkeys(names, ("recipient.first_name", "recipient.kind")),
    )
    made = Templates(catalogue, DictLoader({names[0]: "Sale", names[1]: WORDS, names[2]: WORDS}))
    monkeypatch.setattr(wiring, "templates", lambda: made)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, int]]:
    """The metrics that were counted until now, summed."""

    def sums() -> dict[str, int]:
        counted: dict[str, int] = {}
        for line in capsys.readouterr().out.splitlines():
            if line.startswith('{"_aws"'):
                told = json.loads(line)
                for metric in told["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                    counted[metric["Name"]] = counted.get(metric["Name"], 0) + told[metric["Name"]]
        return counted

    return sums


def a_fan(name: str, **attributes: Any) -> RecipientChange:
    return a_person(name, "offers/email", email=f"{name}@example.com", attributes=attributes)


def honest(person: str) -> list[RecipientChange]:
    return [a_fan(f"{person}-{number}", first_name="Ana", kind="none") for number in range(HONEST)]


def sent(
    system: System, person: str, others: list[RecipientChange], *, spoil: Callable[[], None] | None = None
) -> Sent:
    """A campaign to the honest with somebody else among them; spoilt when it is decided and not yet delivered."""
    crowd = honest(person)
    wiring.recipients().save_many([*others, *crowd])
    names = [each.recipient_id for each in (*crowd[:50], *others, *crowd[50:])]
    run_id = submitted(system, f"one-{person}", MANIFEST, "\n".join(["recipient_id", *names, ""]))
    system.work("requests-bulk")
    if spoil:
        spoil()
    system.work()
    return Sent(run_id, [each.recipient_id for each in crowd])


def mailed(system: System, run_id: str) -> set[str]:
    return {
        each["tags"]["recipient_id"] for each in system.cloud.outbox(limit=500) if each["tags"].get("run_id") == run_id
    }


def unreadable(system: System, person: str) -> None:
    """Let what is kept of somebody be nothing that can be read."""
    system.cloud.client("dynamodb").update_item(
        TableName=system.recipients_table,
        Key={"recipient_id": {"S": person}},
        UpdateExpression="SET paused_until = :soon",
        ExpressionAttributeValues={":soon": {"S": "soon"}},
    )


def nothing_failed(system: System) -> bool:
    dead = ("requests-bulk-dead-letters", "outbox-email-bulk-dead-letters")
    return not any(system.messages(queue) for queue in dead)


@pytest.fixture(autouse=True)
def no_dead_letters(system: System) -> Iterator[None]:
    """Begin without dead letters of other tests, and end with none."""
    for queue in ("requests-bulk-dead-letters", "outbox-email-bulk-dead-letters"):
        system.sqs.purge_queue(QueueUrl=system.queue_url(queue))
    yield
    assert nothing_failed(system)


def test_who_cannot_be_read_is_skipped_by_plan_and_99_others_get_theirs(
    system: System, person: str, words: None, said: Callable[[], dict[str, int]]
) -> None:
    bad = a_fan(person, first_name="Bo", kind="none")
    wiring.recipients().save_many([bad])
    unreadable(system, person)
    run = sent(system, person, [a_fan(person)])
    assert mailed(system, run.run_id) == set(run.honest)
    assert said()["undecidable"] == 1
    told = work.why(person)
    assert (told["outcome"], told["reason"], told["at_delivery"]) == ("skipped", "undecidable", False)
    assert system.figures(run.run_id).skipped == {"undecidable": 1}


def test_who_cannot_be_read_any_more_is_skipped_by_deliver_and_99_others_get_theirs(
    system: System, person: str, words: None, said: Callable[[], dict[str, int]]
) -> None:
    bad = a_fan(person, first_name="Bo", kind="none")
    run = sent(system, person, [bad], spoil=lambda: unreadable(system, person))
    assert mailed(system, run.run_id) == set(run.honest)
    assert said()["undecidable"] == 1
    told = work.why(person)
    assert (told["outcome"], told["reason"], told["at_delivery"]) == ("skipped", "undecidable", True)


def test_whose_data_the_words_cannot_work_with_is_skipped_and_99_others_get_theirs(
    system: System, person: str, words: None, said: Callable[[], dict[str, int]]
) -> None:
    kinds = {f"{person}-{kind.replace(' ', '-')}": (kind, value) for kind, (_, value) in UNUSABLE.items()}
    bad = [a_fan(name, first_name="Bo", kind=kind, data=value) for name, (kind, value) in kinds.items()]
    run = sent(system, person, bad)
    assert mailed(system, run.run_id) == set(run.honest)
    reasons = {kind: work.why(name)["reason"] for name, (kind, _) in kinds.items()}
    assert set(reasons.values()) == {"missing_variable", "too_long"}, reasons
    assert sum(system.figures(run.run_id).skipped.values()) == len(bad)
    assert said()["missing_variable"] == sum(reason == "missing_variable" for reason in reasons.values())


def test_a_missing_variable_is_named_wherever_somebody_looks(
    system: System,
    heliograph: Callable[..., Result],
    person: str,
    words: None,
    said: Callable[[], dict[str, int]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, logger="heliograph")
    run = sent(system, person, [a_fan(person, kind="none")])
    assert mailed(system, run.run_id) == set(run.honest)
    (entry,) = wiring.ledger().timeline(person)
    assert (entry.reason, entry.detail) == ("missing_variable", "recipient.first_name")
    assert said()["missing_variable"] == 1
    (line,) = [each for each in caplog.records if each.message == "A variable was missing"]
    assert (line.__dict__["variable"], line.__dict__["people"]) == ("recipient.first_name", 1)
    assert "was missing (recipient.first_name)." in heliograph("why", person).stdout
    assert json.loads(heliograph("why", person, "--json").stdout)["missing"] == "recipient.first_name"
    assert "(recipient.first_name)" in " ".join(heliograph("timeline", person).stdout.split())
    assert "recipient.first_name" in heliograph("campaign", "status", run.run_id).stdout
    told = json.loads(heliograph("campaign", "status", run.run_id, "--json").stdout)
    assert told["missing"] == {"recipient.first_name": 1}
    for key in (work.report(run.run_id)["html_key"], work.timeline(person)["html_key"]):
        page = system.cloud.client("s3").get_object(Bucket=system.bucket, Key=key)["Body"].read().decode()
        assert "recipient.first_name" in page
