"""What `heliograph send` refuses before it answers "Requested"."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from aws.fake import FakeAws
from heliograph_cli.commands.send import EVENT_BYTES
from heliograph_cli.main import cli


def send(*words: str) -> Result:
    where = ("--to", "anna-1", "--endpoint-url", "http://127.0.0.1:4999")
    return CliRunner().invoke(cli, ["send", "order_shipped", *words, *where], catch_exceptions=False)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        "{'a': 1}",
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": "\\ud800"}',
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
    ids=range(10),
)
def test_data_that_is_no_json_object_is_wrong_usage_and_asks_nothing(fake_aws: FakeAws, data: str) -> None:
    result = send("--data", data)
    assert result.exit_code == 2
    assert "--data" in result.stderr
    assert not fake_aws.calls


def test_data_whose_quotes_the_shell_took_is_told_how_to_quote(fake_aws: FakeAws) -> None:
    assert "single quotes" in send("--data", "{order_id: A-1001}").stderr


def test_data_larger_than_an_event_is_refused_and_nothing_is_put_on_the_bus(fake_aws: FakeAws) -> None:
    result = send("--data", '{"a": "%s"}' % ("x" * EVENT_BYTES))
    assert result.exit_code == 2
    assert "larger than" in result.stderr
    assert not fake_aws.events


def test_a_key_that_cannot_be_kept_is_wrong_usage(fake_aws: FakeAws) -> None:
    assert send("--idempotency-key", "k" * 1_001).exit_code == 2
    assert not fake_aws.calls
