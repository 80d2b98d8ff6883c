"""Checks of push: the credentials of the apps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, note, well, wrong
from heliograph.operations.doctor.rights import push_application

CHANNELS = {"Android": ("get_gcm_channel", "GCMChannelResponse"), "iOS": ("get_apns_channel", "APNSChannelResponse")}
MEND = "Put the credentials of your app there (docs/deploy.md, step 5), or send no push."


def credentials(deployment: Deployment) -> Iterator[Finding]:
    """Push services will take what is sent to the devices."""
    if deployment.parameters.get("PushProvider") == "sns":
        yield from _platform_applications(deployment)
        return
    application = push_application(deployment)
    if not application:
        yield note("push", "there is no application: push is not sent", "Deploy with PushProvider to send it.")
        return
    found = {name: _channel(deployment, application, *how) for name, how in CHANNELS.items()}
    ready = [name for name, channel in found.items() if channel and channel.get("Enabled")]
    if not ready:
        yield note("push", f"the application {application} has no credentials: push fails", MEND)
        return
    android = found["Android"] or {}
    if "Android" in ready and android.get("DefaultAuthenticationMethod") != "TOKEN":
        mend = (
            "aws pinpoint update-gcm-channel with ServiceJson and DefaultAuthenticationMethod=TOKEN (docs/deploy.md)."
        )
        yield wrong("push", "Android uses the old Firebase key, which Google has switched off", mend)
        return
    yield well("push", f"credentials for {' and '.join(ready)}")


def _channel(deployment: Deployment, application: str, operation: str, where: str) -> Any:
    try:
        return deployment.call("pinpoint", operation, ApplicationId=application)[where]
    except ClientError as error:
        if error.response["Error"].get("Code") != "NotFoundException":
            raise
        return None


def _platform_applications(deployment: Deployment) -> Iterator[Finding]:
    named = json.loads(deployment.parameters.get("PushPlatformApplications") or "{}")
    if not named:
        yield note("push", "PushPlatformApplications is empty: push is not sent", MEND)
        return
    for platform, arn in named.items():
        found = deployment.call("sns", "get_platform_application_attributes", PlatformApplicationArn=arn)
        if found.get("Attributes", {}).get("Enabled", "true") != "true":
            yield wrong("push", f"SNS has disabled {platform}: its credentials are no longer good", MEND)
    yield well("push", f"SNS with {', '.join(named)}")
