"""What `heliograph up` refuses, and what it says of a local cloud that ran before."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner

from heliograph_cli.local import cloud
from heliograph_cli.main import cli


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ("email,fax", "no channel 'fax'"),
        ("email, sms", "no channel ' sms'"),
        ("email,sms,email", "email is named twice"),
    ],
)
def test_channels_that_no_stack_can_have_are_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, channels: str, said: str
) -> None:
    monkeypatch.setattr(cloud, "up", lambda **_: pytest.fail("it started"))
    refused = CliRunner().invoke(cli, ["up", "--channels", channels])
    assert refused.exit_code == 2
    assert said in " ".join(refused.output.split())


def test_up_says_what_to_do_about_a_local_cloud_that_is_older_than_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    running = cloud.Cloud(
        endpoint="http://127.0.0.1:4580",
        pid=1,
        port=4580,
        region="eu-west-1",
        stack="heliograph",
        directory=str(tmp_path),
        started_at="2026-11-24T10:00:00+00:00",
    )
    monkeypatch.setattr(cloud, "up", lambda **_: running)
    monkeypatch.setattr(cloud, "urlopen", lambda *_, **__: BytesIO(b'{"status": "running"}'))
    said = CliRunner().invoke(cli, ["up"])
    assert said.exit_code == 2
    assert "`heliograph down`" in said.output
