"""Rules about the filters of triggers: what EventBridge takes, what it refuses and why."""

import math
from pathlib import Path
from typing import Any

import pytest

from desk_builders import MESSAGE, TRIGGER, findings
from heliograph_cli.authoring import pattern


def on(*values: Any) -> dict[str, Any]:
    """A filter on one field."""
    return {"detail": {"a": list(values)}}


def either(*alternatives: dict[str, Any]) -> dict[str, Any]:
    return {"detail": {"$or": list(alternatives)}}


TAKEN = [
    on("shipped", "", 1, 1.5, -7, 12345678901234567890, True, False, None),
    {"account": ["123456789012"], "resources": [{"prefix": "arn:"}]},
    {"detail": {"a": {"b": {"c": [{"exists": False}]}}}},
    on({"exists": True}, "or this"),
    on({"prefix": "x"}),
    on({"prefix": ""}),
    on({"prefix": {"equals-ignore-case": "x"}}),
    on({"suffix": ".png"}),
    on({"suffix": ""}),
    on({"suffix": {"equals-ignore-case": ".png"}}),
    on({"equals-ignore-case": "x"}),
    on({"equals-ignore-case": ""}),
    on({"wildcard": "a*b*c"}),
    on({"wildcard": "*"}),
    on({"wildcard": r"a\*b"}),
    on({"wildcard": r"a\**"}),
    on({"wildcard": r"a\\*"}),
    on({"anything-but": "x"}),
    on({"anything-but": ""}),
    on({"anything-but": 1}),
    on({"anything-but": ["x", "y"]}),
    on({"anything-but": [1, 2.5]}),
    on({"anything-but": {"prefix": "x"}}),
    on({"anything-but": {"prefix": ["x", "y"]}}),
    on({"anything-but": {"suffix": ".png"}}),
    on({"anything-but": {"equals-ignore-case": ["x", "y"]}}),
    on({"anything-but": {"wildcard": "*/lib/*"}}),
    on({"anything-but": {"wildcard": [r"\*", "a*"]}}),
    *(on({"numeric": [sign, 100]}) for sign in ("=", "<", "<=", ">", ">=")),
    on({"numeric": [">", 0, "<=", 5]}),
    on({"numeric": [">=", -5e9, "<", 5e9]}),
    on({"cidr": "10.0.0.0/24"}),
    on({"cidr": "10.0.0.7/0"}),
    on({"cidr": "10.0.0.7/31"}),
    on({"cidr": "2001:db8::/127"}),
    either({"b": [1]}, {"c": [{"prefix": "x"}]}),
    either({"b": [1]}, {"c": {"d": [1]}}, {"$or": [{"e": [1]}, {"f": [1]}]}),
    either({"source": ["x"]}, {"detail-type": ["x"]}),
    {"$or": [{"account": ["1"]}, {"region": ["eu-west-1"]}]},
    {"detail": {"prefix": ["a field of that name"], "source": ["x"]}},
]


@pytest.mark.parametrize("fields", TAKEN)
def test_what_eventbridge_understands_is_a_filter(fields: dict[str, Any]) -> None:
    assert pattern.checked(fields) == fields


REFUSED = [
    ({"source": ["x"]}, "filter.source", "said in [trigger]"),
    ({"detail-type": ["x"]}, "filter.detail-type", "said in [trigger]"),
    ({"$or": [{"source": ["x"]}, {"account": ["1"]}]}, "filter.$or.source", "said in [trigger]"),
    ({"$or": [{"account": ["1"]}, {"detail-type": ["x"]}]}, "filter.$or.detail-type", "said in [trigger]"),
    (
        {"$or": [{"account": ["1"]}, {"$or": [{"source": [{"prefix": ""}]}, {"id": ["1"]}]}]},
        "filter.$or.$or.source",
        "said in [trigger]",
    ),
    ({"detail": {}}, "filter.detail", "is empty"),
    ({"detail": "x"}, "filter.detail", "list of allowed values"),
    ({"detail": {"a": []}}, "filter.detail.a", "list of allowed values"),
    ({"detail": {"a": "shipped"}}, "filter.detail.a", "list of allowed values"),
    ({"detail": {"a": True}}, "filter.detail.a", "list of allowed values"),
    (on(["x"]), "filter.detail.a", "may hold text"),
    (on(object()), "filter.detail.a", "may hold text"),
    (on({}), "filter.detail.a", "one matcher"),
    (on(math.inf), "filter.detail.a", "JSON cannot hold"),
    (on(math.nan), "filter.detail.a", "JSON cannot hold"),
    (on(10**5000), "filter.detail.a", "JSON cannot hold"),
    (on({"prefix": "x", "suffix": "y"}), "filter.detail.a", "one matcher"),
    (on({"contains": "x"}), "filter.detail.a", "not a matcher"),
    (on({"prefix": 1}), "filter.detail.a", "takes one text"),
    (on({"prefix": ["x"]}), "filter.detail.a", "takes one text"),
    (on({"prefix": {"equals-ignore-case": ["x"]}}), "filter.detail.a", "takes one text"),
    (on({"prefix": {"suffix": "x"}}), "filter.detail.a", "equals-ignore-case"),
    (on({"suffix": None}), "filter.detail.a", "takes one text"),
    (on({"equals-ignore-case": ["x"]}), "filter.detail.a", "takes one text"),
    (on({"wildcard": "a**"}), "filter.detail.a", "two stars"),
    (on({"wildcard": r"a\***"}), "filter.detail.a", "two stars"),
    (on({"wildcard": r"a\b"}), "filter.detail.a", "backslash"),
    (on({"wildcard": "a\\"}), "filter.detail.a", "backslash"),
    (on({"wildcard": ["a*"]}), "filter.detail.a", "takes one text"),
    (on({"exists": "yes"}), "filter.detail.a", "true or false"),
    (on({"exists": 1}), "filter.detail.a", "true or false"),
    (on({"anything-but": []}), "filter.detail.a", "texts or numbers"),
    (on({"anything-but": None}), "filter.detail.a", "texts or numbers"),
    (on({"anything-but": True}), "filter.detail.a", "texts or numbers"),
    (on({"anything-but": [["x"]]}), "filter.detail.a", "texts or numbers"),
    (on({"anything-but": [math.nan]}), "filter.detail.a", "texts or numbers"),
    (on({"anything-but": ["x", 1]}), "filter.detail.a", "never both"),
    (on({"anything-but": 6e9}), "filter.detail.a", "5000000000"),
    (on({"anything-but": {"prefix": ""}}), "filter.detail.a", "cannot be empty"),
    (on({"anything-but": {"prefix": {"equals-ignore-case": "x"}}}), "filter.detail.a", "a list of texts"),
    (on({"anything-but": {"suffix": [".png", 1]}}), "filter.detail.a", "a list of texts"),
    (on({"anything-but": {"wildcard": "a**"}}), "filter.detail.a", "two stars"),
    (on({"anything-but": {"numeric": [">", 1]}}), "filter.detail.a", "one of prefix"),
    (on({"anything-but": {"prefix": "x", "suffix": "y"}}), "filter.detail.a", "one of prefix"),
    (on({"anything-but": {}}), "filter.detail.a", "one of prefix"),
    (on({"numeric": 5}), "filter.detail.a", "a comparison and a number"),
    (on({"numeric": [">"]}), "filter.detail.a", "a comparison and a number"),
    (on({"numeric": [">", 0, "<"]}), "filter.detail.a", "a comparison and a number"),
    (on({"numeric": ["!=", 1]}), "filter.detail.a", "compares with"),
    (on({"numeric": [["="], 1]}), "filter.detail.a", "compares with"),
    (on({"numeric": [">", "1"]}), "filter.detail.a", "without quotes"),
    (on({"numeric": [">", True]}), "filter.detail.a", "without quotes"),
    (on({"numeric": ["<", math.inf]}), "filter.detail.a", "without quotes"),
    (on({"numeric": ["<", 5e9 + 1]}), "filter.detail.a", "5000000000"),
    (on({"numeric": ["<", 0, ">", 5]}), "filter.detail.a", "begins with >"),
    (on({"numeric": ["=", 0, "<", 5]}), "filter.detail.a", "begins with >"),
    (on({"numeric": [">", 0, "=", 5]}), "filter.detail.a", "begins with >"),
    (on({"numeric": [">", 5, "<", 5]}), "filter.detail.a", "is empty"),
    (on({"numeric": [">", 6, "<", 5]}), "filter.detail.a", "is empty"),
    (on({"cidr": "10.0.0"}), "filter.detail.a", "a slash"),
    (on({"cidr": "10.0.0.1"}), "filter.detail.a", "a slash"),
    (on({"cidr": 10}), "filter.detail.a", "a slash"),
    (on({"cidr": "10.0.0.0/255.0.0.0"}), "filter.detail.a", "a slash"),
    (on({"cidr": "10.0.0.0/-1"}), "filter.detail.a", "a slash"),
    (on({"cidr": "::ffff:1.2.3.4/96"}), "filter.detail.a", "a slash"),
    (on({"cidr": "10.0.0.300/8"}), "filter.detail.a", "does not exist"),
    (on({"cidr": "10.0.0.1/32"}), "filter.detail.a", "0 to 31 bits"),
    (on({"cidr": "::1/128"}), "filter.detail.a", "0 to 127 bits"),
    (either({"b": [1]}), "filter.detail.$or", "two or more"),
    (either(), "filter.detail.$or", "two or more"),
    ({"detail": {"$or": {"b": [1], "c": [1]}}}, "filter.detail.$or", "two or more"),
    ({"detail": {"$or": [{"b": [1]}, "x"]}}, "filter.detail.$or", "two or more"),
    (either({"b": [1]}, {}), "filter.detail.$or", "is empty"),
    (either({"b": [1]}, {"prefix": ["x"]}), "filter.detail.$or.prefix", "reserves the name"),
    (either({"b": [1]}, {"c": {"date-after": [1]}}), "filter.detail.$or.c.date-after", "reserves the name"),
    (either({"b": [1]}, {"=": [1]}), "filter.detail.$or.=", "reserves the name"),
    (
        {f"f{number}": {"$or": [{"b": [1]}, {"c": [1]}]} for number in range(10)},
        "filter",
        "more than 1000 combinations",
    ),
]


@pytest.mark.parametrize(("fields", "place", "reason"), REFUSED)
def test_what_eventbridge_would_refuse_is_refused_with_its_place_and_reason(
    fields: dict[str, Any], place: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        pattern.checked(fields)
    said = str(refused.value)
    assert said.startswith((f"{place} ", f"{place}: "))
    assert reason in said


def test_a_filter_nested_for_ever_is_refused() -> None:
    fields: dict[str, Any] = {"a": [1]}
    for _ in range(5000):
        fields = {"a": fields}
    with pytest.raises(ValueError, match="deeper than 100 tables"):
        pattern.checked(fields)


@pytest.mark.parametrize(("letter", "size"), [("a", 1), ("ü", 2), ("😀", 4), ('\\"', 2)])
def test_a_pattern_may_be_2048_bytes_long_in_utf_8(tmp_path: Path, letter: str, size: int) -> None:
    room = 2048 - len('{"source":["shop"],"detail-type":["Said"],"detail":{"a":[""]}}')

    def errors(count: int) -> list[str]:
        files: dict[str, str | None] = {MESSAGE: f'{TRIGGER}[trigger.filter.detail]\na = ["{letter * count}"]\n'}
        return [finding.problem for finding in findings(tmp_path, files) if not finding.warning]

    assert errors(room // size) == []
    assert errors(room // size + 1) == ["The trigger's pattern is longer than 2048 bytes."]


def test_or_never_lets_other_events_in(tmp_path: Path) -> None:
    trigger = TRIGGER + '[[trigger.filter."$or"]]\nsource = [{ prefix = "" }]\n[[trigger.filter."$or"]]\nid = ["x"]\n'
    [error] = [finding for finding in findings(tmp_path, {MESSAGE: trigger}) if not finding.warning]
    assert (error.file, error.line) == (MESSAGE, 8)
    assert "filter.$or.source: source is said in [trigger] itself" in error.problem
