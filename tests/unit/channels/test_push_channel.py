"""Rules of the push channel: what goes to Pinpoint and SNS, what their answers mean, how opens are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from aws.wire import MAY_HAVE_ARRIVED, NEVER_LEFT, Refusal, Wire, provider_client
from builders import NOW, PUSH, RUN_ID, TOKENS, a_rendered
from heliograph.channels.push.devices import data_of
from heliograph.channels.push.events import read_push_opened
from heliograph.channels.push.open_tokens import OpenTokens
from heliograph.channels.push.pinpoint import not_set_up_sender, pinpoint_sender
from heliograph.channels.push.sns import sns_sender
from heliograph.channels.push.spec import CODES
from heliograph.channels.rate import passes_by_itself
from heliograph.model.dispatches import Rendered
from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import Accepted, Failed, FailureCode, InDoubt, NotSent, Outcome
from heliograph.text.errors import MalformedError

ANDROID, IPHONE = "gcm:token-1", "apns:token-2"
TAKEN = {"DeliveryStatus": "SUCCESSFUL", "StatusCode": 200, "MessageId": "push-1"}
GONE = {"DeliveryStatus": "PERMANENT_FAILURE", "StatusCode": 410, "StatusMessage": "{}"}


def a_push(*devices: str, **fields: Any) -> Rendered:
    return a_rendered(PUSH, addresses=devices or (ANDROID,), **fields)


def results(**by_token: dict[str, Any]) -> dict[str, Any]:
    found = {token.replace("_", "-"): result for token, result in by_token.items()}
    return {"ApplicationId": "app-1", "Result": found}


def send(wire: Wire, rendered: Rendered) -> Outcome:
    [[outcome]] = pinpoint_sender(wire.client, application_id="app-1", tokens=TOKENS, now=lambda: NOW)([rendered])
    return outcome


def test_what_was_planned_before_push_was_switched_off_is_not_given_up() -> None:
    rendered = a_push(ANDROID)
    [[outcome]] = not_set_up_sender()([rendered])
    assert outcome == NotSent(dispatch_id=rendered.dispatch.dispatch_id, cause="PushIsNotSetUp")
    # so it ends in the dead letters, and can be sent back from there
    assert not passes_by_itself("PushIsNotSetUp", CODES)


def test_one_call_reaches_every_device_of_a_person() -> None:
    wire = Wire("pinpoint", results(token_1=TAKEN, token_2=TAKEN | {"MessageId": "push-2"}))
    rendered = a_push(ANDROID, IPHONE)
    assert send(wire, rendered) == Accepted(dispatch_id=rendered.dispatch.dispatch_id, provider_message_id="push-1")
    assert wire.sent[0]["Addresses"] == {"token-1": {"ChannelType": "GCM"}, "token-2": {"ChannelType": "APNS"}}


def test_a_token_may_hold_colons() -> None:
    wire = Wire("pinpoint", {"ApplicationId": "app-1", "Result": {"abc:APA91": TAKEN}})
    assert isinstance(send(wire, a_push("gcm:abc:APA91")), Accepted)


@pytest.mark.parametrize("platform", ["GCMMessage", "APNSMessage"])
def test_a_push_carries_its_words_and_our_ids(platform: str) -> None:
    wire, rendered = Wire("pinpoint", results(token_1=TAKEN)), a_push(not_after=NOW + timedelta(hours=1))
    send(wire, rendered)
    message = wire.sent[0]["MessageConfiguration"][platform]
    assert (message["Title"], message["Body"]) == ("Hello", "Hello there")
    assert (message["Action"], message["Url"]) == ("URL", "https://example.com/hello")
    assert message["Data"] == rendered.tags() | {"token": TOKENS.token(rendered.tags())}
    assert message["TimeToLive"] == 3600


@pytest.mark.parametrize(("url", "action"), [("", "OPEN_APP"), ("shop://cart", "DEEP_LINK"), ("https://x.test", "URL")])
def test_a_tap_opens_the_app_a_place_in_it_or_a_page(url: str, action: str) -> None:
    wire = Wire("pinpoint", results(token_1=TAKEN))
    send(wire, a_push(content={"title": "Hello", "body": "Hello there", "url": url}))
    assert wire.sent[0]["MessageConfiguration"]["GCMMessage"]["Action"] == action


def test_android_is_reached_by_token_as_its_old_keys_no_longer_work() -> None:
    wire = Wire("pinpoint", results(token_1=TAKEN))
    send(wire, a_push())
    assert wire.sent[0]["MessageConfiguration"]["GCMMessage"]["PreferredAuthenticationMethod"] == "TOKEN"


def test_dead_devices_are_named_while_others_took_it() -> None:
    outcome = send(Wire("pinpoint", results(token_1=GONE, token_2=TAKEN)), a_push(ANDROID, IPHONE))
    assert isinstance(outcome, Accepted)
    assert outcome.dead_addresses == (ANDROID,)


@pytest.mark.parametrize(
    "gone",
    [
        GONE,
        {
            "DeliveryStatus": "PERMANENT_FAILURE",
            "StatusCode": 404,
            "StatusMessage": '{"pushProviderError":"UNREGISTERED"}',
        },
        {"DeliveryStatus": "PERMANENT_FAILURE", "StatusCode": 400, "StatusMessage": "BadDeviceToken"},
        {"DeliveryStatus": "PERMANENT_FAILURE", "StatusCode": 400, "StatusMessage": "NotRegistered"},
    ],
)
def test_a_person_whose_devices_are_all_dead_cannot_be_reached(gone: dict[str, Any]) -> None:
    outcome = send(Wire("pinpoint", results(token_1=gone, token_2=gone)), a_push(ANDROID, IPHONE))
    assert isinstance(outcome, Failed)
    assert outcome.code is FailureCode.DEAD_TOKEN
    assert outcome.dead_addresses == (ANDROID, IPHONE)


def test_a_message_that_a_platform_refuses_does_not_end_the_device() -> None:
    refused = {"DeliveryStatus": "PERMANENT_FAILURE", "StatusCode": 400, "StatusMessage": "INVALID_ARGUMENT"}
    outcome = send(Wire("pinpoint", results(token_1=refused, token_2=GONE)), a_push(ANDROID, IPHONE))
    assert isinstance(outcome, Failed)
    assert outcome.code is FailureCode.REJECTED
    assert outcome.dead_addresses == (IPHONE,)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("SUCCESSFUL", Accepted),
        ("THROTTLED", NotSent),
        ("TEMPORARY_FAILURE", NotSent),
        ("PERMANENT_FAILURE", Failed),
        ("OPT_OUT", Failed),
        ("UNKNOWN_FAILURE", InDoubt),
        ("DUPLICATE", InDoubt),
    ],
)
def test_every_delivery_status_has_one_meaning(status: str, expected: type[Outcome]) -> None:
    outcome = send(Wire("pinpoint", results(token_1={"DeliveryStatus": status, "StatusCode": 400})), a_push())
    assert isinstance(outcome, expected)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (("THROTTLED", "SUCCESSFUL"), Accepted),
        (("UNKNOWN_FAILURE", "SUCCESSFUL"), Accepted),
        (("THROTTLED", "UNKNOWN_FAILURE"), InDoubt),
        (("PERMANENT_FAILURE", "THROTTLED"), NotSent),
        (("PERMANENT_FAILURE", "PERMANENT_FAILURE"), Failed),
    ],
)
def test_a_push_is_sent_again_only_if_no_device_can_have_it(statuses: tuple[str, str], expected: type[Outcome]) -> None:
    first, second = ({"DeliveryStatus": status, "StatusCode": 400} for status in statuses)
    outcome = send(Wire("pinpoint", results(token_1=first, token_2=second)), a_push(ANDROID, IPHONE))
    assert isinstance(outcome, expected)


def test_a_device_that_pinpoint_says_nothing_about_is_in_doubt() -> None:
    assert isinstance(send(Wire("pinpoint", results()), a_push()), InDoubt)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Refusal("BadRequestException"), Failed),
        (Refusal("PayloadTooLargeException", status=413), Failed),
        (Refusal("TooManyRequestsException", status=429), NotSent),
        (Refusal("NotFoundException", status=404), NotSent),
        (Refusal("ForbiddenException", status=403), NotSent),
        (Refusal("InternalServerErrorException", status=500), InDoubt),
        *((error, NotSent) for error in NEVER_LEFT),
        *((error, InDoubt) for error in MAY_HAVE_ARRIVED),
    ],
)
def test_a_failed_call_is_final_again_or_in_doubt(error: Refusal | Exception, expected: type[Outcome]) -> None:
    assert isinstance(send(Wire("pinpoint", error), a_push()), expected)


# ---- SNS ---------------------------------------------------------------------------------------------------

APPLICATION = "arn:aws:sns:eu-west-1:111122223333:app/GCM/shop"
ENDPOINT = "arn:aws:sns:eu-west-1:111122223333:endpoint/GCM/shop/e-1"
WANTED = {"PlatformApplicationArn": APPLICATION, "Token": "token-1"}
NO_DETAIL: dict[str, Any] = {}


def send_by_sns(stub: Stubber, rendered: Rendered) -> Outcome:
    with stub:
        [[outcome]] = sns_sender(provider_client("sns"), tokens=TOKENS, platform_applications={"gcm": APPLICATION})(
            [rendered]
        )
        stub.assert_no_pending_responses()
    return outcome


@pytest.fixture
def sns() -> Stubber:
    return Stubber(provider_client("sns"))


def test_sns_publishes_to_the_endpoint_of_a_token(sns: Stubber) -> None:
    sns.add_response("create_platform_endpoint", {"EndpointArn": ENDPOINT}, WANTED)
    sns.add_response(
        "publish", {"MessageId": "push-1"}, {"TargetArn": ENDPOINT, "MessageStructure": "json", "Message": ANY}
    )
    assert isinstance(send_by_sns(sns, a_push()), Accepted)


def test_what_sns_publishes_is_json_within_json(sns: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[str] = []
    sns.add_response("create_platform_endpoint", {"EndpointArn": ENDPOINT})
    sns.add_response("publish", {"MessageId": "push-1"})
    keep = lambda params, **_: published.append(params["Message"])  # noqa: E731
    sns.client.meta.events.register("provide-client-params.sns.Publish", keep, unique_id="keep")
    rendered = a_push()
    send_by_sns(sns, rendered)
    sns.client.meta.events.unregister("provide-client-params.sns.Publish", unique_id="keep")
    content = json.loads(published[0])
    assert content["default"] == "Hello there"
    message = json.loads(content["GCM"])["fcmV1Message"]["message"]
    assert message["notification"] == {"title": "Hello", "body": "Hello there"}
    assert message["data"] == data_of(rendered, TOKENS) | {"url": "https://example.com/hello"}


def test_an_endpoint_that_exists_with_other_attributes_is_used(sns: Stubber) -> None:
    text = f"Invalid parameter: Token Reason: Endpoint {ENDPOINT} already exists with the same Token"
    sns.add_client_error("create_platform_endpoint", "InvalidParameter", text)
    sns.add_response(
        "publish", {"MessageId": "push-1"}, {"TargetArn": ENDPOINT, "MessageStructure": "json", "Message": ANY}
    )
    assert isinstance(send_by_sns(sns, a_push()), Accepted)


def test_a_disabled_endpoint_is_a_dead_token_and_is_deleted(sns: Stubber) -> None:
    sns.add_response("create_platform_endpoint", {"EndpointArn": ENDPOINT})
    sns.add_client_error("publish", "EndpointDisabled")
    sns.add_response("delete_endpoint", NO_DETAIL, {"EndpointArn": ENDPOINT})
    outcome = send_by_sns(sns, a_push())
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.dead_addresses) == (FailureCode.DEAD_TOKEN, (ANDROID,))


@pytest.mark.parametrize("status", [400, 500])
def test_an_endpoint_that_cannot_be_made_now_is_tried_again(sns: Stubber, status: int) -> None:
    sns.add_client_error("create_platform_endpoint", "InternalError", http_status_code=status)
    assert isinstance(send_by_sns(sns, a_push()), NotSent)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("InvalidParameter", 400, Failed),
        ("PlatformApplicationDisabled", 400, NotSent),
        ("Throttling", 400, NotSent),
        ("InternalError", 500, InDoubt),
    ],
)
def test_of_sns_only_what_is_about_the_message_is_final(
    sns: Stubber, code: str, status: int, expected: type[Outcome]
) -> None:
    sns.add_response("create_platform_endpoint", {"EndpointArn": ENDPOINT})
    sns.add_client_error("publish", code, http_status_code=status)
    assert isinstance(send_by_sns(sns, a_push()), expected)


def test_a_platform_that_is_not_set_up_yet_is_tried_again(sns: Stubber) -> None:
    assert isinstance(send_by_sns(sns, a_push(IPHONE)), NotSent)


# ---- opens -------------------------------------------------------------------------------------------------

SENT = data_of(a_push(run_id=RUN_ID), TOKENS)
ANOTHER = data_of(a_push(run_id=RUN_ID, slot=7, recipient_id="ben"), TOKENS)


def an_open(**changes: Any) -> dict[str, Any]:
    return {"detail-type": "PushOpened", "source": "app", "time": "2026-11-21T10:05:00Z", "detail": SENT | changes}


def test_an_open_brings_back_our_ids_and_its_own_time() -> None:
    event, rendered = read_push_opened(an_open(device={"os": "android"}), TOKENS), a_push(run_id=RUN_ID)
    assert (event.kind, event.channel) == (EngagementKind.OPENED, PUSH)
    assert (event.dispatch_id, event.outcome_key, event.run_id) == (
        rendered.dispatch.dispatch_id,
        rendered.outcome_key,
        RUN_ID,
    )
    assert event.occurred_at == datetime(2026, 11, 21, 10, 5, tzinfo=UTC)


def test_the_same_open_twice_is_one_event() -> None:
    assert read_push_opened(an_open(), TOKENS) == read_push_opened(an_open() | {"id": "another"}, TOKENS)


def test_a_push_that_belongs_to_no_run_can_be_opened() -> None:
    detail = data_of(a_push(), TOKENS)
    assert read_push_opened(an_open() | {"detail": detail}, TOKENS).run_id == ""


@pytest.mark.parametrize(
    ("event", "position"),
    [
        ({}, "PushOpened"),
        (an_open() | {"time": "yesterday"}, "PushOpened"),
        (an_open() | {"time": "1066-10-14T09:00:00Z"}, "time"),
        (an_open() | {"time": "9999-12-31T23:59:59Z"}, "time"),
        (an_open() | {"detail": {"screen": "home"}}, "token"),
        (an_open(token=7), "token"),
        (an_open(token=""), "token"),
        (an_open(token="\u00e9"), "token"),
        (an_open(token=OpenTokens(["a guess"]).token(SENT)), "token"),
        (an_open(token=ANOTHER["token"]), "token"),
    ],
)
def test_an_open_that_does_not_prove_itself_is_refused_with_its_place(event: dict[str, Any], position: str) -> None:
    with pytest.raises(MalformedError) as refused:
        read_push_opened(event, TOKENS)
    assert refused.value.position == position


@pytest.mark.parametrize("name", ["dispatch_id", "recipient_id", "outcome_key", "message", "run_id"])
@pytest.mark.parametrize("value", ["", None, "runs-5", 7, ANOTHER])
def test_no_id_of_an_open_can_be_exchanged_for_another(name: str, value: Any) -> None:
    forged = ANOTHER[name] if value is ANOTHER else value
    if forged == SENT[name]:
        return
    with pytest.raises(MalformedError):
        read_push_opened(an_open(**{name: forged}), TOKENS)


def test_a_place_in_the_list_of_runs_is_never_written_to_even_with_a_token_of_ours() -> None:
    tags = SENT | {"outcome_key": "runs-5", "run_id": ""}
    with pytest.raises(MalformedError):
        read_push_opened(an_open() | {"detail": tags | {"token": TOKENS.token(tags)}}, TOKENS)
