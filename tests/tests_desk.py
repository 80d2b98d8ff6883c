"""The templates of the tests: a desk of their own, so that a marketer's edit of `templates/` breaks no test."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from heliograph_cli.authoring.build import build

ROOT = Path(__file__).parents[1]
DESK = ROOT / "tests/desk"
COMPILED = ROOT / "build/tests/templates"
STACK = ROOT / ".aws-sam/build/template.yaml"
SHIPPED = {
    "ContentUri: ../../build/templates\n": "ContentUri: ../../build/tests/templates\n",
    "TemplateURL: Triggers/template.yaml\n": "TemplateURL: ../../build/tests/triggers.yaml\n",
}
"""Where the built stack takes the messages from, and where for the tests."""


@cache
def compiled() -> Path:
    """Compile the desk of the tests; the folder to import it from. Tests that run side by side may all do so."""
    build(DESK, COMPILED)
    return COMPILED / "python"


def built_stack() -> Path:
    """The stack that `make build` built, with the messages of the tests."""
    compiled()
    template = STACK.read_text(encoding="utf-8")
    for shipped, ours in SHIPPED.items():
        assert template.count(shipped) == 1, (
            f"{shipped.strip()} is not in {STACK}: the tests would send what is shipped"
        )
        template = template.replace(shipped, ours)
    with_ours, whole = (
        STACK.with_name("template-of-tests.yaml"),
        STACK.with_name(f"template-of-tests-{os.getpid()}.yaml"),
    )
    whole.write_text(template, encoding="utf-8")
    return whole.replace(with_ours)
