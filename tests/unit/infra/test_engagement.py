"""How SES tells what happened, by either value of `Engagement`: nothing is left out, and nothing is kept for long."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builders import KEYS, NOW, a_rendered
from heliograph.channels.email.spec import BY_THE_MINUTE, SPEC
from heliograph.model.engagement import Ahead
from heliograph.recording.reading import RAW, read
from wiring import NESTED, ROOT, TEMPLATE, resources

EMAIL = NESTED["Channelemail"]
AHEAD = {"BOUNCE", "COMPLAINT", "REJECT", "RENDERING_FAILURE", "SUBSCRIPTION"}
KINDS = AHEAD | {"SEND", "DELIVERY", "OPEN", "CLICK", "DELIVERY_DELAY"}
PARAMETERS = TEMPLATE["Parameters"]


def destination(name: str) -> dict[str, Any]:
    told: dict[str, Any] = EMAIL["Resources"][name]["Properties"]["EventDestination"]
    return told


def test_by_the_minute_all_is_collected_and_what_has_consequences_comes_ahead() -> None:
    compared = EMAIL["Conditions"]["ByTheMinute"]["Fn::Equals"]
    assert all(each in compared for each in ({"Ref": "Engagement"}, BY_THE_MINUTE))
    assert EMAIL["Resources"]["EmailEventsByTheMinute"]["Condition"] == "ByTheMinute"
    assert set(destination("EmailEventsByTheMinute")["MatchingEventTypes"]) == KINDS
    condition, by_the_minute, at_once = destination("EmailEvents")["MatchingEventTypes"]["Fn::If"]
    assert (condition, set(by_the_minute), set(at_once)) == ("ByTheMinute", AHEAD, KINDS)


def test_nothing_is_told_less_at_once_before_it_is_told_by_the_minute() -> None:
    """While a stack is switched over: CloudFormation updates what refers to something after that is there."""
    others = {name: each for name, each in EMAIL["Resources"].items() if each.get("Condition") != "ByTheMinute"}
    other_by_the_minute = {name for name, each in others.items() if "ByTheMinute" in str(each["Properties"])}
    after = {"Fn::If": ["ByTheMinute", {"Ref": "EmailEventsByTheMinute"}, ""]}
    assert other_by_the_minute == {"EmailEvents", "EmailEventsRule"}
    assert {name for name, each in others.items() if each.get("Metadata") == {"After": after}} == other_by_the_minute


def test_the_right_to_collect_is_as_old_as_the_stream() -> None:
    """IAM takes a while to know a role everywhere: one that waited for the stream would be used while it is new."""
    role, stream = (EMAIL["Resources"][name] for name in ("TellRole", "Collected"))
    assert "Collected" not in str(role)
    (statement,) = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    _, told = statement["Resource"]["Fn::Sub"]
    assert told["Name"] == stream["Properties"]["DeliveryStreamName"]


def test_what_the_rule_makes_of_an_event_is_read_as_one_that_comes_ahead() -> None:
    (target,) = EMAIL["Resources"]["EmailEventsRule"]["Properties"]["Targets"]
    condition, made, otherwise = target["InputTransformer"]["Fn::If"]
    assert (condition, otherwise) == ("ByTheMinute", {"Ref": "AWS::NoValue"})
    assert made["InputPathsMap"] == {"told": "$.detail"}
    tags = {name: [value] for name, value in a_rendered().tags().items()}
    mail = {"messageId": "m", "timestamp": "2026-11-21T10:00:00Z", "tags": tags}
    told = {"eventType": "Bounce", "mail": mail, "bounce": {"bounceType": "Permanent"}}
    (event,) = read(made["InputTemplate"].replace("<told>", json.dumps(told)), NOW, lambda: KEYS)
    assert isinstance(event, Ahead)


def test_what_is_collected_is_where_record_reads_it_and_gone_after_seven_days() -> None:
    stream = EMAIL["Resources"]["Collected"]["Properties"]["ExtendedS3DestinationConfiguration"]
    assert stream["Prefix"] == f"{RAW}/{SPEC.name}/"
    assert stream["CompressionFormat"] == "GZIP"
    (bucket,) = resources(NESTED["Storage"], "AWS::S3::Bucket").values()
    (rule,) = [each for each in bucket["LifecycleConfiguration"]["Rules"] if each.get("Prefix") == f"{RAW}/"]
    days = rule["ExpirationInDays"], rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
    assert sum(each + 1 for each in days) == 7  # S3 rounds each of them up to the next midnight


def test_collecting_alone_raises_no_alarm() -> None:
    late = EMAIL["Resources"]["CollectingLate"]["Properties"]
    seconds = (
        EMAIL["Mappings"]["Firehose"]["Late"]["Most"] if isinstance(late["Threshold"], dict) else late["Threshold"]
    )
    assert 2 * PARAMETERS["EngagementSeconds"]["MaxValue"] <= seconds


def test_no_grace_ends_before_what_it_waits_for_can_be_told() -> None:
    """However long it is collected: SQS hides a message in doubt for 900 seconds at most."""
    longest = {"ENGAGEMENT": BY_THE_MINUTE, "ENGAGEMENT_SECONDS": str(PARAMETERS["EngagementSeconds"]["MaxValue"])}
    assert SPEC.lag(longest.__getitem__) < 900
    assert PARAMETERS["Engagement"]["AllowedValues"] == [BY_THE_MINUTE, "eventbridge"]


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/cli.md", "docs/runbook.md"])
def test_pages_say_how_late_figures_are_as_deployed(page: str) -> None:
    given = {"ENGAGEMENT": "Engagement", "ENGAGEMENT_SECONDS": "EngagementSeconds"}
    lag = SPEC.lag(lambda name: str(PARAMETERS[given[name]]["Default"]))
    words = " ".join((ROOT / page).read_text().split())
    assert f"up to {lag} seconds late (`Engagement=eventbridge`: seconds)" in words
