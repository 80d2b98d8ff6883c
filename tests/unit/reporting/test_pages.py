"""The report of a run and the timeline of a person, as pages."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_trace
from heliograph.model.outcomes import FailureCode
from heliograph.model.reasons import Reason
from heliograph.reporting.figures import RunFigures
from heliograph.reporting.pages import report_page, timeline_page
from heliograph.reporting.rates import rates
from heliograph.reporting.statements import statements

KOLKATA = ZoneInfo("Asia/Kolkata")
HOSTILE = '<script>alert("x")</script>&"\''


NOBODY = {"accepted": 0, "skipped": 0, "scheduled": 0, "failed": 0, "unknown": 0}


def figures(**what: Any) -> RunFigures:
    facts: dict[str, Any] = {
        "run_id": "01K0XW5N3M8QJ4RZT6V2Y7B9CD",
        "campaign": "spring-sale",
        "message": "spring_sale",
        "state": "complete",
        "started_at": datetime(2026, 3, 1, 10, tzinfo=UTC),
        "audience": 1000,
        "rejected": 0,
        "pending": 0,
        "counts": {"accepted": 742, "skipped": 187, "scheduled": 63, "failed": 8, "unknown": 0},
        "skipped": {"not_consented": 187},
        "failed": {"rejected": 8},
        "by_channel": {"email": 742},
        "via_fallback": {},
        "engagement": {"delivered": 700, "opened": 70, "clicked": 35, "bounced": 14},
    }
    return RunFigures(**{**facts, **what})


def an_entry(**what: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "dispatch_id": "01K0XW5N3M8QJ4RZT6V2Y7B9CC-0",
        "message": "order_shipped",
        "version": "a1b2c3d4",
        "channel": "email",
        "outcome": "dispatched",
        "reason": "",
        "state": "delivered",
        "cause": None,
        "run_id": "",
        "decided_at": "2026-02-21T10:00:00Z",
        "events": {"delivered": "2026-02-21T20:00:03Z", "accepted": "2026-02-21T10:00:01+00:00"},
        "provider": None,
        "provider_message_id": "0102018f-1",
        "rules": [{"channel": "email", "rule": "no_address", "result": "passed", "says": "address: ok"}],
        "until": None,
        "next_time": None,
    }
    return {**facts, **what}


def test_a_timeline_shows_the_code_of_what_failed_beside_it() -> None:
    happened = {"retry": "2026-02-21T10:00:01Z", "failed": "2026-02-21T10:00:09Z"}
    shown = words(a_timeline(an_entry(state="failed", cause="dead_token", events=happened)))
    assert "failed (dead_token)" in shown
    assert "retry (" not in shown


def a_timeline(*entries: dict[str, Any], recipient_id: str = "anna-1") -> str:
    return timeline_page({"recipient_id": recipient_id, "entries": list(entries)}, zone=KOLKATA)


def words(page: str) -> str:
    return re.sub("[ \n]+", " ", re.sub("<[^>]*>", " ", page.partition("<body>")[2]))


def test_the_report_shows_the_equation_and_that_it_holds() -> None:
    shown = words(report_page(figures())).replace("\u202f", "")
    assert "audience = 742 accepted + 187 skipped + 63 scheduled + 8 failed + 0 unknown" in shown
    assert "The sums match." in shown


def test_the_report_says_when_the_sums_do_not_match() -> None:
    assert "The sums do not match" in words(report_page(figures(audience=1001)))


@pytest.mark.parametrize(
    ("name", "formula", "share"),
    [
        ("Delivery rate", "700 delivered ÷ 742 accepted", "94.3"),
        ("Open rate", "70 opened ÷ 700 delivered", "10.0"),
        ("Click-through rate", "35 clicked ÷ 700 delivered", "5.0"),
        ("Click-to-open rate", "35 clicked ÷ 70 opened", "50.0"),
        ("Bounce rate", "14 bounced ÷ 742 accepted", "1.9"),
        ("Complaint rate", "0 complained ÷ 700 delivered", "0.0"),
        ("Unsubscribe rate", "0 unsubscribed ÷ 700 delivered", "0.0"),
    ],
)
def test_every_rate_stands_beside_its_formula(name: str, formula: str, share: str) -> None:
    assert f"{name} {share}\u202f% {formula}" in words(report_page(figures()))


def test_a_rate_of_nothing_is_no_rate() -> None:
    assert {rate.share for rate in rates(figures(counts=dict.fromkeys(figures().counts, 0), engagement={}))} == {None}


@given(st.integers(1, 10**7).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_rate_never_says_all_or_nothing_of_what_is_not(numbers: tuple[int, int]) -> None:
    counted, of = numbers
    counts = {**dict.fromkeys(figures().counts, 0), "accepted": of}
    page = words(report_page(figures(counts=counts, audience=of, engagement={"delivered": counted})))
    share = re.search(r"Delivery rate (.*?)\u202f%", page)
    assert share
    assert (share[1] == "100.0") == (counted == of)
    assert (share[1] == "0.0") == (counted == 0)


def test_what_went_via_fallback_is_shown_apart_and_only_when_there_were_some() -> None:
    assert "via fallback" not in words(report_page(figures()))
    page = words(report_page(figures(via_fallback={"sms": 21}, via_fallback_engagement={"delivered": 20})))
    assert "Accepted via fallback, after nobody reacted" in page
    assert "What happened there" in page


def test_the_figures_travel_inside_the_page_as_json() -> None:
    link = re.search(r'href="data:application/json;base64,([^"]+)" download="[^"]+\.json"', report_page(figures()))
    assert link
    assert msgspec.json.decode(base64.b64decode(link[1]), type=RunFigures) == figures()


def test_a_run_that_failed_says_why() -> None:
    assert "segment.csv: is missing" in words(report_page(figures(state="failed", problem="segment.csv: is missing")))


def test_an_empty_run_has_a_page() -> None:
    shown = words(report_page(figures(audience=0, counts=NOBODY, rejected=12)))
    assert "Nobody was sent to: the segment names nobody. 12 rows were refused" in shown


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"audience": 0, "counts": NOBODY}, "Nobody was sent to: the segment names nobody."),
        ({"audience": 0, "counts": NOBODY, "ingested": False, "state": "running"}, "still being read"),
        (
            {"audience": 0, "counts": NOBODY, "state": "failed", "problem": "campaign.toml: is empty"},
            "This run failed: campaign.toml: is empty. Nobody was sent to.",
        ),
        (
            {"audience": 9, "counts": {**NOBODY, "accepted": 9}, "state": "failed", "problem": "row 10: too long"},
            "This run failed: row 10: too long. It stopped after 9 people.",
        ),
        (
            {"audience": 0, "counts": NOBODY, "state": "replaced", "problem": "a newer upload came"},
            "This run was replaced: a newer upload came.",
        ),
        ({"audience": 0, "counts": NOBODY, "reached": 7}, "Nobody was sent to: 7 people were reached by earlier runs"),
        ({"audience": 9, "counts": {**NOBODY, "failed": 9}}, "Nobody was sent to: 9 failed."),
        ({"audience": 9, "counts": {**NOBODY, "scheduled": 9}}, "Nobody was sent to yet: 9 scheduled."),
        ({"audience": 1, "counts": {**NOBODY, "unknown": 1}, "pending": 1, "state": "running"}, "1 person is on"),
        ({"audience": 1001}, "The sums do not match: 1,000 of 1,001 are accounted for."),
    ],
)
def test_no_page_celebrates_what_nobody_got(facts: dict[str, Any], text: str) -> None:
    shown = words(report_page(figures(**facts)))
    assert text in shown
    assert "The sums match" not in shown
    assert "Nobody is lost" not in shown


def test_a_timeline_has_the_latest_decision_first() -> None:
    later = an_entry(message="spring_sale", decided_at="2026-02-22T10:00:00Z")
    shown = words(a_timeline(an_entry(), later))
    assert shown.index("spring_sale") < shown.index("order_shipped")


def test_a_timeline_shows_times_in_the_zone_of_the_person_and_in_utc() -> None:
    assert "2026-02-21 15:30:00 Asia/Kolkata, 2026-02-21 10:00:00 UTC" in words(a_timeline(an_entry()))


def test_a_timeline_tells_what_happened_in_the_order_in_which_it_happened() -> None:
    shown = words(a_timeline(an_entry()))
    assert shown.rindex("accepted 2026") < shown.rindex("delivered 2026")


def test_what_happened_within_one_second_is_shown_in_the_order_of_its_meaning() -> None:
    second = "2026-02-21T10:00:01"
    facts = {
        "opened": f"{second}.1Z",
        "delivered": f"{second}.2Z",
        "sent": f"{second}Z",
        "accepted": f"{second}.9+00:00",
    }
    shown = words(a_timeline(an_entry(events=facts)))
    positions = [shown.rindex(f"{kind} 2026") for kind in ("accepted", "sent", "delivered", "opened")]
    assert positions == sorted(positions)


def test_a_timeline_shows_the_rule_that_objected_and_what_it_means() -> None:
    rules = statements(a_trace("email:not_consented"), "offers")
    shown = words(a_timeline(an_entry(outcome="skipped", reason="not_consented", rules=rules, events={})))
    assert "No consent for this topic on this channel." in shown
    assert "address: ok" in shown
    assert "consent: not given for offers by email" in shown


def test_a_scheduled_decision_says_when_it_is_planned_again() -> None:
    entry = an_entry(outcome="scheduled", reason="quiet_hours", until="2026-03-02T02:30:00Z", events={})
    assert "Planned again: 2026-03-02 08:00:00" in words(a_timeline(entry))


def test_a_capped_person_is_told_when_the_next_one_could_go() -> None:
    entry = an_entry(outcome="skipped", reason="capped", next_time="2026-03-02T02:30:00Z", events={})
    shown = words(a_timeline(entry))
    assert "The caps are full" in shown
    assert "The next one could go: 2026-03-02 08:00:00 Asia/Kolkata, 2026-03-02 02:30:00 UTC" in shown


@pytest.mark.parametrize(("provider", "shown"), [(None, "0102018f-1"), ("sns", "sns:0102018f-1")])
def test_a_timeline_names_the_provider_that_stood_in_for_another(provider: str | None, shown: str) -> None:
    assert f"<code>{shown}</code>" in a_timeline(an_entry(provider=provider))


@pytest.mark.parametrize("code", [*Reason, *FailureCode])
def test_every_reason_is_explained(code: str) -> None:
    page = report_page(figures(skipped={code: 1}))
    assert re.search(rf"{code.replace('_', ' ')}<br><small>[A-Z].*\.</small>", page)


@pytest.mark.parametrize(
    "page",
    [
        report_page(figures(campaign=HOSTILE, skipped={HOSTILE: 1}, problem=HOSTILE, state=HOSTILE)),
        a_timeline(an_entry(message=HOSTILE, reason=HOSTILE, outcome=HOSTILE), recipient_id=HOSTILE),
    ],
    ids=["report", "timeline"],
)
def test_everything_is_escaped(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("page", [report_page(figures()), a_timeline(an_entry())], ids=["report", "timeline"])
def test_a_page_fetches_nothing(page: str) -> None:
    assert not re.search(r"https?:|url\(|@import|<script|<img|<iframe", page)


def test_a_run_in_which_nobody_was_left_to_reach_says_so_and_names_no_failure() -> None:
    page = report_page(figures(audience=0, reached=3, counts=NOBODY))
    assert "3 people were reached by earlier runs of this campaign" in page


def test_a_run_that_was_replaced_says_by_what_and_celebrates_nothing() -> None:
    page = report_page(
        figures(state="replaced", problem="a newer upload of the folder came", audience=0, counts=NOBODY)
    )
    assert "This run was replaced: a newer upload of the folder came." in page
    assert "✓" not in page
