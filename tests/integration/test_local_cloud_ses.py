"""The SES of the local cloud takes, refuses and reports as SES does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from aws.local_cloud import Inbox, LocalCloud
from aws.local_ses import INLINE, SENDER, WORDS, an_address, entry, kinds_of, refusal, send, send_bulk


def test_a_mail_is_reported_sent_and_delivered_with_our_tags_as_lists(
    ses: Any, configuration_set: str, on_bus: Callable[..., Inbox]
) -> None:
    inbox, to = on_bus("aws.ses"), an_address()
    tags = [{"Name": "dispatch_id", "Value": "d-1"}]
    message_id = send(ses, to, ConfigurationSetName=configuration_set, EmailTags=tags)
    sent, delivered = inbox.take(2)
    mail = sent["detail"]["mail"]
    assert (sent["source"], sent["detail-type"], sent["detail"]["send"]) == ("aws.ses", "Email Sent", {})
    assert (mail["messageId"], mail["destination"]) == (message_id, [to])
    assert mail["tags"]["dispatch_id"] == ["d-1"]
    assert mail["tags"]["ses:configuration-set"] == [configuration_set]
    assert {"name": "Subject", "value": "Hello"} in mail["headers"]
    assert mail["commonHeaders"]["subject"] == "Hello"
    assert delivered["detail-type"] == "Email Delivered"
    assert delivered["detail"]["delivery"]["recipients"] == [to]


@pytest.mark.parametrize(
    ("address", "kinds"),
    [
        ("success@simulator.amazonses.com", ["Email Sent", "Email Delivered"]),
        ("bounce+7@simulator.amazonses.com", ["Email Sent", "Email Bounced"]),
        ("complaint@simulator.amazonses.com", ["Email Sent", "Email Delivered", "Email Complaint Received"]),
        ("suppressionlist@simulator.amazonses.com", ["Email Sent", "Email Bounced"]),
        ("ooto@simulator.amazonses.com", ["Email Sent", "Email Delivered"]),
    ],
)
def test_the_mailbox_simulator_decides_by_address(
    address: str, kinds: list[str], ses: Any, configuration_set: str, on_bus: Callable[..., Inbox]
) -> None:
    inbox = on_bus("aws.ses")
    send(ses, address, ConfigurationSetName=configuration_set)
    assert kinds_of(inbox, len(kinds)) == kinds


def test_mail_to_a_suppressed_address_is_taken_and_bounces(
    ses: Any, configuration_set: str, on_bus: Callable[..., Inbox]
) -> None:
    inbox, to = on_bus("aws.ses", **{"detail-type": ["Email Bounced"]}), an_address()
    ses.put_suppressed_destination(EmailAddress=to, Reason="COMPLAINT")
    assert ses.get_suppressed_destination(EmailAddress=to)["SuppressedDestination"]["Reason"] == "COMPLAINT"
    send(ses, to, ConfigurationSetName=configuration_set)
    [event] = inbox.take(1)
    assert event["detail"]["bounce"]["bounceSubType"] == "OnAccountSuppressionList"
    ses.delete_suppressed_destination(EmailAddress=to)
    assert refusal(ses.get_suppressed_destination, EmailAddress=to)["Error"]["Code"] == "NotFoundException"


def test_a_template_without_its_data_is_taken_and_reported_as_a_rendering_failure(
    ses: Any, configuration_set: str, on_bus: Callable[..., Inbox]
) -> None:
    inbox = on_bus("aws.ses")
    nothing = {"ReplacementTemplate": {"ReplacementTemplateData": '{"subject": "Hi"}'}}
    unfilled = entry(an_address(), ReplacementEmailContent=nothing)
    [result] = send_bulk(ses, unfilled, ConfigurationSetName=configuration_set)
    assert result["Status"] == "SUCCESS"
    [event] = inbox.take(1)
    assert (event["detail-type"], event["detail"]["eventType"]) == ("Email Rendering Failed", "Rendering Failure")
    assert "'html' is not present" in event["detail"]["failure"]["errorMessage"]


def test_text_in_template_data_is_never_rendered_again(local_cloud: LocalCloud, ses: Any) -> None:
    to = an_address()
    words = json.dumps(WORDS | {"html": "{{text}}"})
    data = {"ReplacementTemplate": {"ReplacementTemplateData": words}}
    send_bulk(ses, entry(to, ReplacementEmailContent=data))
    assert local_cloud.outbox(to=to)[0]["html"] == "{{text}}"


def test_a_header_of_an_entry_wins_over_that_of_the_template(local_cloud: LocalCloud, ses: Any) -> None:
    to = an_address()
    headers = [{"Name": "X-A", "Value": "template"}, {"Name": "X-B", "Value": "template"}]
    default = {"Template": {"TemplateContent": INLINE, "TemplateData": "{}", "Headers": headers}}
    own = entry(to, ReplacementHeaders=[{"Name": "X-A", "Value": "entry"}])
    send_bulk(ses, own, DefaultContent=default)
    assert local_cloud.outbox(to=to)[0]["headers"] == {"From": SENDER, "X-A": "entry", "X-B": "template"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"ReplacementTags": [{"Name": "at", "Value": "2026-01-01T00:00"}]},
        {"ReplacementHeaders": [{"Name": f"X-{number}", "Value": "v"} for number in range(16)]},
        {"ReplacementHeaders": [{"Name": "X-Name", "Value": "two\nlines"}]},
        {"Destination": {"ToAddresses": ["nobody"]}},
    ],
)
def test_a_wrong_entry_is_refused_and_the_others_are_sent(ses: Any, wrong: dict[str, Any]) -> None:
    results = send_bulk(ses, entry(an_address()), entry(an_address()) | wrong, entry(an_address()))
    assert [result["Status"] for result in results] == ["SUCCESS", "INVALID_PARAMETER", "SUCCESS"]


def test_a_bulk_call_takes_at_most_50_destinations(ses: Any) -> None:
    assert refusal(send_bulk, ses, *[entry(an_address())] * 51)["Error"]["Code"] == "BadRequestException"


def test_a_bulk_call_with_an_inline_template_takes_at_most_1_mb(ses: Any) -> None:
    big = {"ReplacementTemplate": {"ReplacementTemplateData": json.dumps(WORDS | {"html": "x" * 250_000})}}
    entries = [entry(an_address(), ReplacementEmailContent=big)] * 5
    assert refusal(send_bulk, ses, *entries)["Error"]["Code"] == "BadRequestException"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"FromEmailAddress": "someone@elsewhere.test"}, "MessageRejected"),
        ({"ConfigurationSetName": "nowhere"}, "NotFoundException"),
        ({"EmailTags": [{"Name": "who", "Value": "a@b.test"}]}, "BadRequestException"),
    ],
)
def test_a_mail_is_refused_with_the_code_of_ses(ses: Any, wrong: dict[str, Any], code: str) -> None:
    assert refusal(send, ses, an_address(), **wrong)["Error"]["Code"] == code


def test_the_account_says_how_much_it_may_send(ses: Any) -> None:
    assert ses.get_account()["SendQuota"]["MaxSendRate"] >= 1


def test_ses_reports_to_a_topic_too(ses: Any, inbox: Inbox, topic: str, configuration_set: str) -> None:
    ses.create_configuration_set_event_destination(
        ConfigurationSetName=configuration_set,
        EventDestinationName="topic",
        EventDestination={"Enabled": True, "MatchingEventTypes": ["SEND"], "SnsDestination": {"TopicArn": topic}},
    )
    send(ses, an_address(), ConfigurationSetName=configuration_set)
    greeting, record = inbox.take(2)
    assert greeting == "Successfully validated SNS topic for Amazon SES event publishing."
    assert record["eventType"] == "Send"
