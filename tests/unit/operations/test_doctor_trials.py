"""What the doctor sends, to whom, and how it judges what came of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doctor_builders import MAIL, a_deployment, refused
from heliograph.campaigns.segments import read_campaign
from heliograph.channels.sms import doctor as sms_doctor
from heliograph.operations.doctor import sending, trials
from heliograph.operations.doctor.findings import Finding, State, note, well
from heliograph.operations.doctor.tidying import tidy_up
from heliograph.operations.doctor.trials import Trial, judge
from heliograph.people.store import Recipients

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def a_message(name: str, **facts: Any) -> dict[str, Any]:
    return {"name": name, "purpose": "transactional", "channels": ["email", "sms"], "topic": "orders", **facts}


def a_catalogue(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"messages": {each["name"]: each for each in messages}}


def a_trial(**what: Any) -> Trial:
    known = {"check": "send: delivered", "person": "doctor-1", "message": MAIL, "profile": {}, "wanted": "delivered"}
    return Trial(**{**known, **what})


def an_entry(state: str, **what: Any) -> dict[str, Any]:
    return {"state": state, "channel": "email", "reason": None, "until": None, **what}


@pytest.mark.parametrize(
    ("messages", "wanted"),
    [
        ([a_message("b"), a_message("a")], "a"),
        ([a_message("sale", purpose="promotional"), a_message("b")], "b"),
        ([a_message("text", channels=["sms"]), a_message("b")], "b"),
        ([a_message("a", fallback=[{"channels": ["sms"]}]), a_message("b")], "b"),
        ([a_message("a"), a_message("asked")], "asked"),
    ],
    ids=["the first", "of the purpose", "by the channel", "that nothing follows", "that is asked for"],
)
def test_a_message_is_chosen_that_the_trial_fits(messages: list[Any], wanted: str, tmp_path: Path) -> None:
    asked = {"purpose": "transactional", "channel": "email", "name": "asked"}
    found = trials.choose(a_catalogue(*messages), tmp_path, **asked)
    assert found is not None
    assert found.name == wanted


def test_no_message_is_chosen_where_none_fits(tmp_path: Path) -> None:
    assert trials.choose({}, tmp_path, purpose="promotional", channel="email") is None


def test_a_message_is_sent_with_the_data_of_its_sample(tmp_path: Path) -> None:
    place = tmp_path / "messages" / "receipt"
    place.mkdir(parents=True)
    (place / "sample.json").write_text('{"recipient": {"first_name": "Mia"}, "data": {"id": "A-1"}}')
    found = trials.choose(a_catalogue(a_message("receipt")), tmp_path, purpose="transactional", channel="email")
    assert found is not None
    assert (found.data, found.attributes) == ({"id": "A-1"}, {"first_name": "Mia"})


JSON = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=3))
def test_any_sample_comes_through_a_manifest_as_it_is(data: dict[str, Any]) -> None:
    written = trials.manifest(msgspec.structs.replace(MAIL, data=data))
    assert dict(read_campaign(written.encode()).data) == data


@pytest.mark.parametrize(
    ("entries", "state", "words"),
    [
        ([an_entry("delivered")], State.WELL, "delivered"),
        ([an_entry("delivered"), an_entry("scheduled")], State.WELL, "delivered"),
        ([an_entry("bounced")], State.WRONG, "is bounced, not delivered"),
        ([an_entry("skipped", reason="not_consented")], State.WRONG, "not_consented"),
        ([an_entry("failed", reason="rejected")], State.WRONG, "rejected"),
        ([an_entry("scheduled", until=(NOW + timedelta(hours=3)).isoformat())], State.WELL, "as the policy says"),
    ],
)
def test_a_trial_is_judged_by_its_latest_state(entries: list[Any], state: State, words: str) -> None:
    found = judge(a_trial(), entries, NOW)
    assert found is not None
    assert (found.state, words in found.says) == (state, True), found


@pytest.mark.parametrize("entries", [[], [an_entry("pending")], [an_entry("accepted")]])
def test_a_trial_that_is_on_its_way_is_not_judged_yet(entries: list[Any]) -> None:
    assert judge(a_trial(), entries, NOW) is None
    assert trials.overdue(a_trial(), entries).state is State.WRONG


def test_a_failure_that_was_wanted_is_well() -> None:
    found = judge(a_trial(wanted="failed"), [an_entry("failed", channel="push")], NOW)
    assert found is not None
    assert found.state is State.WELL


def test_what_is_due_in_a_moment_is_waited_for() -> None:
    assert judge(a_trial(), [an_entry("scheduled", until=(NOW + trials.PAUSE).isoformat())], NOW) is None


@pytest.mark.parametrize(
    ("channels", "sent"),
    [
        ("email", ["delivered", "bounced", "complained", *["campaign"] * 3, "scheduled"]),
        ("push", ["dead device"]),
        ("webhook", []),
    ],
)
def test_each_channel_of_the_stack_sends_what_it_has_a_simulator_for(
    channels: str, sent: list[str], tmp_path: Path
) -> None:
    carried = {"channels": ["email", "push", "webhook"]}
    messages = a_catalogue(a_message("receipt", **carried), a_message("sale", purpose="promotional", **carried))
    choose = partial(trials.choose, messages, tmp_path)
    planned = list(sending.plan(a_deployment(Channels=channels), choose, stamp="1", now=NOW))
    assert [each.check for each in planned if isinstance(each, Trial)] == [f"send: {what}" for what in sent]
    assert len(planned) == len(sent)


def test_a_provider_that_cannot_be_asked_is_a_finding_and_the_next_channel_goes_on(tmp_path: Path) -> None:
    answers = {(sms_doctor.SERVICE, "send_text_message"): refused("AccessDeniedException", "SendTextMessage")}
    choose = partial(trials.choose, a_catalogue(a_message("receipt", channels=["push"])), tmp_path)
    told, sent = sending.plan(a_deployment(answers, Channels="sms,push"), choose, stamp="1", now=NOW)
    assert isinstance(told, Finding)
    assert (told.check, told.state) == ("send: sms", State.UNKNOWN)
    assert isinstance(sent, Trial)


@pytest.mark.parametrize(
    ("channels", "says"),
    [("email,sms", "suppressed addresses could not be removed: TooManyRequestsException"), ("sms", "1 people, ")],
)
def test_what_a_channel_of_the_stack_cannot_remove_is_told_and_all_else_is_removed(channels: str, says: str) -> None:
    client, bucket = MagicMock(), MagicMock()
    client.describe_table.return_value = {"Table": {"KeySchema": [{"AttributeName": "recipient_id"}]}}
    client.query.return_value = {"Items": [{"recipient_id": {"S": "doctor-1"}, "email": {"S": "a@b.example"}}]}
    answers = {("sesv2", "delete_suppressed_destination"): refused("TooManyRequestsException")}
    mailed = a_trial(profile={"email": "success+1@simulator.amazonses.com"})
    people = Recipients(client, "people", history=MagicMock())
    (found,) = tidy_up(people, bucket, a_deployment(answers, Channels=channels), [mailed], campaign="doctor-1")
    assert found.says.startswith(says)
    client.delete_item.assert_called_once_with(TableName="people", Key={"recipient_id": {"S": "doctor-1"}})
    bucket.delete.assert_called_with(["reports/timeline/doctor-1.html"])


def test_the_people_of_a_campaign_are_one_line() -> None:
    found = sending.summed([well("c", "delivered"), well("c", "delivered"), note("d", "left out", "")])
    assert [each.says for each in found] == ["2 × delivered", "left out"]


def test_findings_are_json() -> None:
    assert json.loads(msgspec.json.encode(well("stack", "there"))) == {
        "check": "stack", "state": "well", "says": "there", "mend": "",
    }  # fmt: skip
