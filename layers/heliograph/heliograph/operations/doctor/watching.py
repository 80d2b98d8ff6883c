"""Checks of what tells people: alarms and who hears them, dead letters, and the schedules of what waits."""

from __future__ import annotations

from collections.abc import Iterator

from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, note, well, wrong

PENDING = "PendingConfirmation"


def alarms(deployment: Deployment) -> Iterator[Finding]:
    """No alarm is raised, and all may speak."""
    found = deployment.call("cloudwatch", "describe_alarms", AlarmNamePrefix=f"{deployment.stack}-")["MetricAlarms"]
    if not found:
        yield wrong("alarms", "there are none", "Deploy again.")
        return
    for each in found:
        if each["StateValue"] == "ALARM":
            name = deployment.short(each["AlarmName"])
            yield wrong("alarms", f"{name} is raised", f"docs/runbook.md says what to do about `{name}`.")
    if silent := [deployment.short(each["AlarmName"]) for each in found if not each.get("ActionsEnabled", True)]:
        mend = f"aws cloudwatch enable-alarm-actions --alarm-names {deployment.stack}-{silent[0]} …"
        yield wrong("alarms", f"{len(silent)} tell nobody: {', '.join(silent)}", mend)
    yield well("alarms", f"{len(found)} are watching")


def listeners(deployment: Deployment) -> Iterator[Finding]:
    """Somebody hears the alarms."""
    topic = deployment.outputs.get("AlarmTopic", "")
    found = deployment.call("sns", "list_subscriptions_by_topic", TopicArn=topic).get("Subscriptions", [])
    pending = [each for each in found if each["SubscriptionArn"] == PENDING]
    if not found:
        yield note("alarm topic", "nobody hears the alarms", "Deploy with AlarmEmail, or subscribe to the topic.")
        return
    if pending:
        mend = "Click the link in the mail that AWS sent there."
        yield wrong("alarm topic", f"{len(pending)} of {len(found)} subscriptions are not confirmed", mend)
        return
    yield well("alarm topic", f"{len(found)} subscribed")


def dead_letters(deployment: Deployment) -> Iterator[Finding]:
    """Nothing was put aside."""
    urls = [url for url in deployment.named("AWS::SQS::Queue") if url.endswith("-dead-letters")]
    kept = 0
    for url in urls:
        arguments = {"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"]}
        number = int(
            deployment.call("sqs", "get_queue_attributes", **arguments)["Attributes"]["ApproximateNumberOfMessages"]
        )
        kept += number
        if number:
            name = deployment.short(url.rpartition("/")[2].removesuffix("-dead-letters"))
            yield wrong("dead letters", f"{number} of {name}", f"heliograph dead-letters show {name}")
    yield well("dead letters", f"{len(urls)} queues, {kept} messages")


def schedules(deployment: Deployment) -> Iterator[Finding]:
    """What is scheduled finds its timer."""
    for name in deployment.named("AWS::Scheduler::ScheduleGroup"):
        state = deployment.call("scheduler", "get_schedule_group", Name=name)["State"]
        if state != "ACTIVE":
            yield wrong("schedules", f"the group {name} is {state}", "Deploy again.")
            continue
        yield well("schedules", f"the group {name} is active")
