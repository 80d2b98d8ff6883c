"""The outbox of the local cloud shows what was sent, and engaging makes the provider report it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError

import pytest

from aws.local_cloud import PATIENCE, TICK, Inbox, LocalCloud
from aws.local_ses import SENDER, WORDS, an_address, entry, send, send_bulk
from heliograph_cli.waiting import until_still


def test_a_mail_is_in_the_outbox_with_its_words_headers_and_tags(local_cloud: LocalCloud, ses: Any) -> None:
    to = an_address()
    tags = [{"Name": "recipient_id", "Value": "ada-1"}]
    headers = [{"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"}]
    [result] = send_bulk(ses, entry(to, ReplacementTags=tags, ReplacementHeaders=headers))
    [mail] = local_cloud.outbox(channel="email", to=to)
    assert set(mail) == {
        *("id", "channel", "to", "subject", "text", "html", "headers", "tags", "provider_message_id", "sent_at")
    }
    assert (mail["provider_message_id"], mail["to"]) == (result["MessageId"], to)
    assert {part: mail[part] for part in WORDS} == WORDS
    assert mail["headers"] == {"From": SENDER, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    assert mail["tags"] == {"recipient_id": "ada-1"}


def test_the_outbox_is_filtered_by_address_recipient_id_and_limit(local_cloud: LocalCloud, ses: Any) -> None:
    who = f"r-{uuid.uuid4().hex}"
    for _ in range(3):
        send(ses, f"{who}@example.net", EmailTags=[{"Name": "recipient_id", "Value": who}])
    assert len(local_cloud.outbox(to=who)) == 3
    assert len(local_cloud.outbox(to=f"{who}@EXAMPLE.net", limit=2)) == 2
    assert local_cloud.outbox(to=who, channel="sms") == []
    assert local_cloud.outbox(to=who[:-1]) == []


@pytest.mark.parametrize(
    ("kind", "event", "where", "expected"),
    [
        ("open", "Email Opened", "open", {"isBotEvent": "Unlikely"}),
        ("click", "Email Clicked", "click", {"link": "https://example.com/a"}),
        ("bounce", "Email Bounced", "bounce", {"bounceType": "Permanent", "bounceSubType": "General"}),
        ("complain", "Email Complaint Received", "complaint", {"complaintFeedbackType": "abuse"}),
    ],
)
def test_engaging_with_a_mail_makes_ses_report_it(
    kind: str, event: str, where: str, expected: dict[str, str],
    local_cloud: LocalCloud, ses: Any, configuration_set: str, on_bus: Callable[..., Inbox],
) -> None:  # fmt: skip
    inbox = on_bus("aws.ses", **{"detail-type": [event]})
    message_id = send(ses, an_address(), ConfigurationSetName=configuration_set)
    local_cloud.engage(message_id, kind)
    [reported] = inbox.take(1)
    assert expected.items() <= reported["detail"][where].items()
    assert reported["detail"]["mail"]["messageId"] == message_id


def test_a_hard_bounce_suppresses_the_address(local_cloud: LocalCloud, ses: Any, configuration_set: str) -> None:
    to = an_address()
    message_id = send(ses, to, ConfigurationSetName=configuration_set)
    local_cloud.engage(message_id, "bounce")
    assert until_still(lambda: (found := listed(ses, to), found), patience=PATIENCE, most=TICK)


def listed(ses: Any, address: str) -> bool:
    found = ses.list_suppressed_destinations()["SuppressedDestinationSummaries"]
    return address in [entry["EmailAddress"] for entry in found]


def test_several_people_engage_in_one_call(
    local_cloud: LocalCloud, ses: Any, configuration_set: str, on_bus: Callable[..., Inbox]
) -> None:
    inbox = on_bus("aws.ses", **{"detail-type": ["Email Opened"]})
    ids = [send(ses, an_address(), ConfigurationSetName=configuration_set) for _ in range(3)]
    local_cloud.post("engage", [{"provider_message_id": found, "kind": "open"} for found in ids])
    assert {event["detail"]["mail"]["messageId"] for event in inbox.take(3)} == set(ids)


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"provider_message_id": "unheard-of", "kind": "open"}, 404),
        ({"provider_message_id": "unheard-of", "kind": "frame"}, 400),
        ("open", 400),
    ],
)
def test_engagement_that_cannot_be_is_refused_with_words(local_cloud: LocalCloud, wanted: Any, status: int) -> None:
    with pytest.raises(HTTPError) as caught:
        local_cloud.post("engage", wanted)
    assert caught.value.code == status
    assert json.load(caught.value)["error"]


@pytest.mark.parametrize("name", ["Host", "Origin"])
def test_pages_from_elsewhere_are_refused(local_cloud: LocalCloud, name: str) -> None:
    foreign = "http://evil.test" if name == "Origin" else "evil.test"
    with pytest.raises(HTTPError) as caught:
        local_cloud.post("engage", [], headers={name: foreign})
    assert caught.value.code == 403
    caught.value.close()
