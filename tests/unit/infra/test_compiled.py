"""What is shipped is compiled for the Python that runs it, or `make deploy` ends and says what is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PycInvalidationMode, compile

import pytest

from infra import compiled
from wiring import ROOT

SOURCE = "def handler(event, context):\n    return event\n"
LIBRARY = f"core.{sys.implementation.cache_tag}-aarch64-linux-gnu.so"
ANY = "core.abi3.so"


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A layer as it should be, with a library for arm64 and one for any Python."""
    for module in ("heliograph/a.py", "heliograph/deep/b.py"):
        source = tmp_path / module
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(SOURCE)
        compile(str(source), doraise=True, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    for library in (LIBRARY, ANY):
        (tmp_path / library).touch()
    return tmp_path


def compiled_file(layer: Path) -> Path:
    return Path(cache_from_source(str(layer / "heliograph/a.py")))


def as_python_3_9(layer: Path) -> None:
    compiled_file(layer).rename(compiled_file(layer).with_suffix(".cpython-39.pyc"))


def with_times(layer: Path) -> None:
    compile(str(layer / "heliograph/a.py"), doraise=True, invalidation_mode=PycInvalidationMode.TIMESTAMP)


def with_another_magic_number(layer: Path) -> None:
    file = compiled_file(layer)
    file.write_bytes(b"\x00\x00\r\n" + file.read_bytes()[4:])


def with_a_newer_source(layer: Path) -> None:
    (layer / "heliograph/a.py").write_text(SOURCE + "# changed\n")


FAULTS: dict[str, Callable[[Path], object]] = {
    "not compiled for": lambda layer: compiled_file(layer).unlink(),
    "not compiled for Python": as_python_3_9,
    "with the time of their source": with_times,
    "by another Python": with_another_magic_number,
    "not what was compiled": with_a_newer_source,
    "a broken file": lambda layer: compiled_file(layer).write_bytes(b"x"),
    "another Python or processor": lambda layer: (layer / LIBRARY).rename(layer / LIBRARY.replace("aarch64", "x86_64")),
    "Python or processor than": lambda layer: (layer / LIBRARY).rename(layer / "core.cpython-39-aarch64-linux-gnu.so"),
}


def test_a_layer_that_is_compiled_for_its_python_is_shipped(layer: Path) -> None:
    assert list(compiled.problems(layer, "arm64")) == []


@pytest.mark.parametrize("said", FAULTS)
def test_a_layer_that_would_compile_or_fail_at_its_start_is_not_shipped(
    layer: Path, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    FAULTS[said](layer)
    assert compiled.main(["arm64", str(layer)]) == 1
    assert said in capsys.readouterr().err


def test_a_folder_in_which_nothing_was_built_is_not_shipped(tmp_path: Path) -> None:
    assert compiled.main(["arm64", str(tmp_path)]) == 1


def test_deploying_looks_into_every_layer_after_it_built_and_before_it_ships() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    runtime = "python{}.{}".format(*sys.version_info)
    told = subprocess.run(
        ["make", "--dry-run", "deploy", f"runtime={runtime}", "architecture=arm64"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (check,) = re.findall(r"infra/compiled\.py arm64 (.*)", told)
    assert check.split() == [".aws-sam/aws/HeliographLayer", ".aws-sam/aws/FunctionsLayer", "build/templates"]
    assert told.index("sam build") < told.index(check) < told.index("sam deploy")
