"""The send path: a campaign in packs, the bulk call alone, single transactional events; CPU, calls and write units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks import place, work
from benchmarks.measuring import Figure, cpu_of, ratio
from builders import EMAIL
from heliograph.model.dispatches import Rendered
from heliograph.runtime import wiring
from wiring import mappings

KEYS = (
    "pipeline_cpu_vs_bare_send",
    "aws_calls_per_email",
    "write_units_per_email",
    "capped_write_units_per_email",
    "capped_calls_per_email",
    "skipped_write_units_per_person",
    "send_step_cpu_vs_bare_send",
    "transactional_cpu_vs_bare_send",
)
PACKS = 10
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
        self, aws: place.Aws, logs: place.Logs, *, message: str = "bench_sale", people: str = work.CUSTOMERS
    ) -> None:
        self.aws, self.logs = aws, logs
        self.message, self.people = message, people
        self.plan_batch = mappings("Plan")["Bulk"]["BatchSize"]
        self.deliver_batch = mappings("Deliveremail")["Bulk"]["BatchSize"]
        self.seconds = {"plan": 0.0, "deliver": 0.0}
        self.counts: dict[str, Any] = {}
        self.log_bytes = 0
        self.mails = PACKS * 100

    def __call__(self) -> float:
        bodies = work.packs(PACKS, self.message, self.people)
        self.aws.ask("messages")
        self.aws.ask("reset")
        logged = self.logs.size()
        with self.logs.kept():
            planned = cpu_of(lambda: place.run("plan", bodies, self.plan_batch), self.mails)
            queued = self.aws.ask("messages").get("outbox-email-bulk", [])
            delivered = cpu_of(lambda: place.run("deliver", queued, self.deliver_batch), self.mails)
        self.counts = self.aws.ask("counts")
        self.counts["bodies"] = {"requests": bodies, "outbox": queued}
        self.log_bytes = self.logs.size() - logged
        self.seconds = {"plan": planned, "deliver": delivered}
        return planned + delivered


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


def figures(aws: place.Aws, logs: place.Logs, *, rounds: int) -> Iterator[Figure]:
    """Every figure of the send path."""
    bare, pipeline, singles = BareSend(work.batch(BARE)), Pipeline(aws, logs), Singles(aws, logs)
    yield ratio("pipeline_cpu_vs_bare_send", "campaign, CPU of a mail", bare, pipeline, rounds=rounds)
    yield _calls("aws_calls_per_email", "campaign, calls of plan and deliver", pipeline)
    yield _write_units("write_units_per_email", "campaign, write units of plan and deliver", pipeline)
    capped = Pipeline(aws, logs, message="bench_capped")
    capped(), capped()  # the first keeps the versions of the message and the policy
    above = (capped.counts["write_units"] - pipeline.counts["write_units"]) / capped.mails
    assert above <= 1, "a reservation costs more than one write unit"
    units = _write_units("capped_write_units_per_email", "the same under a cap, write units", capped)
    yield units._replace(notes=units.notes | {"above_uncapped": above})
    yield _calls("capped_calls_per_email", "the same under a cap, calls", capped)
    strangers = Pipeline(aws, logs, people=work.STRANGERS)
    strangers()
    assert "SESv2.SendBulkEmail" not in strangers.counts["calls"]
    yield _write_units("skipped_write_units_per_person", "a campaign to people who all refuse", strangers)
    batch = work.batch(100)
    send = wiring.sender(EMAIL)

    def bulk() -> float:
        return cpu_of(lambda: [list(send(batch)) for _ in range(5)], 5 * len(batch))

    yield ratio("send_step_cpu_vs_bare_send", "the bulk call alone", bare, bulk, rounds=rounds)
    single = ratio("transactional_cpu_vs_bare_send", "one event, CPU to its receipt", bare, singles, rounds=rounds)
    yield single._replace(notes=single.notes | {"calls": sum(singles.counts["calls"].values()) / SINGLES})


def _calls(key: str, what: str, pipeline: Pipeline) -> Figure:
    calls: dict[str, int] = pipeline.counts["calls"]
    each = sum(calls.values()) / pipeline.mails
    return Figure(key, what, each, [each], dict(calls))


def _write_units(key: str, what: str, pipeline: Pipeline) -> Figure:
    each = pipeline.counts["write_units"] / pipeline.mails
    return Figure(key, what, each, [each], {name: str(table) for name, table in pipeline.counts["writes"].items()})
