"""What is left of botocore in the layer."""

from __future__ import annotations

import re

import pytest
from botocore import xform_name

from trim_botocore import OPERATIONS
from wiring import ROOT

SOURCES = [*(ROOT / "layers/heliograph/heliograph").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
CALLS = re.compile(
    r"""client(?:\("[a-z0-9-]+"\))?\.(?!exceptions|get_paginator)([a-z_]+)\(|get_paginator\("([a-z_]+)"\)"""
)
LEFT = {xform_name(operation) for operations in OPERATIONS.values() for operation in operations}


@pytest.mark.parametrize(
    "call", sorted({first or second for path in SOURCES for first, second in CALLS.findall(path.read_text())})
)
def test_every_call_of_the_functions_is_left_in_the_layer(call: str) -> None:
    assert call in LEFT, "add the operation to layers/heliograph/trim_botocore.py"
