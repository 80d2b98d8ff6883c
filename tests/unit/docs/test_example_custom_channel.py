"""What examples/custom-channel shows, against what the webhook channel really sends."""

from __future__ import annotations

import importlib.util
import json
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from aws.webhook_receiver import Got, certificate_for, receiving
from builders import NOW, a_rendered
from heliograph.channels.webhook import signature
from heliograph.channels.webhook.function import payload
from heliograph.channels.webhook.post import post_sender
from heliograph.channels.webhook.request import TIME_OUT, Line
from heliograph.channels.webhook.spec import NAME as WEBHOOK
from heliograph_cli.main import cli

FOLDER = Path(__file__).parents[3] / "examples/custom-channel"
DESK = Path(__file__).parents[2] / "desk"
HOST = "hooks.example.com"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"custom_channel_{name}", FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_for(HOST, tmp_path_factory.mktemp("tls"))


def test_the_receiver_believes_what_is_signed_for_it_and_fresh(certificate: Path) -> None:
    receiver = example("receiver")
    line = Line(lambda *_: ["127.0.0.1"], lambda _: True, ssl.create_default_context(cafile=certificate), TIME_OUT)
    with receiving(certificate) as listening:
        endpoint = f"https://{HOST}:{listening.port}/"
        webhook = a_rendered(WEBHOOK, content={"data": '{"order":"A-1"}'}, addresses=(endpoint,))
        list(post_sender(["old", "new"], line=line, now=lambda: NOW)([webhook]))
    (got,) = listening.got
    secrets = {key: signature.spelled(signature.secret_of(endpoint, key)) for key in ("old", "new", "another")}

    def is_believed(
        secret: str, *, headers: dict[str, str] = got.headers, body: bytes = got.body, age: int = 0
    ) -> bool:
        believed: bool = receiver.is_genuine(secret, headers, body, now=NOW.timestamp() + age)
        return believed

    assert [is_believed(secret) for secret in secrets.values()] == [True, True, False]
    assert is_believed(secrets["new"], age=299)
    assert not is_believed(secrets["new"], age=301)
    assert not is_believed(secrets["new"], age=-301)
    assert not is_believed(secrets["new"], body=got.body + b" ")
    for changed in ({"webhook-id": "another"}, {"webhook-timestamp": "soon"}, {"webhook-signature": "v1,é"}):
        assert not is_believed(secrets["new"], headers=got.headers | changed)
    assert not is_believed(secrets["new"], headers={})


def test_the_receiver_does_nothing_twice(certificate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    receiver = example("receiver")
    line = Line(lambda *_: ["127.0.0.1"], lambda _: True, ssl.create_default_context(cafile=certificate), TIME_OUT)
    with receiving(certificate, receiver.Receiver) as listening:
        endpoint = f"https://{HOST}:{listening.port}/"
        receiver.Receiver.secret = signature.spelled(signature.secret_of(endpoint, "key"))
        webhook = a_rendered(WEBHOOK, content={"data": '{"order":"A-1"}'}, addresses=(endpoint,))
        for _ in range(2):
            ((outcome,),) = post_sender(["key"], line=line)([webhook])
            assert type(outcome).__name__ == "Accepted"
        ((refused,),) = post_sender(["another key"], line=line)([webhook])
        assert type(refused).__name__ == "NotSent"
    assert capsys.readouterr().out == 'order-shipped 2026-11-21T10:00:00Z {"order": "A-1"}\n'


def test_a_receiver_that_is_told_too_little_says_how_it_is_called() -> None:
    done = subprocess.run([sys.executable, FOLDER / "receiver.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "python receiver.py certificate.pem whsec_" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_function_tells_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    people = [
        a_rendered(
            WEBHOOK,
            slot=slot,
            content={"data": '"Hi"'},
            recipient_id=f"person-{slot}",
            addresses=(f"chatbot:chat-{slot}",),
        )
        for slot in range(2)
    ]
    with receiving() as chat:
        monkeypatch.setenv("CHAT_URL", f"http://127.0.0.1:{chat.port}/messages")
        example("function").handler(payload(people, application="prod"), None)
    assert list(map(said, chat.got)) == [
        {"chat": f"chat-{slot}", "text": "Hi", "reference": f"order-shipped/person-{slot}"} for slot in range(2)
    ]


def test_the_message_can_be_put_among_others(tmp_path: Path) -> None:
    shutil.copytree(DESK, tmp_path / "desk", ignore=shutil.ignore_patterns("order_told"))
    shutil.copytree(FOLDER / "order_told", tmp_path / "desk/messages/order_told")
    looked_at = CliRunner().invoke(cli, ["lint", "--templates", str(tmp_path / "desk")])
    assert looked_at.exit_code == 0, looked_at.output


def said(got: Got) -> object:
    return json.loads(got.body)
