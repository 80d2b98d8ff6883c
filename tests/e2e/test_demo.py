"""The demo, as a newcomer runs it: it checks its own sums against the outbox."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heliograph_cli.local.cloud import ROOT

HELIOGRAPH = ROOT / ".venv/bin/heliograph"
SHOP = (ROOT / "examples/shop/README.md").read_text(encoding="utf-8")
CUSTOMERS = re.findall(r"^\| `(\w+)` \| .+ \| `(\w+)`(.*) \|$", SHOP, re.MULTILINE)


def heliograph(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HELIOGRAPH_LOCAL": str(home)}
    return subprocess.run([HELIOGRAPH, *words], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A local cloud beside whatever else runs on this machine; the demo starts it."""
    folder = tmp_path_factory.mktemp("demo")
    yield folder
    heliograph(folder, "down")


@pytest.fixture(scope="module")
def demo(home: Path) -> dict[str, Any]:
    """What the demo answered."""
    done = heliograph(home, "demo", "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_everybody_in_the_segment_is_accounted_for(demo: dict[str, Any], home: Path) -> None:
    (run, *_) = json.loads(heliograph(home, "campaign", "list", "--json").stdout)
    figures = json.loads(heliograph(home, "campaign", "status", run["run_id"], "--json").stdout)
    assert figures["state"] == "complete"
    assert figures["audience"] == sum(figures["counts"].values()) == 1000
    assert set(figures["by_channel"]) == {"email", "sms"}
    assert {"delivered", "bounced", "complained", "opened", "clicked"} <= set(figures["engagement"])


def test_texts_and_pushes_leave_arrive_and_are_opened(demo: dict[str, Any]) -> None:
    assert demo["by_phone"]["sms"] == {"delivered": 30}
    assert demo["by_phone"]["push"] == {"opened": 25, "accepted": 15}


@pytest.mark.parametrize(("person", "word", "waits"), CUSTOMERS, ids=lambda each: each)
def test_the_page_of_the_shop_says_what_its_customers_get(
    demo: dict[str, Any], home: Path, person: str, word: str, waits: str
) -> None:
    answer = json.loads(heliograph(home, "why", person, "--message", "spring_sale", "--json").stdout)
    assert word in (answer["channel"], answer["reason"]) or (waits and answer["reason"] == "quiet_hours")


def test_a_second_demo_on_the_running_cloud_is_a_run_of_its_own(demo: dict[str, Any], home: Path) -> None:
    done = heliograph(home, "demo", "--json")
    assert done.returncode == 0, done.stderr
    runs = json.loads(heliograph(home, "campaign", "list", "--json").stdout)
    assert [run["state"] for run in runs] == ["complete", "complete"]


def test_nothing_runs_and_nothing_is_left_when_it_is_taken_down(demo: dict[str, Any], home: Path) -> None:
    assert heliograph(home, "down").returncode == 0
    assert json.loads(heliograph(home, "status", "--json").stdout)["state"] == "stopped"
    assert list(home.iterdir()) == []
