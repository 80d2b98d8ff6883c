"""Cold starts: a fresh process with a built handler and its clients, against boto3 with one client."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import place
from benchmarks.measuring import Figure
from tests_desk import compiled

KEYS = ("cold_start_vs_boto3_client",)
BUILT = place.ROOT / ".aws-sam/build"
PYTHON = place.ROOT / ".local/cloud/bin/python"  # the Python that the layer was built for
OF_LAMBDA = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
YARDSTICK = "import boto3; boto3.client('dynamodb')"

TABLES = "wiring.templates(); wiring.recipients(); wiring.ledger(); wiring.records(); "
SENDS = TABLES + "wiring.sender('{}')"
WIRED = {
    "ingest_event": TABLES + "wiring.requests('priority')",
    "ingest_segment": "wiring.templates(); wiring.bucket(); wiring.runs(); wiring.requests('bulk')",
    "plan": TABLES + "wiring.outbox('email', 'bulk')",
    "deliver email": SENDS.format("email"),
    "deliver sms": SENDS.format("sms"),
    "deliver push": SENDS.format("push"),
    "record": "wiring.records(); wiring.recipients(); wiring.bucket()",
    "settle": TABLES + "wiring.outbox('email', 'bulk')",
    "report": TABLES + "wiring.runs(); wiring.bucket()",
}
"""Verb, and channel, of a function -> what it makes before its first piece of work is done."""


def runtime(folder: Path) -> Path:
    """The AWS SDK, which the Lambda runtime brings, and nothing else of this environment."""
    folder.mkdir()
    for name in OF_LAMBDA:
        source = Path(sysconfig.get_path("purelib"), name)
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(f"{source}.py", folder)
    subprocess.run([PYTHON, "-m", "compileall", "-q", folder], check=True)  # as Lambda's own are
    return folder


def started(code: str, *path: Path) -> float:
    """Seconds of CPU, user and system, of a fresh process."""
    start = f"import sys; sys.path[:0] = {[str(each) for each in path]!r}; {code}"
    process = subprocess.Popen([str(PYTHON), "-I", "-S", "-B", "-c", start], env=dict(os.environ))
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, code
    return used.ru_utime + used.ru_stime


def figures(*, rounds: int) -> Iterator[Figure]:
    """The figure of the function that starts slowest."""
    with tempfile.TemporaryDirectory() as folder:
        yield measured(runtime(Path(folder) / "runtime"), rounds)


def measured(lambdas: Path, rounds: int) -> Figure:
    """The starts of all functions, in turns with the yardstick's."""
    messages = compiled()
    by_hash = ["--invalidation-mode", "checked-hash"]
    subprocess.run([PYTHON, "-m", "compileall", "-q", *by_hash, messages], check=True)  # as `make deploy` does
    layers = [BUILT / "HeliographLayer/python", BUILT / "FunctionsLayer/python", messages]
    rounds_of: dict[str, list[float]] = {function: [] for function in WIRED}
    for number in range(rounds + 1):
        yardstick = started(YARDSTICK, lambdas)
        for function, made in WIRED.items():
            code = f"import functions.{function.split()[0]}.app; from heliograph.runtime import wiring; {made}"
            ratio = started(code, *layers, lambdas) / yardstick
            if number:
                rounds_of[function].append(ratio)
    medians = {function: round(statistics.median(ratios), 3) for function, ratios in rounds_of.items()}
    worst = max(medians, key=lambda function: medians[function])
    return Figure(KEYS[0], f"the slowest, {worst}", statistics.median(rounds_of[worst]), rounds_of[worst], {**medians})
