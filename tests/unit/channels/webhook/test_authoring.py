"""Rules of webhook.json: whatever the data holds, it stays a value of the field that the template names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from heliograph.channels.webhook.authoring import unsafe_values
from heliograph.channels.webhook.payload import is_json


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('{"a": {{ data.a | tojson }}}', []),
        ('{"a": {{ (data.a | upper) | tojson(indent=2) }}}', []),
        ('{"say \\"a\\"": {{ data.a | tojson }}, "b\\\\": {{ data.b | tojson }}}', []),
        ('{\n"a": {{ data.a }}}', [2]),
        ('{"a": "{{ data.a }}"}', [1]),
        ('{"a": "{{ data.a | tojson }}"}', [1]),
        ('{"a": "Hi {{ data.a | tojson }}"}', [1]),
        ('{"a": {{ data.a | tojson | safe }}}', [1]),
        ('{"a": {{ data.a if data.a else data.b | tojson }}}', [1]),
        ('{"a":\n{% for one in data.all %}\n{{ one }}\n{% endfor %}}', [3]),
    ],
)
def test_a_value_is_written_by_tojson_and_outside_of_texts(source: str, lines: list[int]) -> None:
    assert list(unsafe_values(source)) == lines


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
TEMPLATE = """{
  "order": {{ data.order | tojson }}, "lines": [{{ data.line | tojson }}, 1], "x": {{ ("Hi " ~ data.name) | tojson }}
}"""


@settings(deadline=None)
@given(order=VALUES, line=VALUES, name=st.text())
def test_no_data_ends_a_text_or_begins_a_field(order: Any, line: Any, name: str) -> None:
    assert not list(unsafe_values(TEMPLATE))
    written = (
        Environment(autoescape=False).from_string(TEMPLATE).render(data={"order": order, "line": line, "name": name})
    )
    assert json.loads(written) == {"order": order, "lines": [line, 1], "x": f"Hi {name}"}
    assert is_json(written)


@pytest.mark.parametrize(
    ("text", "expected"), [("{}", True), ('"Hi"', True), ("", False), ("{'a': 1}", False), ("NaN", False)]
)
def test_json_is_what_the_standard_says(text: str, expected: bool) -> None:
    assert is_json(text) is expected
