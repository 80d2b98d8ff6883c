"""An AWS that answers every call of the send path at once and counts: calls, bytes, DynamoDB's units.

It is a process of its own, so that its work is never counted as the client's: `python -m aws.null FOLDER`
prints its port; FOLDER holds the objects that S3 serves.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import msgspec

from aws.null_dynamodb import ConditionError, NullDynamoDB

MESSAGE_ID = "0100019aa5f3c2d1-{}-000000"
"""An id of SES in us-east-1: an hour or so, a UUID, a number."""
SECRET = {"ARN": "arn", "Name": "secret", "SecretString": "a-secret-of-the-benchmark", "CreatedDate": 1_750_000_000}
RATE = 1_000.0  # mails a second that the account may send, if nobody sets another
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNK = 65_536  # bytes: SQS bills each as a request


class RefusedError(Exception):
    """What a service says no with: a code and a status of HTTP."""

    def __init__(self, code: str, *, status: int) -> None:
        super().__init__(code)
        self.status = status


class NullAws:
    """What was asked, and the fixed valid answers."""

    def __init__(self, objects: Path) -> None:
        self.objects = objects
        self.dynamodb = NullDynamoDB()
        self.sent = 0
        self.rate = RATE
        self.schedules: set[str] = set()
        self.keeps_messages = True
        self.reset()

    def reset(self) -> None:
        """Count from nothing; what DynamoDB holds stays."""
        self.sent_before = self.sent
        self.calls: defaultdict[str, int] = defaultdict(int)
        self.bytes: defaultdict[str, int] = defaultdict(int)
        self.objects_put: dict[str, dict[str, int]] = defaultdict(lambda: {"objects": 0, "bytes": 0})
        """By the first folder of their keys."""
        self.sqs_requests = 0
        self.messages: dict[str, list[str]] = defaultdict(list)
        self.delays: dict[str, list[int]] = defaultdict(list)
        self.dynamodb.reset()

    def counts(self) -> dict[str, Any]:
        """Everything that was counted."""
        return {
            "calls": self.calls,
            "bytes": self.bytes,
            "objects_put": self.objects_put,
            "sqs_requests": self.sqs_requests,
            "write_units": self.dynamodb.write_units,
            "read_units": self.dynamodb.read_units,
            "writes": self.dynamodb.writes,
            "mails": self.sent - self.sent_before,
            "stored": self.dynamodb.stored,
        }

    def answer(self, method: str, path: str, target: str, body: bytes) -> tuple[bytes | Path, str]:
        """The body of an answer, or the file that it is, and further headers; raises ConditionError."""
        if path.startswith("/_null/"):
            return self._control(path), ""
        service, operation = _operation(method, path, target)
        self.calls[f"{service}.{operation}"] += 1
        self.bytes[f"{service}.{operation}"] += len(body)
        if service == "S3":
            return self._s3(operation, path, body)
        if service == "Scheduler":
            return msgspec.json.encode(self._schedule(path.rpartition("/")[2])), ""
        known: dict[str, Callable[[bytes], Any]] = {
            "DynamoDB_20120810": lambda body: self.dynamodb.answer(operation, body),
            "AmazonSQS": self._sqs,
            "SESv2": lambda body: self._quota() if operation == "GetAccount" else self._ses(body),
            "secretsmanager": lambda _: SECRET,
            "AWSEvents": lambda _: {"FailedEntryCount": 0, "Entries": []},
        }
        said = known[service](body)
        return (said if isinstance(said, bytes) else msgspec.json.encode(said)), ""

    def _control(self, path: str) -> bytes:
        match path.removeprefix("/_null/"):
            case "reset":
                self.reset()
            case "discard":
                self.keeps_messages = False
            case "messages":
                messages, self.messages, self.delays = self.messages, defaultdict(list), defaultdict(list)
                return msgspec.json.encode(messages)
            case "delayed":
                pairs = {
                    queue: [*zip(bodies, self.delays[queue], strict=True)] for queue, bodies in self.messages.items()
                }
                self.messages, self.delays = defaultdict(list), defaultdict(list)
                return msgspec.json.encode(pairs)
            case "stream":
                return msgspec.json.encode(self.dynamodb.take_stream())
            case "hottest":
                return msgspec.json.encode(self.dynamodb.hottest())
            case "forget":
                self.dynamodb.forget_people()
            case asked if asked.startswith("copy/"):
                self.dynamodb.copy(*map(unquote, asked.split("/")[1:]))
            case asked if asked.startswith("rate/"):
                self.rate = float(asked.removeprefix("rate/"))
        return msgspec.json.encode(self.counts())

    def _quota(self) -> Any:
        return {"SendQuota": {"Max24HourSend": 1e9, "MaxSendRate": self.rate, "SentLast24Hours": 0.0}}

    def _schedule(self, name: str) -> Any:
        if name in self.schedules:
            raise RefusedError("ConflictException", status=409)
        self.schedules.add(name)
        return {"ScheduleArn": f"arn:aws:scheduler:us-east-1:000000000000:schedule/heliograph/{name}"}

    def _sqs(self, body: bytes) -> Any:
        asked = msgspec.json.decode(body)
        entries = [entry for entry in asked.get("Entries", [asked]) if "MessageBody" in entry]
        bodies = [entry["MessageBody"] for entry in entries]
        self.sqs_requests += max(1, -(-sum(len(text.encode()) for text in bodies) // CHUNK))
        if self.keeps_messages:
            queue = asked["QueueUrl"].rpartition("/")[2]
            self.messages[queue] += bodies
            self.delays[queue] += [entry.get("DelaySeconds", 0) for entry in entries]
        taken = [{"Id": e.get("Id", "0"), "MessageId": "m", "MD5OfMessageBody": ""} for e in entries]
        return {"Successful": taken, "Failed": []} if "Entries" in asked else {"MessageId": "m"}

    def _ses(self, body: bytes) -> Any:
        many = body.count(b'"ReplacementEmailContent"')
        self.sent += max(1, many)
        if not many:
            return {"MessageId": _message_id()}
        ids = (_message_id() for _ in range(many))
        return {"BulkEmailEntryResults": [{"Status": "SUCCESS", "MessageId": each} for each in ids]}

    def _s3(self, operation: str, path: str, body: bytes) -> tuple[bytes | Path, str]:
        if operation not in ("GetObject", "HeadObject"):
            put = self.objects_put[path.split("/", 3)[2]]
            put["objects"] += 1
            put["bytes"] += len(body)
            return b"", 'ETag: "0"\r\n'
        found = self.objects / unquote(path.split("/", 2)[2])
        return found, 'ETag: "0"\r\nx-amz-version-id: 1\r\n'


def _message_id() -> str:
    """Each has a UUID of its own: what repeats would be kept in less space than it takes in AWS."""
    return MESSAGE_ID.format(uuid4())


def _operation(method: str, path: str, target: str) -> tuple[str, str]:
    if target:
        service, _, operation = target.rpartition(".")
        return service.rpartition(".")[2] or service, operation
    if path == "/v2/email/account":
        return "SESv2", "GetAccount"
    if path.startswith("/v2/email/"):
        return "SESv2", "SendBulkEmail" if "bulk" in path else "SendEmail"
    if path.startswith("/schedules/"):
        return "Scheduler", {"POST": "CreateSchedule"}[method]
    return "S3", f"{method.title()}Object"


class Connection(asyncio.Protocol):
    """One connection that is kept alive; asyncio sets TCP_NODELAY."""

    def __init__(self, aws: NullAws) -> None:
        self.aws = aws
        self.buffer = bytearray()
        self.need = 0
        self.sending: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self.buffer += data
        while len(self.buffer) >= self.need and (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.buffer[:end]).decode("latin-1")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n"))}
            self.need = end + 4 + int(headers.get("content-length", 0))
            if len(self.buffer) < self.need:
                if "expect" in headers and len(self.buffer) == end + 4:
                    self.transport.write(CONTINUE)
                return
            body = bytes(self.buffer[end + 4 : self.need])
            del self.buffer[: self.need]
            self.need = 0
            method, url, _ = head.split(" ", 2)
            try:
                said, more = self.aws.answer(method, urlsplit(url).path, headers.get("x-amz-target", ""), body)
            except ConditionError as error:
                refusal = {"__type": f"com.amazonaws.dynamodb#{error}", "message": str(error), "Item": error.item}
                self.reply(method, msgspec.json.encode(refusal), "", status="400 Bad Request")
            except RefusedError as error:
                said = msgspec.json.encode({"Message": str(error)})
                self.reply(method, said, f"x-amzn-ErrorType: {error}\r\n", status=f"{error.status} Refused")
            else:
                self.reply(method, said, more)

    def reply(self, method: str, body: bytes | Path, headers: str, *, status: str = "200 OK") -> None:
        """Write an answer; a file goes out as fast as it is read."""
        length = len(body) if isinstance(body, bytes) else body.stat().st_size
        head = f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n".encode()
        if isinstance(body, bytes):
            self.transport.write(head + body)
            return
        self.transport.write(head)
        if method != "HEAD":
            task = asyncio.get_running_loop().create_task(self.send_file(body))
            self.sending.add(task)
            task.add_done_callback(self.sending.discard)

    async def send_file(self, path: Path) -> None:
        """Send a file."""
        with path.open("rb") as file:
            await asyncio.get_running_loop().sendfile(self.transport, file)


async def serve(objects: Path) -> None:
    """Listen on a free port of this machine, say which, and stay."""
    aws = NullAws(objects)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(aws), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
