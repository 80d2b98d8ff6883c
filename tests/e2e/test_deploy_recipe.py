"""`make deploy` itself, up to the first questions of the SAM CLI: nothing of it reaches AWS."""

from __future__ import annotations

import os
import subprocess

from heliograph_cli.local.cloud import ROOT, architecture, runtime

NOWHERE = "http://127.0.0.1:9"
UP_TO_THE_PARAMETERS = "\n" * 6


def test_the_first_deployment_builds_and_asks_with_what_is_kept_and_what_was_built() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE"))}
    environment |= {"AWS_REGION": "eu-north-1", "AWS_ENDPOINT_URL": NOWHERE}
    environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    done = subprocess.run(
        ["make", "deploy", f"runtime={runtime()}", f"architecture={architecture()}"],
        cwd=ROOT,
        env=environment,
        input=UP_TO_THE_PARAMETERS,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "does not exist" not in said
    assert f"Looking for config file [{ROOT}/samconfig.toml] :  Found" in said
    assert "Stack Name [heliograph]" in said
    assert "AWS Region [eu-north-1]" in said
    assert f"Parameter Runtime [{runtime()}]" in said
    assert f"Parameter Architecture [{architecture()}]" in said
    assert "Parameter EmailSender" in said
