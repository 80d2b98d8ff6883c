"""What is said of input that cannot be read: where and what, and nothing that others have written."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from heliograph.text.payloads import unquoted, unquoted_toml


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Wanted(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    message_id: str = ""
    lane: Literal["bulk", "priority"] = "bulk"
    lanes: dict[Literal["bulk"], int] = {}
    inner: Inner | None = None


class Named(Wanted):
    order_id: str


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"lane": "amara"}', "Invalid enum value - at `$.lane`"),
        ('{"lane": "it\'s - at `$.x`"}', "Invalid enum value - at `$.lane`"),
        ('{"lane": "a\\nb"}', "Invalid enum value - at `$.lane`"),
        ('{"messageId": 7}', "Expected `str`, got `int` - at `$.messageId`"),
        ('{"expiresAt": 7}', "Object contains unknown field `expiresAt`"),
        ('{"amara@example.com": 7}', "Object contains unknown field"),
        ('{"+4915123": 7}', "Object contains unknown field"),
        ('{"inner": {"amara ` - at `$.x": 7}}', "Object contains unknown field - at `$.inner`"),
        ('{"inner": {"expires": 7}}', "Object contains unknown field `expires` - at `$.inner`"),
        ('{"lanes": {"amara": 7}}', "Invalid enum value - at `key` in `$.lanes`"),
        ("{amara", "JSON is malformed: object keys must be strings (byte 1)"),
    ],
)
def test_no_value_is_quoted(body: str, said: str) -> None:
    with pytest.raises(msgspec.DecodeError) as error:
        msgspec.json.decode(body, type=Wanted)
    assert unquoted(error.value) == said


def test_what_is_missing_is_named() -> None:
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.json.decode("{}", type=Named)
    assert unquoted(error.value) == "Object missing required field `orderId`"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[amara-7]\n[amara-7]", "Cannot declare … twice (at line 2, column 9)"),
        ("a = {'amara@x' = 1, 'amara@x' = 2}", "Duplicate inline table key … (at line 1, column 34)"),
        ("lane = 'amara'", "Invalid enum value - at `$.lane`"),
        ("messageId = amara", "Invalid value (at line 1, column 13)"),
        ("lane = " + "9" * 5_000, "Exceeds the limit (4300 digits) for integer string conversion"),
    ],
)
def test_a_file_names_the_line_and_no_value(text: str, said: str) -> None:
    with pytest.raises((msgspec.DecodeError, ValueError)) as error:
        msgspec.toml.decode(text, type=Wanted)
    assert unquoted_toml(error.value) == said
