"""The functions as they were built: each starts with nothing but its own code, the layers and what Lambda brings."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pytest

from wiring import FUNCTIONS, ROOT

BUILT = ROOT / ".aws-sam/build"
PYTHON = ROOT / ".local/cloud/bin/python"  # the Python that the layer was built for
LAYERS = [BUILT / "HeliographLayer/python", ROOT / "build/templates/python"]
OF_LAMBDA = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")

START = "import sys; sys.path[:0] = sys.argv[2:]; "
IMPORT_HANDLER = START + "import app; assert callable(app.handler)"
IMPORT_EVERYTHING = START + (
    "import heliograph, importlib, pkgutil\n"
    "for module in pkgutil.walk_packages(heliograph.__path__, 'heliograph.'): importlib.import_module(module.name)"
)


@pytest.fixture(scope="module")
def of_lambda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The AWS SDK, which the Lambda runtime brings, and nothing else of this environment."""
    place = tmp_path_factory.mktemp("runtime")
    for name in OF_LAMBDA:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (place / source.name).symlink_to(source)
    return place


def run_alone(code: str, *path: Path) -> None:
    """Run code without site-packages and without an environment."""
    command = [str(PYTHON), "-I", "-S", "-B", "-c", code, "-", *map(str, path)]
    done = subprocess.run(command, capture_output=True, text=True, env={}, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_built_function_has_all_that_it_imports(function: str, of_lambda: Path) -> None:
    assert (BUILT / function).is_dir(), "run `make build` first"
    run_alone(IMPORT_HANDLER, BUILT / function, *LAYERS, of_lambda)


def test_the_built_layer_has_all_that_it_may_ever_import(of_lambda: Path) -> None:
    """Much is imported only when it is needed; it must be there then."""
    run_alone(IMPORT_EVERYTHING, *LAYERS, of_lambda)


def test_the_layer_does_not_bring_what_lambda_brings() -> None:
    assert not [name for name in ("boto3", "botocore", "s3transfer", "urllib3") if (LAYERS[0] / name).exists()]
