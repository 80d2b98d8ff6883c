"""Whom a sample can be sent to: addresses of every kind; and what is said of those that lead to nobody."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from heliograph_cli.commands.sample import kind_of
from heliograph_cli.failures import Trouble
from heliograph_cli.main import cli


@pytest.mark.parametrize(
    ("to", "kind"),
    [
        ("me@example.com", "email"),
        ("+4915123456789", "phone"),
        ("gcm:token", "device"),
        ("gcm:p-03628a7aeac8", "device"),
        ("https://hooks.example.com/a", "endpoint"),
        ("chatbot:42", "endpoint"),
    ],
)
def test_an_address_is_of_the_kind_that_can_read_it(to: str, kind: str) -> None:
    assert kind_of(to, "DE").name == kind


def test_an_address_of_no_kind_is_told_why() -> None:
    with pytest.raises(Trouble, match="does not begin with https://"):
        kind_of("http://hooks.example.com/a", "DE")


@pytest.mark.parametrize("to", ["https://hooks.example.com/a", "gcm:token"])
def test_who_sends_to_an_endpoint_or_a_device_is_told_to_name_a_person_who_has_it(to: str) -> None:
    refused = CliRunner().invoke(cli, ["send", "order_told", "--to", to])
    assert refused.exit_code == 2
    assert "import a person who has this one" in " ".join(refused.output.split())
