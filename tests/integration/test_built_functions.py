"""The functions as they were built: each starts with nothing but its own code and the layers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import trim_botocore
from tests_desk import compiled
from wiring import FUNCTIONS, ROOT

BUILT = ROOT / ".aws-sam/build"
PYTHON = ROOT / ".local/cloud/bin/python"  # the Python that the layer was built for
LAYERS = [BUILT / "HeliographLayer/python", BUILT / "FunctionsLayer/python", compiled()]
START = "import sys; sys.path[:0] = sys.argv[2:]; "
IMPORT_EVERYTHING = START + (
    "import heliograph, importlib, pkgutil\n"
    "for module in pkgutil.walk_packages(heliograph.__path__, 'heliograph.'): importlib.import_module(module.name)"
)

MAKE_CALLS = (
    START
    + """
import botocore, botocore.session
from botocore.config import Config
class Signed(Exception):
    pass
def stop(**_):
    raise Signed
session = botocore.session.Session()
session.set_credentials("key", "secret")
client = session.create_client({service!r}, region_name="eu-central-1", config=Config(parameter_validation=False))
client.meta.events.register("before-send", stop)
for name in {operations!r}:
    members = client.meta.service_model.operation_model(name).input_shape.members
    needed = {{each: "x" for each, shape in members.items() if shape.serialization.get("location") == "uri"}}
    needed |= {{"RequestItems": {{}}}} if "RequestItems" in members else {{}}
    try:
        getattr(client, botocore.xform_name(name))(**needed)
    except Signed:
        continue
    raise AssertionError(name)
"""
)


def run_alone(code: str, *path: Path) -> None:
    """Run code without site-packages and without an environment."""
    command = [str(PYTHON), "-I", "-S", "-B", "-c", code, "-", *map(str, path)]
    done = subprocess.run(command, capture_output=True, text=True, env={}, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_built_function_has_all_that_it_imports(function: str) -> None:
    assert LAYERS[0].is_dir(), "run `make build` first"
    run_alone(f"{START}{FUNCTIONS[function]['InlineCode']}; assert callable(handler)", *LAYERS)


def test_the_built_layer_has_all_that_it_may_ever_import() -> None:
    """Much is imported only when it is needed; it must be there then."""
    run_alone(IMPORT_EVERYTHING, *LAYERS)


def test_the_layer_brings_the_botocore_that_is_pinned_and_of_it_only_what_is_called() -> None:
    (pinned,) = re.findall(r"^botocore==(\S+)", (ROOT / "layers/heliograph/requirements.txt").read_text(), re.MULTILINE)
    run_alone(
        f"import sys; sys.path[:0] = sys.argv[2:]; import botocore; assert botocore.__version__ == {pinned!r}", *LAYERS
    )
    assert not (LAYERS[0] / "boto3").exists()
    assert not (LAYERS[0] / "botocore/data/ec2").exists()


@pytest.mark.parametrize("service", sorted(trim_botocore.OPERATIONS))
def test_the_trimmed_botocore_can_address_and_sign_every_call_that_is_left(service: str) -> None:
    run_alone(MAKE_CALLS.format(service=service, operations=trim_botocore.OPERATIONS[service]), *LAYERS)


def test_compiled_code_is_in_the_layer() -> None:
    """Lambda cannot keep what it compiles: without this every cold start would compile everything again."""
    assert list(LAYERS[0].glob("botocore/__pycache__/client.*.pyc"))
