"""Rules of the function: it is told what Pinpoint told a custom channel, and its silence is never taken for a yes."""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from aws.wire import MAY_HAVE_ARRIVED, NEVER_LEFT, provider_client
from builders import RUN_ID, a_rendered
from heliograph.aws.clients import SEND
from heliograph.channels.rate import passes_by_itself
from heliograph.channels.webhook.function import CALL_LIMIT, NEVER_RAN, function_sender, payload
from heliograph.channels.webhook.spec import CODES
from heliograph.channels.webhook.spec import NAME as WEBHOOK
from heliograph.model.dispatches import Rendered
from heliograph.model.outcomes import Accepted, Failed, FailureCode, InDoubt, NotSent, Outcome
from heliograph.model.people import Zone

ASKED = datetime(2020, 4, 8, 19, 0, 16, 843_000, tzinfo=UTC)


class Function:
    """Answers calls in order: a status with headers, or an exception; without any, that all is well."""

    def __init__(self, *answers: tuple[int, dict[str, str]] | Exception) -> None:
        self.client = provider_client("lambda")
        self.called: list[tuple[str, Any]] = []
        self.body = b"{}"
        self.warned: list[tuple[str, str]] = []
        self._answers = deque(answers)
        self.client.meta.events.unregister("before-send", unique_id="function")
        self.client.meta.events.register("before-send", self._answer, unique_id="function")

    def send(self, *batch: Rendered) -> list[Outcome]:
        sender = function_sender(self.client, stack="prod", warn=lambda *said: self.warned.append(said))
        return [outcome for outcomes in sender(batch) for outcome in outcomes]

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        assert isinstance(request.body, bytes)
        self.called.append((request.url, json.loads(request.body)))
        answer = self._answers.popleft() if self._answers else (200, {})
        if isinstance(answer, Exception):
            raise answer
        headers = HTTPHeaders()
        for name, value in {"x-amzn-RequestId": f"request-{len(self.called)}", **answer[1]}.items():
            headers[name] = value
        return AWSResponse(request.url, answer[0], headers, HTTPResponse(BytesIO(self.body), preload_content=False))


def a_call(slot: int = 0, data: str = '{"offer":"A"}', **dispatch: Any) -> Rendered:
    ordinary: dict[str, Any] = {
        "recipient_id": f"person-{slot}",
        "addresses": (f"chatbot:chat-{slot}",),
        "requested_at": ASKED,
        "run_id": RUN_ID,
    }
    return a_rendered(WEBHOOK, slot=slot, content={"data": data}, **(ordinary | dispatch))


def ids(batch: list[Rendered]) -> list[str]:
    return [rendered.dispatch.dispatch_id for rendered in batch]


# ---- what it is told ---------------------------------------------------------------------------------------


def test_a_function_gets_what_pinpoint_gave_it() -> None:
    known = {"first_name": "Ann", "teams": ["red", "blue"], "points": 7, "vip": True}
    rendered = a_call(attributes={"CohortId": 42}, zone=Zone("Europe/Berlin", "profile"), locale="de", recipient=known)
    assert payload([rendered], application="prod") == {
        "Message": {},
        "Data": '{"offer":"A"}',
        "ApplicationId": "prod",
        "CampaignId": RUN_ID,
        "TreatmentId": "0",
        "ActivityId": "order-shipped",
        "ScheduledTime": "2020-04-08T19:00:16.843Z",
        "Endpoints": {
            "person-0": {
                "ChannelType": "CUSTOM",
                "Address": "chat-0",
                "EndpointStatus": "ACTIVE",
                "OptOut": "NONE",
                "Demographic": {"Locale": "de", "Timezone": "Europe/Berlin"},
                "EffectiveDate": "2020-04-08T19:00:16.843Z",
                "CreationDate": "2020-04-08T19:00:16.843Z",
                "Attributes": {"CohortId": ["42"], "dispatch_id": [rendered.dispatch.dispatch_id]},
                "User": {
                    "UserId": "person-0",
                    "UserAttributes": {
                        "first_name": ["Ann"],
                        "teams": ["red", "blue"],
                        "points": ["7"],
                        "vip": ["true"],
                    },
                },
            }
        },
    }


def test_a_message_that_is_a_text_is_given_as_that_text() -> None:
    assert payload([a_call(data='"Hi \\"Ann\\""')], application="prod")["Data"] == 'Hi "Ann"'


def test_a_message_that_no_campaign_sends_has_its_own_name_for_one() -> None:
    assert payload([a_call(run_id="")], application="prod")["CampaignId"] == "order-shipped"


def test_a_function_is_called_for_fifty_people_at_once() -> None:
    function, batch = Function(), [a_call(slot) for slot in range(CALL_LIMIT + 1)]
    assert ids(batch) == [outcome.dispatch_id for outcome in function.send(*batch)]
    assert [len(event["Endpoints"]) for _, event in function.called] == [50, 1]
    assert "/functions/prod_webhook_chatbot/invocations" in function.called[0][0]


def test_people_to_whom_different_things_are_said_are_told_of_one_by_one() -> None:
    function = Function()
    function.send(a_call(0, '{"code":"1"}'), a_call(1, '{"code":"2"}'), a_call(2, '{"code":"1"}'))
    assert [(event["Data"], [*event["Endpoints"]]) for _, event in function.called] == [
        ('{"code":"1"}', ["person-0", "person-2"]),
        ('{"code":"2"}', ["person-1"]),
    ]


def test_an_address_says_which_function_is_called() -> None:
    function = Function()
    function.send(a_call(0, addresses=("chatbot:a",)), a_call(1, addresses=("pager:b:c",)))
    told = {
        url.split("/")[-2]: [one["Address"] for one in event["Endpoints"].values()] for url, event in function.called
    }
    assert told == {"prod_webhook_chatbot": ["a"], "prod_webhook_pager": ["b:c"]}


def test_a_person_with_two_messages_is_told_of_twice() -> None:
    function, batch = Function(), [a_call(0, recipient_id="ann"), a_call(1, recipient_id="ann")]
    assert ids(batch) == [outcome.dispatch_id for outcome in function.send(*batch)]
    told = [event["Endpoints"]["ann"]["Attributes"]["dispatch_id"] for _, event in function.called]
    assert told == [[each] for each in ids(batch)]


# ---- what its answer means ---------------------------------------------------------------------------------


def test_a_call_that_came_back_has_been_taken_for_all_of_it() -> None:
    batch = [a_call(0), a_call(1)]
    assert Function().send(*batch) == [
        Accepted(dispatch_id=each, provider_message_id="request-1") for each in ids(batch)
    ]


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"x-amz-function-error": "Unhandled"}),
        (500, {"x-amzn-ErrorType": "ServiceException"}),
        (502, {}),
        (503, {}),
        *MAY_HAVE_ARRIVED,
    ],
    ids=str,
)
def test_a_function_that_failed_or_did_not_answer_may_have_sent_some_of_it(answer: Any) -> None:
    batch = [a_call(0), a_call(1)]
    outcomes = Function(answer).send(*batch)
    assert [type(outcome) for outcome in outcomes] == [InDoubt, InDoubt]
    assert [outcome.dispatch_id for outcome in outcomes] == ids(batch)


@pytest.mark.parametrize(
    "answer",
    [
        (429, {"x-amzn-ErrorType": "TooManyRequestsException"}),
        (404, {"x-amzn-ErrorType": "ResourceNotFoundException"}),
        (403, {"x-amzn-ErrorType": "AccessDeniedException"}),
        *((502, {"x-amzn-ErrorType": code}) for code in sorted(NEVER_RAN)),
        *NEVER_LEFT,
    ],
    ids=str,
)
def test_a_function_that_was_not_called_is_called_again(answer: Any) -> None:
    (outcome,) = Function(answer).send(a_call())
    assert isinstance(outcome, NotSent)


def test_the_codes_of_functions_are_those_of_the_sdk() -> None:
    model = Function().client.meta.service_model
    errors = {each.name: each for each in model.operation_model("Invoke").error_shapes}
    assert {name for name, each in errors.items() if each.metadata["error"]["httpStatusCode"] == 502} == NEVER_RAN
    assert set(errors["TooManyRequestsException"].members["Reason"].enum) == CODES.busy


def test_a_function_without_room_is_no_fault_of_the_messages_that_wait_for_it() -> None:
    function = Function((429, {"x-amzn-ErrorType": "TooManyRequestsException"}))
    function.body = b'{"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "message": "Rate Exceeded."}'
    (outcome,) = function.send(a_call())
    assert isinstance(outcome, NotSent)
    assert passes_by_itself(outcome.cause, CODES)


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "ResourceNotFoundException"), (403, "AccessDeniedException"), (400, "ValidationException")],
)
def test_the_log_says_how_a_function_must_be_named_that_could_not_be_called(status: int, code: str) -> None:
    function = Function((status, {"x-amzn-ErrorType": code}), (429, {"x-amzn-ErrorType": "TooManyRequestsException"}))
    function.send(a_call(0), a_call(1, '"b"'))
    ((sentence, said),) = function.warned
    assert ("<stack>_webhook_" in sentence, said) == (True, code)


def test_the_log_says_that_a_function_could_not_be_started() -> None:
    function = Function((502, {"x-amzn-ErrorType": "KMSAccessDeniedException"}))
    function.send(a_call())
    ((sentence, said),) = function.warned
    assert ("could not be started" in sentence, said) == (True, "KMSAccessDeniedException")


def test_the_page_says_for_how_long_a_function_may_run() -> None:
    page = (Path(__file__).parents[4] / "docs/webhooks.md").read_text()
    assert f"It has {SEND.read_timeout} seconds. If it returns" in page  # type: ignore[attr-defined]  # set by options


TOO_LARGE = pytest.mark.parametrize("code", ["RequestEntityTooLargeException", "RequestTooLargeException"])
"""As Lambda says it, and as its model says that it does."""


@TOO_LARGE
def test_who_has_too_much_said_of_them_for_a_call_costs_nobody_else(code: str) -> None:
    """All three are too much, then the first alone is not, then the other two are, then one of these is."""
    large: tuple[int, dict[str, str]] = (413, {"x-amzn-ErrorType": code})
    fine: tuple[int, dict[str, str]] = (200, {})
    function, batch = Function(large, fine, large, large, fine), [a_call(slot) for slot in range(3)]
    assert [type(outcome) for outcome in function.send(*batch)] == [Accepted, Failed, Accepted]
    assert [len(event["Endpoints"]) for _, event in function.called] == [3, 1, 2, 1, 1]


@TOO_LARGE
def test_what_is_too_large_for_a_call_is_refused_for_good(code: str) -> None:
    (outcome,) = Function((413, {"x-amzn-ErrorType": code})).send(a_call())
    assert isinstance(outcome, Failed)
    assert outcome.code is FailureCode.CONTENT_TOO_LARGE


def test_what_failed_for_some_does_not_keep_the_others_from_being_told() -> None:
    function = Function((200, {"x-amz-function-error": "Unhandled"}))
    first, second = function.send(a_call(0, '"a"'), a_call(1, '"b"'))
    assert (type(first), type(second)) == (InDoubt, Accepted)
