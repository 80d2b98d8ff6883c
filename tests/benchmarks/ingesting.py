"""Ingesting a segment of a million rows, against reading it with csv.reader; runs in a process of its own.

Memory is the growth of the process (its resident peak, VmHWM) over what it held when its clients were made.
"""

from __future__ import annotations

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import place
from benchmarks.measuring import Figure, cpu_of

KEYS = ("ingest_cpu_vs_csv_reader", "ingest_peak_mb")
ROWS = 1_000_000
UPLOADED = {
    "version": "0",
    "id": "6f1d2c3b-0000-4000-8000-000000000000",
    "detail-type": "Object Created",
    "source": "aws.s3",
    "time": "2026-11-21T10:00:00Z",
    "detail": {"object": {"key": "campaigns/bench/campaign.toml", "version-id": "1", "etag": "0"}},
}


def write_campaign(folder: Path, rows: int) -> Path:
    """A campaign folder with a segment of about 97 bytes a row."""
    campaign = folder / "campaigns/bench"
    campaign.mkdir(parents=True, exist_ok=True)
    (campaign / "campaign.toml").write_text('message = "bench_sale"\n')
    segment = campaign / "segment.csv"
    with segment.open("w") as file:
        file.write("recipient_id,first_name,last_name,city,country,loyalty,last_order,favourite\n")
        for number in range(rows):
            file.write(
                f"customer-{number * 7919 % 10**7:08d},Amara{number % 997},Okafor-Lindqvist,Frankfurt am Main,DE,gold,"
                f"2026-{number % 12 + 1:02d}-14,oiled ash bench\n"
            )
    return segment


def figures(aws: place.Aws, path: Path, *, rounds: int, rows: int = ROWS) -> Iterator[Figure]:
    """CPU and memory of ingesting."""
    segment = write_campaign(aws.objects, rows)
    aws.ask("discard")
    peak = json.loads(_child(path, segment, 0))
    pairs = json.loads(_child(path, segment, rounds))
    ratios = [mine / other for other, mine in pairs["pairs"]]
    ours = statistics.median(mine for _, mine in pairs["pairs"]) / rows
    notes: dict[str, float | int | str] = {"rows": rows, "ours_us_a_row": round(ours * 1e6, 2)}
    yield Figure(KEYS[0], f"{rows:,} rows queued in packs", statistics.median(ratios), ratios, notes)
    yield Figure(
        KEYS[1], "the same: growth of the process, MB", peak["grown"], [peak["grown"]], {"all_mb": peak["all"]}
    )


def _child(path: Path, segment: Path, rounds: int) -> str:
    command = [sys.executable, "-m", "benchmarks.ingesting", str(path), str(segment), str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def _read(segment: Path) -> None:
    with segment.open(newline="") as file:
        for _ in csv.reader(file):
            pass


def _ingest(uploaded: str) -> None:
    place.run("ingest_segment", [uploaded], 1)


def _new_upload(segment: Path) -> str:
    """The event of another campaign with the same people: what was ingested once is not ingested again."""
    folder = Path(tempfile.mkdtemp(prefix="bench", dir=segment.parents[1]))
    for file in ("campaign.toml", "segment.csv"):
        os.link(segment.with_name(file), folder / file)
    key = f"campaigns/{folder.name}/campaign.toml"
    return json.dumps(UPLOADED | {"detail": {"object": {"key": key, "version-id": "1", "etag": "0"}}})


def _peak(segment: Path) -> dict[str, float]:
    from heliograph.runtime import wiring

    place.handler("ingest_segment")
    for made in (wiring.bucket, wiring.runs, wiring.templates):
        made()
    uploaded = _new_upload(segment)
    before = _peak_kb()
    _ingest(uploaded)
    after = _peak_kb()
    return {"grown": (after - before) / 1024, "all": after / 1024}


def _peak_kb() -> int:
    """The most that this process ever held; ru_maxrss would count what its parent had held."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def main() -> None:
    """With rounds: pairs of seconds (csv.reader, ours). Without: peak memory."""
    path, segment, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    sys.path.insert(0, path)
    if not rounds:
        print(json.dumps(_peak(segment)))
        return
    _read(segment)
    uploads = [_new_upload(segment) for _ in range(rounds)]
    pairs = [(cpu_of(lambda: _read(segment), 1), cpu_of(lambda: _ingest(each), 1)) for each in uploads]  # noqa: B023
    print(json.dumps({"pairs": pairs}))


if __name__ == "__main__":
    main()
