"""The outbox of the local cloud, on the command line."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner

from heliograph_cli.commands.outbox import call
from heliograph_cli.failures import Trouble
from heliograph_cli.main import cli
from heliograph_cli.target import Target

MESSAGE = {
    "id": "m-1",
    "channel": "sms",
    "to": "+12025550123",
    "subject": "",
    "text": "Your order [A-1] is on its way",
    "html": "",
    "headers": {},
    "tags": {"recipient_id": "anna-1"},
    "provider_message_id": "m-1",
    "sent_at": "2026-11-21T19:45:27.145Z",
}


class LocalCloud(BaseHTTPRequestHandler):
    asked: str = ""

    def do_GET(self) -> None:
        type(self).asked = self.path
        self._answer(200, [MESSAGE] if "channel=push" not in self.path else [])

    def do_POST(self) -> None:
        self._answer(404, {"message": "no such message"})

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), LocalCloud)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_that_nothing_went_by_a_channel_is_not_said_of_the_whole_outbox(endpoint: str) -> None:
    words = ["outbox", "--channel", "push", "--endpoint-url", endpoint]
    assert CliRunner().invoke(cli, words, catch_exceptions=False).stdout == "Nothing by push.\n"
    to = CliRunner().invoke(cli, [*words, "--to", "gcm:t"], catch_exceptions=False)
    assert to.stdout == "Nothing by push to gcm:t.\n"


def test_the_outbox_has_exactly_the_fields_that_scripts_read(endpoint: str) -> None:
    words = ["outbox", "--json", "--channel", "sms", "--to", "anna-1", "--limit", "5", "--endpoint-url", endpoint]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert json.loads(result.stdout) == [{name: value for name, value in MESSAGE.items() if name != "id"}]
    assert LocalCloud.asked == "/_heliograph/outbox.json?channel=sms&to=anna-1&limit=5"


def test_people_see_what_a_message_says_as_it_was_written(endpoint: str) -> None:
    result = CliRunner().invoke(cli, ["outbox", "--endpoint-url", endpoint], catch_exceptions=False)
    assert "Your order [A-1] is on its way" in result.stdout


def test_what_the_local_cloud_refuses_is_told_in_its_words(endpoint: str) -> None:
    with pytest.raises(Trouble, match="no such message"):
        call(Target("heliograph", endpoint=endpoint), "engage", [])


def test_a_local_cloud_that_is_gone_is_a_sentence() -> None:
    result = CliRunner().invoke(cli, ["outbox", "--endpoint-url", "http://127.0.0.1:9"], catch_exceptions=False)
    assert result.exit_code == 2
    assert "heliograph up" in result.stderr
