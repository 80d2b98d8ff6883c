"""What the demo does to the shop, and how it decides whether it worked."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from heliograph.operations.replay.decisions import Finding, Replayed
from heliograph_cli.demo.checks import Expected, by_phone, checks, decided_again
from heliograph_cli.demo.orders import (
    DELIVERIES,
    DIRECT,
    GUESTS,
    LATE,
    ORDERS,
    REPEATED,
    RESETS,
    TEXTS,
    Orders,
    orders,
)
from heliograph_cli.demo.population import SHOP, population
from heliograph_cli.demo.reactions import (
    BOUNCED,
    CLICKED,
    COMPLAINED,
    OPENED,
    PUSHES_OPENED,
    expected,
    reactions,
    somebody,
    taps,
)

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
RUN = "01K0XW5N3M8QJ4RZT6V2Y7B9CD"


def shop(edition: str = "one") -> Orders:
    return orders(population().people, seed=1, edition=edition, now=NOW)


def keys(made: Orders) -> Counter[str]:
    """How often each order was announced, nonsense left out."""
    details = [each["Detail"] for each in made.events]
    found = [str(detail.get("order_id") or detail.get("idempotency_key") or "X-") for detail in details]
    return Counter(key for key in found if not key.startswith("X-"))


def whose(event: dict[str, Any]) -> str:
    return str(event["Detail"].get("customer_id", ""))


def a_mail(number: int, *, to: str = "", channel: str = "email", run_id: str = RUN) -> dict[str, Any]:
    tags = {"recipient_id": f"p-{number:04}", "dispatch_id": f"d-{number}"} | ({"run_id": run_id} if run_id else {})
    return {
        "provider_message_id": f"m-{number}",
        "channel": channel,
        "to": to or f"p{number}@example.com",
        "tags": tags,
    }


def mails(number: int = 400) -> list[dict[str, Any]]:
    return [a_mail(each) for each in range(number)]


def figures(**what: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "run_id": RUN,
        "audience": 4,
        "rejected": 1,
        "pending": 0,
        "counts": {"accepted": 2, "skipped": 1, "scheduled": 1, "failed": 0, "unknown": 0},
        "skipped": {"not_consented": 1},
        "by_channel": {"email": 2},
        "engagement": {"opened": 1},
    }
    return {**facts, **what}


def broken(told: dict[str, Any], outbox: list[dict[str, Any]]) -> list[str]:
    wanted = Expected(audience=4, rejected=1, messages_of_events=1, engagement={"opened": 1})
    return [check.rule for check in checks(told, outbox, wanted) if not check.holds]


LEFT = [a_mail(1), a_mail(2), a_mail(3, run_id="")]


def test_every_order_is_announced_and_some_are_announced_twice() -> None:
    repeated = [number for number in keys(shop()).values() if number == 2]
    assert len(repeated) == REPEATED + DIRECT // 2
    told = len(list((SHOP / "events").glob("*.json")))
    assert shop().expected == told + ORDERS + GUESTS + RESETS + DIRECT + TEXTS + DELIVERIES - LATE


def test_the_customers_in_the_example_of_a_shop_order_and_nobody_else_is_taken_for_them() -> None:
    told = [json.loads(file.read_text()) for file in (SHOP / "events").glob("*.json")]
    named = {each["detail"]["customer_id"] for each in told}
    found = [(each["DetailType"], each["Detail"]["customer_id"]) for each in shop().events if whose(each) in named]
    assert sorted(found) == sorted((each["detail-type"], each["detail"]["customer_id"]) for each in told)
    assert named <= shop().customers


def test_two_runs_of_the_demo_have_no_order_in_common() -> None:
    assert not keys(shop("one")).keys() & keys(shop("two")).keys()


def test_the_same_seed_gives_the_same_events() -> None:
    assert shop() == shop()


def test_guests_come_with_an_address_and_no_account() -> None:
    guests = [each["Detail"] for each in shop().events if "email" in each["Detail"]]
    assert len(guests) == GUESTS
    assert not [guest for guest in guests if "customer_id" in guest]


def test_people_open_click_bounce_and_complain() -> None:
    kinds = Counter(reaction["kind"] for reaction in reactions(mails(), spared=(), seed=1))
    assert kinds == {"open": OPENED, "click": CLICKED, "bounce": BOUNCED, "complain": COMPLAINED}


def test_nobody_who_is_spared_bounces_or_complains() -> None:
    spared = {f"p-{number:04}" for number in range(0, 400, 2)}
    lost = {
        each["provider_message_id"]
        for each in reactions(mails(), spared=spared, seed=1)
        if each["kind"] in {"bounce", "complain"}
    }
    assert not lost & {f"m-{number}" for number in range(0, 400, 2)}


def test_few_mails_give_fewer_reactions() -> None:
    made = reactions(mails(3), spared=(), seed=1)
    assert Counter(reaction["kind"] for reaction in made) == {"open": 3, "click": 3}


def test_what_the_simulator_does_by_itself_is_expected_too() -> None:
    simulated = [
        a_mail(901, to="bounce+1@simulator.amazonses.com"),
        a_mail(902, to="complaint+2@simulator.amazonses.com"),
    ]
    made = reactions([*simulated, *mails()], spared=(), seed=1)
    counts = expected([*simulated, *mails()], made)
    assert counts == {"opened": OPENED, "clicked": CLICKED, "bounced": BOUNCED + 1, "complained": COMPLAINED + 1}


def test_the_timeline_is_of_somebody_who_clicked_and_ordered() -> None:
    made = reactions(mails(), spared=(), seed=1)
    clicked = [each["provider_message_id"] for each in made if each["kind"] == "click"]
    person = f"p-{int(clicked[7].partition('-')[2]):04}"
    assert somebody(made, mails(), {person}) == person
    assert somebody([], [], {"p-0007"}) == "p-0007"


def test_some_customers_get_a_text_and_some_a_push() -> None:
    people = {person["recipient_id"]: person for person in population().people}
    made = shop()
    assert (len(made.texted), len(made.pushed)) == (TEXTS, DELIVERIES)
    assert all(people[each]["phone"] and people[each]["preferred_channels"].startswith("sms") for each in made.texted)
    assert all(people[each]["devices"] and "dead-" not in people[each]["devices"] for each in made.pushed)


def test_each_person_taps_one_device_and_only_pushes_of_product_events() -> None:
    pushes = [a_mail(each, channel="push", run_id="") for each in (*range(PUSHES_OPENED + 5), 0)]
    people = {f"p-{each:04}" for each in range(PUSHES_OPENED + 5)}
    tapped = taps([*pushes, a_mail(99, channel="push"), *mails(3)], people)
    assert len(tapped) == PUSHES_OPENED == len({each["provider_message_id"] for each in tapped})
    assert taps([a_mail(99, channel="push"), *mails(3)], people) == []


@pytest.mark.parametrize(
    ("texts", "pushes", "words"),
    [
        ({"delivered": 2}, {"opened": 1, "accepted": 2}, ""),
        ({"delivered": 1, "accepted": 1}, {"opened": 1, "accepted": 2}, "text"),
        ({"delivered": 2}, {"opened": 1, "accepted": 1}, "taken"),
        ({"delivered": 2}, {"accepted": 3}, "tapped"),
    ],
)
def test_the_demo_fails_when_a_text_or_a_push_is_missing(
    texts: dict[str, int], pushes: dict[str, int], words: str
) -> None:
    wanted = Expected(audience=0, rejected=0, messages_of_events=0, engagement={}, texts=2, pushes=3, pushes_opened=1)
    wrong = [
        check.rule for check in by_phone({"sms": Counter(texts), "push": Counter(pushes)}, wanted) if not check.holds
    ]
    assert [words in rule for rule in wrong] == ([True] if words else [])


def test_the_demo_holds_when_all_sums_match() -> None:
    assert broken(figures(), LEFT) == []


@pytest.mark.parametrize(
    ("told", "outbox", "words"),
    [
        (figures(audience=3), LEFT, "audience"),
        (figures(rejected=0), LEFT, "malformed"),
        (figures(pending=2), LEFT, "on the way"),
        (figures(skipped={}), LEFT, "reasons"),
        (figures(by_channel={"email": 1}), LEFT, "channels"),
        (figures(engagement={}), LEFT, "opened"),
        (figures(), LEFT[1:], "outbox"),
        (figures(), LEFT[:2], "product event"),
        (figures(), [*LEFT, a_mail(3, run_id="")], "twice"),
    ],
    ids=range(9),
)
def test_the_demo_fails_when_a_sum_does_not_match(
    told: dict[str, Any], outbox: list[dict[str, Any]], words: str
) -> None:
    assert any(words in rule for rule in broken(told, outbox))


@pytest.mark.parametrize(
    ("same", "undecided", "broken_rules"),
    [(5, 0, 0), (4, 0, 1), (5, 1, 1)],
    ids=["all the same", "one that differs", "nothing decided on somebody"],
)
def test_the_demo_fails_when_a_decision_is_not_made_again_the_same(
    same: int, undecided: int, broken_rules: int
) -> None:
    counts = dict.fromkeys(Finding, 0) | {Finding.SAME: same, Finding.DIFFERS: 5 - same}
    again = Replayed(run_id=RUN, people=4, undecided=undecided, decisions=5, counts=counts, examples={})
    wanted = Expected(audience=4, rejected=1, messages_of_events=1, engagement={})
    assert len([check for check in decided_again(again, wanted) if not check.holds]) == broken_rules
