"""Rules of the fail-over of SMS: what is handed on, what never is, and when the first provider is asked again."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import Stubber

from aws.wire import MAY_HAVE_ARRIVED, NEVER_LEFT, Refusal, Wire, provider_client
from builders import NOW, SMS, a_rendered
from heliograph.channels.failover import failing_over
from heliograph.channels.sms.texts import end_user_messaging_sender, sender_id_of, sns_sender
from heliograph.model.dispatches import Rendered
from heliograph.model.outcomes import Accepted, Failed, FailureCode, Happened, InDoubt, NotSent, Outcome
from heliograph.recording.facts import is_by_another_provider

SERVICE = "pinpoint-sms-voice-v2"
Answer = dict[str, Any] | Refusal | Exception
TAKEN = {"MessageId": "sms-1"}
OUT = Refusal("ServiceUnavailableException", status=503)


class Both:
    """End User Messaging with answers of the test's choice, and an SNS that takes everything it gets."""

    def __init__(self, *answers: Answer, handed_over: int = 0) -> None:
        self.wire = Wire(SERVICE, *answers)
        self.outages: list[tuple[str, int]] = []
        sns = provider_client("sns")
        self._stub = Stubber(sns)
        for number in range(handed_over):
            self._stub.add_response("publish", {"MessageId": f"s-{number}"})
        self._send = failing_over(
            end_user_messaging_sender(self.wire.client, origination_identity="", configuration_set="prod"),
            sns_sender(sns, sender_id=""),
            secondary_name="sns",
            noticed=lambda cause, batch: self.outages.append((cause, batch)),
        )

    def send(self, *batch: Rendered) -> list[Outcome]:
        """Send, in the end with all that SNS was to get."""
        with self._stub:
            outcomes = [outcome for outcomes in self._send(batch) for outcome in outcomes]
            self._stub.assert_no_pending_responses()
        return outcomes


def texts(number: int) -> list[Rendered]:
    return [a_rendered(SMS, content={"text": "Hello"}, slot=slot) for slot in range(number)]


def accepted(rendered: Rendered, message_id: str, provider: str = "") -> Accepted:
    return Accepted(dispatch_id=rendered.dispatch.dispatch_id, provider_message_id=message_id, provider=provider)


@pytest.mark.parametrize("cause", NEVER_LEFT)
def test_what_never_left_because_nobody_could_be_reached_goes_by_the_other(cause: Exception) -> None:
    both, (rendered,) = Both(cause, handed_over=1), texts(1)
    assert both.send(rendered) == [accepted(rendered, "s-0", provider="sns")]
    assert both.outages == [(type(cause).__name__, 1)]


def test_after_an_outage_the_rest_of_the_pack_goes_straight_to_the_other() -> None:
    both, batch = Both(TAKEN, NEVER_LEFT[0], handed_over=2), texts(3)
    assert both.send(*batch) == [
        accepted(batch[0], "sms-1"),
        accepted(batch[1], "s-0", provider="sns"),
        accepted(batch[2], "s-1", provider="sns"),
    ]
    assert len(both.wire.sent) == 2
    assert both.outages == [("EndpointConnectionError", 2)]


def test_the_next_pack_is_the_first_providers_again() -> None:
    both, (first, second) = Both(NEVER_LEFT[0], TAKEN, handed_over=1), texts(2)
    assert both.send(first) == [accepted(first, "s-0", provider="sns")]
    assert both.send(second) == [accepted(second, "sms-1")]


@pytest.mark.parametrize(
    "doubt",
    [*MAY_HAVE_ARRIVED, Refusal("InternalServerException", status=500), Refusal("504", status=504)],
    ids=repr,
)
def test_what_may_have_been_taken_is_never_handed_over_and_no_outage(doubt: Answer) -> None:
    both, batch = Both(doubt, TAKEN), texts(2)
    outcomes = both.send(*batch)
    assert isinstance(outcomes[0], InDoubt)
    assert outcomes[1] == accepted(batch[1], "sms-1")
    assert both.outages == []


def test_who_hears_that_the_service_is_unavailable_stays_in_doubt_and_the_others_are_handed_over() -> None:
    both, batch = Both(OUT, handed_over=1), texts(2)
    outcomes = both.send(*batch)
    assert isinstance(outcomes[0], InDoubt)
    assert outcomes[1] == accepted(batch[1], "s-0", provider="sns")
    assert both.outages == [("ServiceUnavailableException", 1)]


def test_the_last_of_a_pack_in_doubt_leaves_nothing_to_hand_over() -> None:
    both = Both(OUT)
    assert isinstance(both.send(*texts(1))[0], InDoubt)
    assert both.outages == []


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal("ThrottlingException"),
        Refusal("ServiceQuotaExceededException", Reason="MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
        Refusal("AccessDeniedException", Reason="ACCOUNT_DISABLED"),
        Refusal("ResourceNotFoundException"),
    ],
    ids=repr,
)
def test_throttling_a_used_up_budget_and_a_wrong_set_up_are_no_outage(refusal: Refusal) -> None:
    both = Both(refusal, TAKEN)
    outcomes = both.send(*texts(2))
    assert [type(outcome) for outcome in outcomes] == [NotSent, Accepted]
    assert both.outages == []


def test_a_final_refusal_is_not_handed_over() -> None:
    both = Both(Refusal("ConflictException", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT"))
    (outcome,) = both.send(*texts(1))
    assert isinstance(outcome, Failed)
    assert outcome.code is FailureCode.OPTED_OUT


def test_what_the_other_took_says_so() -> None:
    assert is_by_another_provider({"accepted": Happened(NOW, "s-0", "sns")})
    assert not is_by_another_provider({"accepted": Happened(NOW, "sms-1")})
    assert not is_by_another_provider({"sent": Happened(NOW)})


@pytest.mark.parametrize(
    ("identity", "sender"),
    [
        ("", ""),
        ("Helio", "Helio"),
        ("+12065550100", "+12065550100"),
        ("12345", ""),
        ("pool-0123456789abcdef", ""),
        ("arn:aws:sms-voice:eu-west-1:111122223333:sender-id/Helio/DE", ""),
        ("NameTooLongForSms", ""),
    ],
)
def test_sns_names_as_the_sender_what_it_can_name(identity: str, sender: str) -> None:
    assert sender_id_of(identity) == sender


def test_sns_sends_from_a_phone_number_as_from_a_number() -> None:
    client = provider_client("sns")
    kinds = {"AWS.SNS.SMS.SMSType": "Transactional", "AWS.MM.SMS.OriginationNumber": "+12065550199"}
    request = {
        "PhoneNumber": "+12065550100",
        "Message": "Hello",
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in kinds.items()},
    }
    with Stubber(client) as stub:
        stub.add_response("publish", TAKEN, request)
        [[outcome]] = sns_sender(client, sender_id="+12065550199")(texts(1))
    assert isinstance(outcome, Accepted)
