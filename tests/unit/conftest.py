"""What several unit tests stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from aws.fake import FakeAws
from heliograph_cli import target as targets


@pytest.fixture
def fake_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeAws:
    """An AWS for the command line, on a machine without a local cloud, a profile or credentials."""
    fake = FakeAws(lambda _: {})
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(targets, "STATE", tmp_path / "state.json")
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", lambda _, request: fake.send(request))
    targets.session.cache_clear()
    return fake
