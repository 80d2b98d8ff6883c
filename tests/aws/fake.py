"""An AWS of a few lines at the edge of botocore: what the command line asks, and answers to give."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from aws.http import answered

OUTPUTS = {
    "BusName": "heliograph-bus",
    "BucketName": "heliograph-bucket",
    "RecipientsTable": "heliograph-recipients",
    "LedgerTable": "heliograph-ledger",
    "RunsTable": "heliograph-runs",
    "ReportFunction": "heliograph-report",
    "AlarmTopic": "heliograph-alarms",
}
STACK = """<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>heliograph</StackName>
<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{outputs}</Outputs><Parameters>{parameters}</Parameters>
</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"""
APPROVAL_KEY = "approvals/order_shipped/01KAJ8ZQG0PACK00000000000P.json"
LISTED = (
    "<ListBucketResult><IsTruncated>false</IsTruncated>"
    f"<Contents><Key>{APPROVAL_KEY}</Key></Contents></ListBucketResult>"
)
PARAMETER = "<member><ParameterKey>{}</ParameterKey><ParameterValue>{}</ParameterValue></member>"
OUTPUT = "<member><OutputKey>{}</OutputKey><OutputValue>{}</OutputValue></member>"
ERROR = "<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"

Report = Callable[[dict[str, Any]], Any]


class FakeAws:
    """Takes every request that botocore sends; keeps events and uploads, lets a function play `report`."""

    def __init__(self, report: Report, outputs: Mapping[str, str] = OUTPUTS) -> None:
        self.report = report
        self.outputs = outputs
        self.parameters = {"Channels": "email,sms,push"}
        self.calls: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.uploads: list[str] = []
        self.stacks = {"heliograph"}
        self.failing: dict[str, tuple[int, str, str]] = {}

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Answer one HTTP request."""
        service = service_of(request)
        self.calls.append(service)
        if service in self.failing:
            status, code, said = self.failing[service]
            return answered(request.url, ERROR.format(code, said), status=status)
        response: AWSResponse = getattr(self, f"_{service}")(request)
        return response

    def _cloudformation(self, request: AWSPreparedRequest) -> AWSResponse:
        name = parse_qs(_text(request))["StackName"][0]
        if name not in self.stacks:
            return answered(request.url, ERROR.format("ValidationError", f"Stack {name} does not exist"), status=400)
        outputs = "".join(OUTPUT.format(*each) for each in self.outputs.items())
        parameters = "".join(PARAMETER.format(*each) for each in self.parameters.items())
        return answered(request.url, STACK.format(outputs=outputs, parameters=parameters))

    def _lambda(self, request: AWSPreparedRequest) -> AWSResponse:
        question = json.loads(_text(request))
        try:
            return answered(request.url, json.dumps(self.report(question)))
        except RuntimeError as error:
            failure = json.dumps({"errorMessage": str(error.args[0]), "errorType": "Runtime.HandlerError"})
            return answered(request.url, failure, headers={"X-Amz-Function-Error": "Unhandled"})

    def _events(self, request: AWSPreparedRequest) -> AWSResponse:
        entries = json.loads(_text(request))["Entries"]
        self.events += [{**entry, "Detail": json.loads(entry["Detail"])} for entry in entries]
        ids = [{"EventId": f"event-{number}"} for number, _ in enumerate(entries, start=1)]
        return answered(request.url, json.dumps({"FailedEntryCount": 0, "Entries": ids}))

    def _sqs(self, request: AWSPreparedRequest) -> AWSResponse:
        """One queue and its dead letters, with a little in each."""
        if "ListQueues" in str(request.headers["X-Amz-Target"]):
            urls = [f"http://127.0.0.1/0/heliograph-events{end}" for end in ("", "-dead-letters")]
            return answered(request.url, json.dumps({"QueueUrls": urls}))
        number = "ApproximateNumberOfMessages"
        return answered(
            request.url, json.dumps({"Attributes": {number: "3", f"{number}NotVisible": "1", f"{number}Delayed": "0"}})
        )

    def _s3(self, request: AWSPreparedRequest) -> AWSResponse:
        if request.method == "GET":
            return answered(request.url, LISTED)
        self.uploads.append(urlsplit(request.url).path)
        return answered(request.url, "", headers={"ETag": '"0"'})


def service_of(request: AWSPreparedRequest) -> str:
    authorization = request.headers["Authorization"]
    signed = authorization.decode() if isinstance(authorization, bytes) else authorization
    return signed.split("Credential=")[1].split("/")[3]


def _text(request: AWSPreparedRequest) -> str:
    body = request.body
    return body.decode() if isinstance(body, bytes | bytearray) else str(body)
