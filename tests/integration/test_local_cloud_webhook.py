"""The endpoint of the local cloud: it is reached there alone, and shows what is signed as it should be."""

from __future__ import annotations

import io
import json
import os
import subprocess
import uuid
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest

from aws.local_cloud import LocalCloud
from builders import a_rendered
from heliograph.channels.webhook.post import post_sender
from heliograph.channels.webhook.request import LOCAL_ENDPOINT, outside
from heliograph.channels.webhook.spec import NAME as WEBHOOK
from heliograph.model.outcomes import Accepted, Failed, FailureCode, NotSent, Outcome
from heliograph_cli.local.cloud import PYTHON
from wiring import ROOT

CODE = f"""
import os

def handler(event, context):
    return os.environ["{LOCAL_ENDPOINT}"]
"""


@pytest.fixture(scope="module")
def certificate(local_cloud: LocalCloud) -> str:
    """What a function of the local cloud is told of the endpoint."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("index.py", CODE)
    functions, name = local_cloud.client("lambda"), f"curious-{uuid.uuid4().hex[:8]}"
    made = local_cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=made["Role"]["Arn"],
        Handler="index.handler",
        Code={"ZipFile": packed.getvalue()},
    )
    answer = functions.invoke(FunctionName=name)
    told: str = json.loads(answer["Payload"].read())
    return told


@pytest.fixture
def as_there(certificate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a function of the local cloud."""
    monkeypatch.setenv(LOCAL_ENDPOINT, certificate)


@pytest.fixture(scope="module")
def key(local_cloud: LocalCloud) -> str:
    """The signing key of a stack there."""
    made = uuid.uuid4().hex
    local_cloud.client("secretsmanager").create_secret(Name=f"signing-{made}", SecretString=f"an-old-key\n{made}")
    return made


def endpoint(cloud: LocalCloud, path: str) -> str:
    """An endpoint of nobody else."""
    return f"{cloud.get('health')['endpoint']}{uuid.uuid4().hex}/{path}"


def send(address: str, key: str) -> Outcome:
    words, now = {"data": '{"order":"A-1"}'}, datetime.now(UTC)
    webhook = a_rendered(WEBHOOK, content=words, addresses=(address,), claimed_at=now)
    ((outcome,),) = post_sender([key], line=outside())([webhook])
    return outcome


def test_a_signed_request_is_in_the_outbox_once(as_there: None, local_cloud: LocalCloud, key: str) -> None:
    address = endpoint(local_cloud, "orders?shop=1")
    for _ in range(2):
        outcome = send(address, key)
        assert isinstance(outcome, Accepted)
    (shown,) = local_cloud.outbox(channel="webhook", to=address)
    assert json.loads(shown["text"])["data"] == {"order": "A-1"}
    assert shown["provider_message_id"] == outcome.dispatch_id == shown["headers"]["webhook-id"]
    assert shown["headers"]["webhook-signature"].startswith("v1,")


def test_what_another_key_signed_is_not_believed(as_there: None, local_cloud: LocalCloud, key: str) -> None:
    address = endpoint(local_cloud, "orders")
    refused: Any = send(address, "not " + key)
    assert (type(refused), refused.cause) == (NotSent, "HTTP400")
    assert local_cloud.outbox(channel="webhook", to=address) == []


@pytest.mark.parametrize(("status", "kind"), [("410", Failed), ("422", Failed), ("503", NotSent)])
def test_a_path_that_ends_with_a_status_is_answered_with_it(
    as_there: None, local_cloud: LocalCloud, key: str, status: str, kind: type[Outcome]
) -> None:
    assert isinstance(send(endpoint(local_cloud, status), key), kind)


def test_functions_there_reach_no_other_endpoint_and_ask_no_name_server(
    as_there: None, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("a name was looked up outside")

    monkeypatch.setattr("heliograph.channels.webhook.request.look_up", asked)
    for address in ("https://hooks.example.com/a", "https://169.254.169.254/", "https://127.0.0.1/"):
        refused: Any = send(address, key)
        assert (type(refused), refused.code) == (Failed, FailureCode.INVALID_ADDRESS)


def test_anywhere_else_it_is_inside_and_never_asked(local_cloud: LocalCloud, key: str) -> None:
    refused: Any = send(endpoint(local_cloud, "orders"), key)
    assert (type(refused), refused.code) == (Failed, FailureCode.INVALID_ADDRESS)


def test_a_local_cloud_at_the_highest_ports_has_an_endpoint_too() -> None:
    listening = "from localcloud import endpoint; print(endpoint._listening().server_port)"
    environment = os.environ | {"GATEWAY_PORT": "65500", "PYTHONPATH": str(ROOT / "infra/local")}
    said = subprocess.run([PYTHON, "-c", listening], env=environment, capture_output=True, text=True, check=True)
    assert 0 < int(said.stdout) < 65_536
