"""What those who write a `webhook.json` are told, and shown.

Its values are written by `tojson`, so that no data can end a text or begin a field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from jinja2 import Environment, nodes

from heliograph.channels.spec import Content, Remark, Written
from heliograph.channels.webhook.payload import is_json

QUOTE: Final = re.compile(r'\\.|"', re.DOTALL)
"""A quote, or what is escaped and therefore none."""


def lint(written: Written) -> Iterator[Remark]:
    """What is wrong with the data."""
    for line in unsafe_values(written.source("data")):
        problem = f"In line {line} a value could end the text that it stands in, or begin a field."
        yield Remark("data", problem, "Write {{ … | tojson }}, without quotes around it.")
    if not is_json(written.content["data"]):
        yield Remark("data", "What it makes of the sample is no JSON.", "Look for a comma or a bracket.")


def pane(content: Content) -> Mapping[str, object]:
    """The data as people like to read it."""
    return {"data": msgspec.json.format(content["data"], indent=2) if is_json(content["data"]) else content["data"]}


def unsafe_values(source: str) -> Iterator[int]:
    """The lines of a template where a value is written without `tojson`, or into the middle of a text."""
    is_within_text = False
    for output in Environment(autoescape=False).parse(source).find_all(nodes.Output):  # noqa: S701 - it is only read
        for node in output.nodes:
            if isinstance(node, nodes.TemplateData):
                is_within_text ^= QUOTE.findall(node.data).count('"') % 2 == 1
            elif is_within_text or not (isinstance(node, nodes.Filter) and node.name == "tojson"):
                yield node.lineno
