"""Is push well? The credentials of the apps, and what becomes of a push to a device that does not exist."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from heliograph.operations.doctor.channel import ChannelDoctor, Trying
from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, State, note, well, wrong
from heliograph.operations.doctor.trials import Chosen, Trial, person_of, profile_of

DEAD_DEVICE = "gcm:dead-heliograph-doctor"  # no push service ever gave this token to a device
PLATFORMS = {"Android": ("get_gcm_channel", "GCMChannelResponse"), "iOS": ("get_apns_channel", "APNSChannelResponse")}
MEND = "Put the credentials of your app there (docs/deploy.md, step 5), or send no push."


def credentials(deployment: Deployment) -> Iterator[Finding]:
    """Push services will take what is sent to the devices."""
    if deployment.parameters.get("PushProvider") == "sns":
        yield from _platform_applications(deployment)
        return
    application = application_of(deployment)
    if not application:
        yield note("push", "there is no application: push is not sent", "Deploy with PushProvider to send it.")
        return
    found = {name: _channel(deployment, application, *how) for name, how in PLATFORMS.items()}
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


def application_of(deployment: Deployment) -> str:
    """The Pinpoint application that push goes through; empty when there is none."""
    if deployment.parameters.get("PushProvider", "pinpoint") != "pinpoint":
        return ""
    made = deployment.named("AWS::Pinpoint::App")
    return deployment.parameters.get("PushApplication") or (made[0] if made else "")


def messages(deployment: Deployment) -> str:
    """What goes through the application."""
    application = application_of(deployment)
    return deployment.resource_arn("mobiletargeting", f"apps/{application}/messages") if application else ""


def trials(trying: Trying) -> Iterator[Trial | Finding]:
    """A push that must fail."""
    ready = all(each.state is State.WELL for each in credentials(trying.deployment))
    if trying.transactional and ready:
        yield to_a_dead_device(trying.transactional, stamp=trying.stamp)
    else:
        yield note("send: dead device", "left out: push is not set up, or no message goes by it", "")


def to_a_dead_device(message: Chosen, *, stamp: str) -> Trial:
    """A push to a device that does not exist."""
    person = person_of(stamp, "device")
    profile = profile_of(person, message, devices=[DEAD_DEVICE])
    return Trial(check="send: dead device", person=person, message=message, profile=profile, wanted="failed")


DOCTOR: Final = ChannelDoctor(
    checks={"push": credentials},
    calls={"mobiletargeting:SendMessages": messages},
    trials=trials,
)
