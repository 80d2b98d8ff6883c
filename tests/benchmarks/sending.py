"""The send path: a campaign in packs, the bulk call alone, single transactional events; CPU, calls and write units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks import place, work
from benchmarks.clock import Clock
from benchmarks.measuring import Figure, Notes, Work, cpu_of, ratio
from benchmarks.recording import RATE
from builders import EMAIL
from heliograph.model.dispatches import Rendered
from heliograph.runtime import wiring
from wiring import mappings

CAMPAIGN = {"pipeline_cpu_vs_bare_send", "aws_calls_per_email", "write_units_per_email"}
CAPPED = {"capped_write_units_per_email", "capped_calls_per_email"}
KEYS = (
    *CAMPAIGN,
    *CAPPED,
    "skipped_write_units_per_person",
    "send_step_cpu_vs_bare_send",
    "transactional_cpu_vs_bare_send",
)
PACKS = 10
SMALLER = (25, 10, 4, 1)
"""People in packs that are not full: small segments, parts of a pack, single requests."""
SINGLES = 20
BARE = 60


class BareSend:
    """The yardstick: boto3's `send_email` in a loop, one client for all, the mail rendered before."""

    def __init__(self, batch: list[Rendered]) -> None:
        self._client = place.stock_client("sesv2")
        self._batch = batch

    def __call__(self) -> float:
        return cpu_of(lambda: [self._send(rendered) for rendered in self._batch], len(self._batch))

    def _send(self, rendered: Rendered) -> Any:
        content = rendered.content
        body = {"Html": {"Data": content["html"]}, "Text": {"Data": content["text"]}}
        headers = [{"Name": "List-Unsubscribe", "Value": f"<{rendered.unsubscribe_url}>"}]
        return self._client.send_email(
            FromEmailAddress="Alder Lane <hello@alderlane.example.com>",
            ConfigurationSetName="heliograph",
            Destination={"ToAddresses": list(rendered.dispatch.addresses)},
            Content={"Simple": {"Subject": {"Data": content["subject"]}, "Body": body, "Headers": headers}},
            EmailTags=[{"Name": name, "Value": value} for name, value in rendered.tags().items()],
        )


class Pipeline:
    """A campaign from request packs to kept receipts, through the handlers, in the batches of the template."""

    def __init__(
        self,
        aws: place.Aws,
        logs: place.Logs,
        *,
        message: str = "bench_sale",
        people: str = work.CUSTOMERS,
        size: int = 100,
    ) -> None:
        self.aws, self.logs, self.clock = aws, logs, Clock()
        self.message, self.people, self.size = message, people, size
        self.plan_batch = mappings("Plan")["Bulk"]["BatchSize"]
        self.deliver_batch = mappings("Deliveremail")["Bulk"]["BatchSize"]
        self.counts: dict[str, Any] = {}
        self.mails = PACKS * size

    def __call__(self) -> float:
        with self.logs.kept(), self.clock.runs(answers_take_time=False):
            bodies = work.packs(PACKS, self.message, self.people, size=self.size)
            self.aws.ask("messages")
            self.aws.ask("reset")
            planned = cpu_of(lambda: place.run("plan", bodies, self.plan_batch), self.mails)
            queued = self.aws.ask("messages").get("outbox-email-bulk", [])
            delivered = cpu_of(lambda: self._deliver(queued), self.mails)
        self.counts = self.aws.ask("counts")
        return planned + delivered

    def _deliver(self, bodies: list[str]) -> None:
        """At RATE, which is less than the account may send, so that the clock of its rate limit lags."""
        for start in range(0, len(bodies), self.deliver_batch):
            some = bodies[start : start + self.deliver_batch]
            place.run_batches("deliver", [some])
            self.clock.pass_by(self.size * len(some) / RATE)


class Singles:
    """Single transactional events, from the event to the kept receipt, each alone as when there is nothing else."""

    def __init__(self, aws: place.Aws, logs: place.Logs) -> None:
        self.aws, self.logs = aws, logs
        self.counts: dict[str, Any] = {}

    def __call__(self) -> float:
        events = [work.order_event() for _ in range(SINGLES)]
        self.aws.ask("messages")
        self.aws.ask("reset")
        with self.logs.kept():
            seconds = cpu_of(lambda: place.run("ingest_event", events, 1), SINGLES)
            requests = self.aws.ask("messages")["requests-priority"]
            seconds += cpu_of(lambda: place.run("plan", requests, 1), SINGLES)
            dispatches = self.aws.ask("messages")["outbox-email-priority"]
            seconds += cpu_of(lambda: place.run("deliver", dispatches, 1), SINGLES)
        self.counts = self.aws.ask("counts")
        return seconds


def figures(aws: place.Aws, logs: place.Logs, wanted: set[str], *, rounds: int) -> Iterator[Figure]:
    """The figures of the send path that are wanted."""
    bare, pipeline = BareSend(work.batch(BARE)), Pipeline(aws, logs)
    if wanted & CAMPAIGN:
        yield ratio("pipeline_cpu_vs_bare_send", "campaign, CPU of a mail", bare, pipeline, rounds=rounds)
        smaller = {size: counted(aws, logs, size=size) for size in SMALLER}
        yield _calls(
            "aws_calls_per_email", "campaign, calls of plan and deliver", pipeline, _by_size(smaller, _calls_each)
        )
        yield _write_units(
            "write_units_per_email",
            "campaign, write units of plan and deliver",
            pipeline,
            _by_size(smaller, _units_each),
        )
    if wanted & CAPPED:
        capped = counted(aws, logs, message="bench_capped")
        yield _write_units("capped_write_units_per_email", "the same under a cap, write units", capped)
        yield _calls("capped_calls_per_email", "the same under a cap, calls", capped)
    if "skipped_write_units_per_person" in wanted:
        strangers = counted(aws, logs, people=work.STRANGERS)
        assert "SESv2.SendBulkEmail" not in strangers.counts["calls"]
        yield _write_units("skipped_write_units_per_person", "a campaign to people who all refuse", strangers)
    if "send_step_cpu_vs_bare_send" in wanted:
        yield ratio("send_step_cpu_vs_bare_send", "the bulk call alone", bare, bulk_call(), rounds=rounds)
    if "transactional_cpu_vs_bare_send" in wanted:
        singles = Singles(aws, logs)
        single = ratio("transactional_cpu_vs_bare_send", "one event, CPU to its receipt", bare, singles, rounds=rounds)
        yield single._replace(notes=single.notes | {"calls": sum(singles.counts["calls"].values()) / SINGLES})


def counted(
    aws: place.Aws, logs: place.Logs, *, message: str = "bench_sale", people: str = work.CUSTOMERS, size: int = 100
) -> Pipeline:
    """A campaign that is only counted; the first one keeps the versions of the message and the policy."""
    pipeline = Pipeline(aws, logs, message=message, people=people, size=size)
    pipeline(), pipeline()
    return pipeline


def bulk_call() -> Work:
    """The bulk call alone."""
    batch, send = work.batch(100), wiring.sender(EMAIL)
    return lambda: cpu_of(lambda: [list(send(batch)) for _ in range(5)], 5 * len(batch))


def _by_size(smaller: Mapping[int, Pipeline], each: Callable[[Pipeline], float]) -> Notes:
    return {f"packs of {size}": each(pipeline) for size, pipeline in smaller.items()}


def _calls_each(pipeline: Pipeline) -> float:
    calls: dict[str, int] = pipeline.counts["calls"]
    return sum(calls.values()) / pipeline.mails


def _units_each(pipeline: Pipeline) -> float:
    return float(pipeline.counts["write_units"]) / pipeline.mails


def _calls(key: str, what: str, pipeline: Pipeline, notes: Notes | None = None) -> Figure:
    each = _calls_each(pipeline)
    return Figure(key, what, each, [each], {**pipeline.counts["calls"], **(notes or {})})


def _write_units(key: str, what: str, pipeline: Pipeline, notes: Notes | None = None) -> Figure:
    each, tables = _units_each(pipeline), pipeline.counts["writes"]
    return Figure(key, what, each, [each], {**{name: str(table) for name, table in tables.items()}, **(notes or {})})
