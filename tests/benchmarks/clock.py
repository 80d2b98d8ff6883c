"""Time as it would pass in AWS: functions wait for answers, turns and their share of a processor; nobody waits here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from benchmarks import prices
from heliograph.aws.clients import client, provider
from heliograph.runtime import wiring

CALLED = ("dynamodb", "sqs", "s3", "scheduler", "sesv2")


class Call(NamedTuple):
    """A call of SES that was answered."""

    at: datetime
    mails: int


class Clock:
    """The time of the functions, what they waited for, and when SES took their mails."""

    latest = datetime.min.replace(tzinfo=UTC)
    """The latest time of any: where an earlier one left off, the clocks of rate limits in the null AWS have got to."""

    def __init__(self) -> None:
        self.at = max(datetime.now(UTC), Clock.latest)
        self.waited = 0.0
        """Seconds for answers of AWS."""
        self.slept = 0.0
        """Seconds for the rate of a provider."""
        self.sent: list[Call] = []

    def now(self) -> datetime:
        """The time."""
        return self.at

    def set(self, at: float) -> None:
        """Go to a time (epoch seconds)."""
        self._go(datetime.fromtimestamp(at, UTC))

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self._go(self.at + timedelta(seconds=seconds))

    def _go(self, at: datetime) -> None:
        self.at, Clock.latest = at, max(at, Clock.latest)

    def sleep(self, seconds: float) -> None:
        """What a function does until its turn."""
        self.slept += seconds
        self.pass_by(seconds)

    def answered(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        """A call came back: botocore's event `after-call`."""
        mails = len(parsed.get("BulkEmailEntryResults", ())) or int("MessageId" in parsed and model.name == "SendEmail")
        seconds = prices.waiting(model.service_model.service_name, mails)
        self.waited += seconds
        self.pass_by(seconds)
        if mails:
            self.sent.append(Call(self.at, mails))

    @contextmanager
    def runs(self, *, answers_take_time: bool = True) -> Iterator[None]:
        """Inside, the functions live by this clock."""
        real = wiring.now, wiring.sleep
        made = [*map(client, CALLED), provider("sesv2")] if answers_take_time else []
        wiring.now, wiring.sleep = self.now, self.sleep
        for each in made:
            each.meta.events.register("after-call", self.answered, unique_id="clock")
        try:
            yield
        finally:
            wiring.now, wiring.sleep = real
            for each in made:
                each.meta.events.unregister("after-call", self.answered, unique_id="clock")
