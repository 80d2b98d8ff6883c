"""The wiring: what must hold for every queue, function, permission and alarm, read from the templates."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks import prices, standing
from benchmarks.bills import usd
from heliograph.aws.tables import RETENTION
from heliograph.campaigns.runs_store import LIST
from heliograph.channels.rate import delay
from heliograph.channels.webhook.request import LOCAL_ENDPOINT
from heliograph.model.engagement import EngagementEvent
from heliograph.model.packs import Planned
from heliograph.model.reasons import Reason
from heliograph.recording.store import SHARDS, part_of, part_of_shard
from heliograph.runtime.observe import FEW_TRIES, count_decisions, count_refused, count_retried
from heliograph.scheduling.work import BEHIND
from heliograph.tallying.store import PART
from heliograph.text.ids import derived_id
from permissions import granted
from wiring import (
    CHANNELS,
    DEFAULT_CHANNELS,
    FUNCTIONS,
    NESTED,
    QUEUES,
    ROOT,
    STACKS,
    TEMPLATE,
    Properties,
    as_list,
    everywhere,
    load,
    mappings,
    output_of,
    policies,
    queue_of,
    resources,
    stacks_of,
    statements,
    streams,
    text_of,
)

ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
WORK_QUEUES = sorted(name for name in QUEUES if not name.endswith("-dead-letters"))
MAPPINGS = [(function, name) for function in FUNCTIONS for name in mappings(function)]
ALARMS = everywhere("AWS::CloudWatch::Alarm")
DELIVERING = [f"Deliver{channel}" for channel in CHANNELS]
KEPT = (
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::Pinpoint::App",
    "AWS::SES::EmailIdentity",
)
SINCE = ("Tally", "TallyRole", "TallyLog", "AgeTally", "Uncounted", "Tick", "TickRole", "TickLog", "SilentTick")
"""What came after loops had replaced the copies in the templates: the sums of runs, kept as records change, and packs
of all who are due in the same minute."""
RECEIVES = 20  # test_throttling.py says why
FOURTEEN_DAYS = 14 * 24 * 3600


def alarmed(metric: str, dimension: str) -> set[str]:
    """What has an alarm on a metric."""
    found = [alarm for alarm in ALARMS.values() if alarm["MetricName"] == metric]
    return {short(each["Value"]) for alarm in found for each in alarm["Dimensions"] if each["Name"] == dimension}


def function_name(function: str) -> str:
    return text_of(FUNCTIONS[function]["FunctionName"])


def short(name: Any) -> str:
    return text_of(name).removeprefix("${StackName}-")


def references(node: Any) -> Iterator[list[str]]:
    """What a part of a template gets of other resources."""
    if isinstance(node, dict):
        yield from (
            [str(part) for part in value] for key, value in node.items() if key == "Fn::GetAtt" and len(value) > 1
        )
        for text in (as_list(value)[0] for key, value in node.items() if key == "Fn::Sub"):
            yield from (found.split(".", 1) for found in re.findall(r"\$\{(\w+\.[\w.]+)\}", text))
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from references(each)


# ---- the stacks ------------------------------------------------------------------------------------------------


def test_what_stacks_hand_on_is_there() -> None:
    """The linter does not look into what loops make."""
    templates = (TEMPLATE, *NESTED.values())
    outputs = [each for template in templates for each in references(template) if each[1].startswith("Outputs.")]
    assert outputs
    for name, output in outputs:
        assert output_of(name, output), f"{name} has no {output}"


def test_every_stack_gets_what_it_asks_for_and_nothing_else() -> None:
    for name, stack in STACKS.items():
        assert stack.given.keys() == stack.template["Parameters"].keys(), name


def test_the_channels_that_sam_takes_for_the_default_are_the_default() -> None:
    """It hands no default of the root on, and packages the templates of these."""
    assert written_default("infra/delivery.yaml") == written_default("template.yaml")


def written_default(name: str) -> str:
    return str(load(name)["Parameters"]["Channels"]["Default"])


@pytest.mark.parametrize("kept", ["Recipients", "Ledger", "Runs", "Bucket", "SigningSecret"])
def test_a_parameter_brings_the_arn_of_what_it_is_called_after(kept: str) -> None:
    """So permissions.py may take the one for the other. A stack hands on what it was given."""
    given = [stack.given[kept] for stack in STACKS.values() if kept in stack.given]
    assert {"Fn::GetAtt": ["Storage", f"Outputs.{kept}"]} in given
    assert all(each in ({"Fn::GetAtt": ["Storage", f"Outputs.{kept}"]}, {"Ref": kept}) for each in given)
    assert output_of("Storage", kept) == {"Fn::GetAtt": [kept, "Id" if kept == "SigningSecret" else "Arn"]}


def test_a_channel_is_a_word_in_the_list_and_a_file() -> None:
    """Everything else that it needs comes out of loops."""
    names = ",".join((*CHANNELS, "pigeon"))
    queues, alarms, delivery = (load(f"infra/{name}.yaml", Channels=names) for name in ("queues", "alarms", "delivery"))
    own = delivery["Resources"]["Channelpigeon"]["Properties"]
    assert own["TemplateURL"] == "channels/pigeon.yaml"
    assert own["Parameters"]["Role"] == {"Ref": "DeliverpigeonRole"}
    assert {"Deliverpigeon", "DeliverpigeonRole", "DeliverpigeonLog"} <= delivery["Resources"].keys()
    lanes = ("priority", "bulk")
    kinds = ("Queue", "DeadLetters", "Policy")
    assert {f"outboxpigeon{lane}{kind}" for lane in lanes for kind in kinds} <= queues["Resources"].keys()
    watched = {short(each["AlarmName"]) for each in resources(alarms, "AWS::CloudWatch::Alarm").values()}
    outboxes = {f"outbox-pigeon-{lane}-{kind}" for lane in lanes for kind in ("age", "dead-letters")}
    assert outboxes | {"pigeon-halted", "deliver-pigeon-errors", "deliver-pigeon-throttles"} <= watched


def test_the_templates_are_no_longer_than_they_may_be() -> None:
    """1,500 lines for what 2,447 took when every copy was written out; what has come since is counted by itself, and
    what only one channel needs comes on top."""
    lines = {path: path.read_text().splitlines() for path in (ROOT / "template.yaml", *ROOT.glob("infra/**/*.yaml"))}
    parts = Counter(part for path, text in lines.items() if path.parent.name != "channels" for part in parts_of(text))
    new = sum(parts.pop(name) for name in SINCE)
    assert parts.total() <= 1500
    assert new <= 100
    assert not [f"{path}:{at}" for path, text in lines.items() for at, line in enumerate(text, 1) if len(line) > 120]


def parts_of(lines: list[str]) -> Iterator[str]:
    """For each line of a template the name of what it is a part of, a resource for example."""
    name = ""
    for line in lines:
        if found := re.match(r" {0,2}([\w:]+):", line):
            name = found[1]
        yield name


# ---- queues ------------------------------------------------------------------------------------------------


def test_the_queues_are_those_of_the_architecture() -> None:
    table = ARCHITECTURE.split("## Queues")[1].split("## Tables")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert set(WORK_QUEUES) == {name.replace("<channel>", channel) for name in named for channel in CHANNELS}


@pytest.mark.parametrize("queue", WORK_QUEUES)
def test_every_queue_parks_in_its_own_dead_letters_after_some_tries(queue: str) -> None:
    redrive = QUEUES[queue]["RedrivePolicy"]
    parked, _ = redrive["deadLetterTargetArn"]["Fn::GetAtt"]
    assert short(everywhere("AWS::SQS::Queue")[parked]["QueueName"]) == f"{queue}-dead-letters"
    assert redrive["maxReceiveCount"] == RECEIVES


@pytest.mark.parametrize("queue", sorted(QUEUES))
def test_every_queue_is_encrypted_and_keeps_work_for_the_longest_time(queue: str) -> None:
    assert QUEUES[queue]["SqsManagedSseEnabled"] is True
    assert QUEUES[queue]["MessageRetentionPeriod"] == FOURTEEN_DAYS


def only_tls(policy: Properties, action: str) -> bool:
    deny, *_ = policy["PolicyDocument"]["Statement"]
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    return [deny[key] for key in ("Effect", "Principal", "Action", "Condition")] == ["Deny", "*", action, condition]


def test_every_queue_takes_tls_alone() -> None:
    refusing = list[str]()
    for policy in everywhere("AWS::SQS::QueuePolicy").values():
        assert only_tls(policy, "sqs:*")
        refusing += [each["Ref"] if "Ref" in each else each["Fn::GetAtt"][0] for each in policy["Queues"]]
    assert sorted(refusing) == sorted(everywhere("AWS::SQS::Queue"))  # each once: a queue has one policy


def test_every_topic_takes_tls_alone_and_only_from_who_publishes_there() -> None:
    topics = everywhere("AWS::SNS::TopicPolicy")
    assert [each["Topics"] for each in topics.values()] == [[{"Ref": name}] for name in everywhere("AWS::SNS::Topic")]
    for policy in topics.values():
        _, allow = policy["PolicyDocument"]["Statement"]
        assert only_tls(policy, "sns:Publish")
        assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    publishers = {each["PolicyDocument"]["Statement"][1]["Principal"]["Service"] for each in topics.values()}
    assert publishers == {"cloudwatch.amazonaws.com", "sms-voice.amazonaws.com"}


def feeders() -> Iterator[tuple[str, str]]:
    """What brings work to queues, as the end of its ARN, and which queue it feeds."""
    for rule in everywhere("AWS::Events::Rule").values():
        (target,) = rule["Targets"]
        bus = "${StackName}/" if "EventBusName" in rule else ""
        yield f"rule/{bus}{text_of(rule.get('Name', 'unnamed'))}", text_of(target["Arn"]).removeprefix("${Queues}")
    for subscription in everywhere("AWS::SNS::Subscription").values():
        if subscription["Protocol"] == "sqs":
            topic = everywhere("AWS::SNS::Topic")[subscription["TopicArn"]["Ref"]]
            yield text_of(topic["TopicName"]), text_of(subscription["Endpoint"]).removeprefix("${Queues}")


def taken(queue: str) -> set[str]:
    """What may send to a queue, as its policy names it: patterns for the end of an ARN of this account and region."""
    statements = everywhere("AWS::SQS::QueuePolicy").get(f"{queue}Policy", {"PolicyDocument": {"Statement": [{}]}})
    found = set[str]()
    for statement in statements["PolicyDocument"]["Statement"][1:]:
        for each in as_list(statement["Condition"]["ArnLike"]["aws:SourceArn"]):
            where, end = re.fullmatch(
                r"arn:\$\{AWS::Partition\}:(.*:\$\{AWS::AccountId\}):(.*)", text_of(each)
            ).groups()  # type: ignore[union-attr]
            assert where in {f"{service}:${{AWS::Region}}:${{AWS::AccountId}}" for service in ("events", "sns")}
            found.add(end)
    return found


def takes(queue: str, feeder: str, stack: str, other: str) -> bool:
    """Whether a queue of a stack takes what a feeder of another brings."""
    feeder = feeder.replace("${StackName}", other)
    return any(fnmatchcase(feeder, like.replace("${StackName}", stack)) for like in taken(queue))


def test_what_feeds_a_queue_is_named_after_it() -> None:
    """That is how the queue knows it; `events` takes what any rule of the stack's own bus brings."""
    assert {queue for _, queue in feeders()} == {queue for queue in WORK_QUEUES if taken(queue)}
    for feeder, queue in feeders():
        takers = {each for each in WORK_QUEUES if takes(each, feeder, "shop", "shop")}
        assert takers == ({"events", queue} if feeder.startswith("rule/${StackName}/") else {queue}), feeder


NAME_OF_A_STACK = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,44}", fullmatch=True)
"""As CloudFormation takes them."""
WORDS_OF_FEEDERS = sorted(
    {word for feeder, _ in feeders() for word in re.findall(r"[a-z]+", feeder)} | {*CHANNELS, "a"}
)


@given(stack=NAME_OF_A_STACK, further=st.lists(st.sampled_from(WORDS_OF_FEEDERS), min_size=1, max_size=3))
@example(stack="shop", further=["segments"])
@example(stack="shop", further=["engagement", "email"])
def test_no_queue_takes_what_another_stack_brings_whatever_that_is_called(stack: str, further: list[str]) -> None:
    """A stack `shop-segments` beside a stack `shop`."""
    longer = "-".join((stack, *further))
    for feeder, _ in feeders():
        for queue in WORK_QUEUES:
            assert not takes(queue, feeder, stack, longer), f"{queue} of {stack} takes {feeder} of {longer}"
            assert not takes(queue, feeder, longer, stack), f"{queue} of {longer} takes {feeder} of {stack}"


@given(stack=NAME_OF_A_STACK, further=st.from_regex(r"[A-Za-z0-9-]{0,20}", fullmatch=True))
@example(stack="shop", further="")
def test_no_stack_may_call_a_function_of_another_whatever_that_is_called(stack: str, further: str) -> None:
    """A stack `shop-webhook`, whose functions are named `shop-webhook-deliver-email` and so on."""
    callable_ = re.findall(r":function:([^']+)'", (ROOT / "infra/channels/webhook.yaml").read_text())
    (names,) = [pattern.replace("${StackName}", stack) for pattern in callable_]
    assert fnmatchcase(f"{stack}_webhook_chatbot", names)
    assert not fnmatchcase(f"{stack}-webhook{further}-deliver-email", names)
    assert not fnmatchcase(f"{stack}-webhook{further}_webhook_chatbot", names)


def test_what_earlier_versions_have_scheduled_may_still_go_to_its_queue() -> None:
    (policy,) = policies("ScheduleRole")
    statement, _ = policy["PolicyDocument"]["Statement"]
    queues = [{"Fn::GetAtt": [f"requests{lane}Queue", "Arn"]} for lane in ("priority", "bulk")]
    assert [each for each in queues if each not in statement["Resource"]] == []


def test_the_tick_begins_with_the_minute_and_its_silence_is_heard() -> None:
    (schedule,) = everywhere("AWS::Scheduler::Schedule").values()
    assert schedule["ScheduleExpression"] == "cron(* * * * ? *)"
    assert schedule["Target"]["Arn"] == {"Fn::GetAtt": ["Tick", "Arn"]}
    alarm = ALARMS["SilentTick"]
    assert (alarm["MetricName"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Invocations",
        "LessThanThreshold",
        1,
    )
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= BEHIND.total_seconds()


def test_what_the_scheduler_cannot_bring_may_go_to_its_dead_letters() -> None:
    (policy,) = policies("ScheduleRole")
    statement, _ = policy["PolicyDocument"]["Statement"]
    assert {"Fn::GetAtt": ["schedulesDeadLetters", "Arn"]} in statement["Resource"]


def test_all_dead_letters_have_an_alarm() -> None:
    assert alarmed("ApproximateNumberOfMessagesVisible", "QueueName") == QUEUES.keys() - set(WORK_QUEUES)


def test_people_who_wait_have_an_alarm() -> None:
    priority = {queue for queue in WORK_QUEUES if queue.endswith("-priority")}
    assert len(priority) == 1 + len(CHANNELS)
    assert priority <= alarmed("ApproximateAgeOfOldestMessage", "QueueName")


def test_an_alarm_tells_of_every_queue_long_before_sqs_deletes_what_nobody_took() -> None:
    ages = [each for each in ALARMS.values() if each["MetricName"] == "ApproximateAgeOfOldestMessage"]
    told = {short(dimension["Value"]): each["Threshold"] for each in ages for dimension in each["Dimensions"]}
    assert told.keys() == set(WORK_QUEUES)
    assert max(told.values()) <= FOURTEEN_DAYS / 2


def test_the_page_of_costs_counts_what_a_stack_pays_for_while_nothing_is_sent() -> None:
    page = (ROOT / "docs/cost.md").read_text()
    further = [channel for channel in CHANNELS if channel not in DEFAULT_CHANNELS]
    alarms = [name for name in ALARMS if not any(channel in name for channel in further)]
    queues = [name for name in WORK_QUEUES if not any(channel in name for channel in further)]
    assert f"{len(alarms)} alarms" in page
    assert f"{len(queues)} idle queues" in page
    assert f"about ${usd([*standing.there(), standing.polling()]):.0f} a month" in page
    (dashboard,) = everywhere("AWS::CloudWatch::Dashboard").values()
    metrics = len(metrics_of(dashboard))
    assert f"shows {metrics}, so up to ${metrics * prices.METRIC.usd:.2f} for a channel that sends" in page


def test_the_page_of_webhooks_counts_what_they_add_to_that() -> None:
    alarms, queues = ([name for name in all_of if "webhook" in name] for all_of in (ALARMS, WORK_QUEUES))
    page = (ROOT / "docs/webhooks.md").read_text()
    assert f"adds {len(alarms)} alarms and {len(queues)} queues" in page


# ---- triggers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_change_of_a_run_is_told_to_tally_and_of_the_table_nothing_else(shard: int) -> None:
    (stream,) = streams("Tally").values()
    (asked,) = [json.loads(each["Pattern"]) for each in stream["FilterCriteria"]["Filters"]]
    ends = [each["suffix"] for each in asked["dynamodb"]["Keys"]["part"]["S"]]
    others = (LIST, "campaign#news", "hour#news", "rate#email", PACK, f"{PART}{PACK}")

    def is_told(part: str) -> bool:
        return any(part.endswith(end) for end in ends)

    assert is_told(part_of_shard(PACK, shard))
    assert not [part for part in others if is_told(part)]
    assert asked["eventName"] == ["INSERT", "MODIFY"]  # what expires changes no sum


def test_nothing_that_changes_in_a_run_is_lost_on_its_way_to_the_sums() -> None:
    (stream,) = streams("Tally").values()
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert stream["ParallelizationFactor"] == 1
    assert stream["BisectBatchOnFunctionError"] is True
    parked = short_queue(stream["DestinationConfig"]["OnFailure"]["Destination"])
    assert parked in alarmed("ApproximateNumberOfMessagesVisible", "QueueName")
    assert alarmed("IteratorAge", "FunctionName") == {short(function_name("Tally"))}
    (table,) = [each for each in everywhere("AWS::DynamoDB::Table").values() if "StreamSpecification" in each]
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert output_of("Storage", "RunsStream") == {"Fn::GetAtt": ["Runs", "StreamArn"]}


def short_queue(arn: Any) -> str:
    return text_of(arn).removeprefix("${Queues}")


def test_every_queue_has_one_consumer() -> None:
    assert sorted(queue_of(mappings(function)[name]) for function, name in MAPPINGS) == WORK_QUEUES


@pytest.mark.parametrize("function", ["Plan", *DELIVERING])
def test_one_person_never_waits_behind_a_run(function: str) -> None:
    lanes = {name: queue_of(mapping) for name, mapping in mappings(function).items()}
    assert lanes["Priority"].endswith("-priority")
    assert lanes["Bulk"].endswith("-bulk")


@pytest.mark.parametrize(("function", "name"), MAPPINGS)
def test_one_failure_in_a_batch_does_not_repeat_the_others(function: str, name: str) -> None:
    assert mappings(function)[name]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize(("function", "name"), MAPPINGS)
def test_concurrency_is_bounded_by_what_the_account_has(function: str, name: str) -> None:
    """People who wait have more of it than runs."""
    mapping = mappings(function)[name]
    lane = "Priority" if name in ("Priority", "Events") else "Bulk"
    parameter = f"{'Deliver' if function.startswith('Deliver') else ''}{lane}Concurrency"
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": parameter}}
    assert TEMPLATE["Parameters"][parameter]["MinValue"] == 2  # ScalingConfig
    assert mapping["BatchSize"] <= 10 or mapping["MaximumBatchingWindowInSeconds"] >= 1  # as AWS demands


@pytest.mark.parametrize(("function", "name"), MAPPINGS)
def test_work_is_not_handed_out_again_while_a_function_has_it(function: str, name: str) -> None:
    """Six times the timeout, as AWS advises for queues before functions."""
    timeout = FUNCTIONS[function]["Timeout"]
    assert QUEUES[queue_of(mappings(function)[name])]["VisibilityTimeout"] >= 6 * timeout


@pytest.mark.parametrize("rule", sorted(everywhere("AWS::Events::Rule")))
def test_an_event_that_reaches_no_queue_is_parked(rule: str) -> None:
    for target in everywhere("AWS::Events::Rule")[rule]["Targets"]:
        assert text_of(target["DeadLetterConfig"]["Arn"]) == f"{text_of(target['Arn'])}-dead-letters"


def reachable(function: str) -> set[str]:
    """The functions to which the work of a function may come, through the queues that it may send to."""
    found, waiting = set[str](), {function}
    while waiting:
        sendable = {queue for each in waiting for queue in sent_to(each)}
        waiting = {each for each, name in MAPPINGS if queue_of(mappings(each)[name]) in sendable} - found
        found |= waiting
    return found


def sent_to(function: str) -> set[str]:
    return {queue for action, queue in granted(function) if action == "sqs:SendMessage"}


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_lambda_lets_work_come_round_exactly_where_it_may(function: str) -> None:
    """Lambda ends a chain through SQS, SNS or S3 after about 16 rounds, unless it is told that it is meant.

    What goes through Scheduler or EventBridge is no chain to it.
    """
    comes_round = function in reachable(function)
    assert FUNCTIONS[function].get("RecursiveLoop", "Terminate") == ("Allow" if comes_round else "Terminate")


def test_what_has_to_wait_comes_round() -> None:
    assert {each for each in FUNCTIONS if each in reachable(each)} == {*("Plan", *DELIVERING, "Settle", "Record")}


def test_a_new_message_is_known_to_whoever_gets_it_before_anybody_hands_it_on() -> None:
    """A deployment goes from the end to the beginning, and so does its rollback."""
    for function in FUNCTIONS:
        for later in {each for each, name in MAPPINGS if queue_of(mappings(each)[name]) in sent_to(function)}:
            is_earlier = stack_of(later) in updated_before(stack_of(function))
            knows_none = function == "Tick"  # it hands on what plan has kept
            assert is_earlier or knows_none or function in reachable(function), f"{later} before {function}"
    assert {"Ingest"} <= updated_before("Triggers")
    assert {"Delivery", "Recording"} <= updated_before("Planning")
    assert {"Planning"} <= updated_before("Ingest")


def test_record_can_read_what_a_provider_tells_before_it_is_told_to() -> None:
    """What providers tell is set up with their channels."""
    channels = {name for name, stack in STACKS.items() if "AWS::SES::ConfigurationSet" in str(stack.template)}
    assert channels == {"Channelemail"}
    assert channels <= {name for name, _ in stacks_of(CHANNELS, STACKS["Delivery"].url)}
    assert stack_of("Record") in updated_before("Delivery")


def stack_of(function: str) -> str:
    return next(name for name, template in NESTED.items() if function in template["Resources"])


def updated_before(resource: str) -> set[str]:
    direct = as_list(TEMPLATE["Resources"][resource].get("DependsOn", []))
    return {*direct, *(each for one in direct for each in updated_before(one))}


# ---- permissions -------------------------------------------------------------------------------------------


def test_every_function_has_a_role_of_its_own() -> None:
    assert {name: function["Role"] for name, function in FUNCTIONS.items()} == {
        name: {"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in FUNCTIONS
    }


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_no_role_has_an_action_with_a_wildcard(function: str) -> None:
    actions = [action for statement in statements(f"{function}Role") for action in as_list(statement["Action"])]
    assert not [action for action in actions if "*" in action]


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_every_permission_names_its_resource(function: str) -> None:
    """But an SMS through SNS (a phone number has no name in AWS, and what SNS sends it by is not known to us), and the
    question for SES's send rate."""
    allowed = [each for each in statements(f"{function}Role") if each["Effect"] == "Allow"]
    anything = [each["Action"] for each in allowed if "*" in as_list(each["Resource"])]
    by_sns = ["sns:Publish", "sms-voice:SendTextMessage"]
    assert anything == {"Deliversms": by_sns, "Deliveremail": ["ses:GetAccount"]}.get(function, [])


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_receives_only_from_its_own_queues(function: str) -> None:
    allowed = [each["Resource"] for each in statements(f"{function}Role") if "sqs:ReceiveMessage" in each["Action"]]
    arns = [arn for resource in allowed for arn in as_list(resource)]
    assert arns == [mapping["Queue"] for mapping in mappings(function).values()]


RECORDING = {"Plan", *DELIVERING, "Settle", "Record"}
SENDING = {*DELIVERING}
WRITES = {f"dynamodb:{name}" for name in ("BatchWriteItem", "PutItem", "UpdateItem", "PartiQLInsert", "PartiQLUpdate")}
PACK = derived_id(datetime(2026, 11, 24, tzinfo=UTC), "pack")
OF_RUNS = {"Ref": "Runs"}


def is_granted(statement: dict[str, Any], part: str) -> bool:
    """Whether a statement allows something on items with a partition key."""
    for operator, names in statement.get("Condition", {}).items():
        matches = any(fnmatchcase(part, key) for key in names["dynamodb:LeadingKeys"])
        if matches != {"ForAllValues:StringLike": True, "ForAllValues:StringNotLike": False}[operator]:
            return False
    return True


def granted_on_runs(part: str, actions: set[str]) -> set[str]:
    """The functions that may do something with items of the table `runs` in a partition."""
    return {
        function
        for function in FUNCTIONS
        for each in statements(f"{function}Role")
        if each["Resource"] == OF_RUNS and actions & set(as_list(each["Action"])) and is_granted(each, part)
    }


@pytest.mark.parametrize(
    ("part", "writers"),
    [
        pytest.param(LIST, {"IngestSegment", "Report"}, id="the list of runs"),
        pytest.param("campaign#news", {"IngestSegment"}, id="a campaign's uploads"),
        pytest.param("hour#news", {"IngestEvent"}, id="an hour's quota"),
        pytest.param("rate#email", RECORDING, id="a channel's clock"),
        pytest.param(f"{PART}{PACK}", {"Tally"}, id="the sums of a run"),
        pytest.param(part_of("0123456789", PACK), RECORDING, id="a pack of a run"),
        pytest.param(part_of("", PACK), RECORDING, id="a pack of no run: what an event asked for"),
    ],
)
def test_a_part_of_the_runs_is_written_by_those_alone_whose_it_is(part: str, writers: set[str]) -> None:
    """An event's place can name no run's own item, whatever it says."""
    assert granted_on_runs(part, WRITES) == writers


@pytest.mark.parametrize("run_id", ["", "0123456789"])
def test_the_record_of_every_pack_can_be_read_by_who_sends_it(run_id: str) -> None:
    """A condition on keys that a pack without a run does not fit would stop all that events ask for."""
    assert granted_on_runs(part_of(run_id, PACK), {"dynamodb:BatchGetItem"}) >= {"Plan", "Settle"} | SENDING


def test_text_messages_by_sns_can_be_published_to_no_topic_and_no_endpoint() -> None:
    publish = [each for each in statements("DeliversmsRole") if "sns:Publish" in as_list(each["Action"])]
    assert [(each["Effect"], text_of(each["Resource"])) for each in publish] == [
        ("Allow", "*"),
        ("Deny", "arn:${AWS::Partition}:sns:*:*:*"),
    ]


def test_sns_may_send_texts_by_end_user_messaging_in_the_name_of_the_function() -> None:
    """SNS hands texts on to End User Messaging with the rights of its caller (AmazonSNSFullAccess, 2024-09-24)."""
    sending = [each for each in statements("DeliversmsRole") if "sms-voice:SendTextMessage" in as_list(each["Action"])]
    by_sns = [each for each in sending if each["Resource"] == "*"]
    assert [each["Condition"] for each in by_sns] == [{"StringEquals": {"aws:CalledViaLast": "sns.amazonaws.com"}}]
    providers = NESTED["Channelsms"]
    assert by_sns[0] in providers["Resources"]["SmsBySns"]["Properties"]["PolicyDocument"]["Statement"]
    assert providers["Resources"]["SmsBySns"]["Condition"] == "SmsBySns"
    ways = [each["Fn::Equals"] for each in providers["Conditions"]["SmsBySns"]["Fn::Or"]]
    assert all("sns" in way for way in ways)
    assert [part["Ref"] for way in ways for part in way if part != "sns"] == ["SmsProvider", "SmsFailover"]
    (own,) = [each for each in sending if each not in by_sns]
    assert any("configuration-set/${StackName}" in text_of(each) for each in own["Resource"])


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_can_send_on_no_other_channel(channel: str) -> None:
    """One that is new has a row here if it calls one of these services, and none if it calls no AWS."""
    sending = {
        "email": {"ses"},
        "sms": {"sns", "sms-voice"},
        "push": {"sns", "mobiletargeting"},
        "webhook": {"lambda"},
    }
    actions = [action for each in statements(f"Deliver{channel}Role") for action in as_list(each["Action"])]
    services = {action.split(":")[0] for action in actions}
    assert services & {"ses", "sns", "sms-voice", "mobiletargeting", "lambda"} == sending.get(channel, set())


def test_the_report_function_reads_what_decisions_were_made_of_and_writes_reports_alone() -> None:
    found: dict[str, set[str]] = {"s3:GetObject": set(), "s3:PutObject": set()}
    for each in statements("ReportRole"):
        for action in found.keys() & set(as_list(each["Action"])):
            found[action] |= {text_of(resource).rpartition("/")[0] for resource in as_list(each["Resource"])}
    folders = {action: {folder.rpartition("/")[2] for folder in some} for action, some in found.items()}
    assert folders == {"s3:GetObject": {"reports", "decisions", "versions"}, "s3:PutObject": {"reports"}}


@pytest.mark.parametrize("function", sorted({function for function, _ in MAPPINGS}))
def test_a_function_can_park_what_it_cannot_read(function: str) -> None:
    """In the dead letters of a queue of its own."""
    parking = text_of(settings_of(function)["HELIOGRAPH_PARKING_QUEUE"])
    assert parking in {f"{queue_of(each)}-dead-letters" for each in mappings(function).values()}
    assert parking in sent_to(function)


# ---- settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_every_setting_is_in_the_architecture(function: str) -> None:
    documented = ARCHITECTURE.split("## Environment of the functions")[1]
    known: set[str] = set(re.findall(r"`(HELIOGRAPH_[A-Z_<>]+)`", documented))
    assert set(settings_of(function)) <= known


def settings_of(function: str) -> dict[str, Any]:
    return FUNCTIONS[function]["Environment"]["Variables"]  # type: ignore[no-any-return]


def test_the_stack_tells_what_the_architecture_promises() -> None:
    promised = re.findall(r"`(\w+)`", ARCHITECTURE.split("## Outputs of the stack")[1])
    assert set(promised) == set(TEMPLATE["Outputs"])


@pytest.mark.parametrize("parameter", sorted(TEMPLATE["Parameters"]))
def test_every_parameter_is_explained_and_checked(parameter: str) -> None:
    facts = TEMPLATE["Parameters"][parameter]
    assert facts["Description"]
    assert facts.keys() & {"AllowedPattern", "AllowedValues", "MinValue"}


# ---- what is kept, what is seen ----------------------------------------------------------------------------


def test_nothing_that_is_deployed_lets_webhooks_reach_this_machine() -> None:
    """The local cloud alone sets it, for the functions that it runs."""
    deployed = [ROOT / "template.yaml", ROOT / "samconfig.toml", *(ROOT / "infra").glob("**/*.yaml")]
    assert len(deployed) > 10
    assert [path.name for path in deployed if LOCAL_ENDPOINT in path.read_text()] == []
    assert f'"{LOCAL_ENDPOINT}"' in (ROOT / "infra/local/localcloud/endpoint.py").read_text()


def test_data_outlives_the_stack() -> None:
    """What was made in vain goes, but tables: CloudFormation cannot remove what is protected."""
    everything = [each for template in NESTED.values() for each in template["Resources"].items()]
    kept = {name: each for name, each in everything if each["Type"] in KEPT}
    assert {each["Type"] for each in kept.values()} == set(KEPT)
    for name, resource in kept.items():
        deletion = "Retain" if resource["Type"] == "AWS::DynamoDB::Table" else "RetainExceptOnCreate"
        assert (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) == (deletion, "Retain"), name


def test_the_type_that_many_regions_lack_is_in_a_stack_of_its_own_that_is_off_by_default() -> None:
    (name,) = [name for name, template in NESTED.items() if resources(template, "AWS::Pinpoint::App")]
    assert len(NESTED[name]["Resources"]) == 1
    assert NESTED["Delivery"]["Resources"][name]["Condition"] == "MakesPushApplication"
    assert TEMPLATE["Parameters"]["PushProvider"]["Default"] == "none"


def test_tables_are_protected_and_can_be_restored() -> None:
    assert TEMPLATE["Parameters"]["DeletionProtection"]["Default"] == "true"
    for table in everywhere("AWS::DynamoDB::Table").values():
        assert table["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_what_decisions_were_made_of_is_kept_as_long_as_the_decisions() -> None:
    (bucket,) = everywhere("AWS::S3::Bucket").values()
    days = {rule.get("Prefix"): rule.get("ExpirationInDays") for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert days["decisions/"] == days["lake/"] == RETENTION.days
    assert "versions/" not in days


def test_a_failing_or_throttled_function_has_an_alarm() -> None:
    names = {short(function_name(function)) for function in FUNCTIONS}
    assert alarmed("Errors", "FunctionName") == names
    assert alarmed("Throttles", "FunctionName") == names


def test_logs_are_not_kept_for_ever() -> None:
    groups = everywhere("AWS::Logs::LogGroup").values()
    assert {text_of(group["LogGroupName"]) for group in groups} == {
        f"/aws/lambda/{function_name(function)}" for function in FUNCTIONS
    }
    assert all(group["RetentionInDays"] for group in groups)


def test_metrics_of_two_stacks_are_told_apart() -> None:
    """And dashboards of two regions, which share their names."""
    for name, alarm in ALARMS.items():
        stacks = [each["Value"] for each in alarm.get("Dimensions", []) if each["Name"] == "stack"]
        assert stacks == ([{"Ref": "StackName"}] if alarm["Namespace"] == "Heliograph" else []), name
    (dashboard,) = everywhere("AWS::CloudWatch::Dashboard").values()
    assert "${AWS::Region}" in text_of(dashboard["DashboardName"])
    ours = [each for each in shown(dashboard) if "{Heliograph," in each]
    assert ours
    assert all('{Heliograph,stack,channel} stack="${StackName}"' in each for each in ours)


def shown(dashboard: Properties) -> list[str]:
    """What the dashboard searches for."""
    widgets = dashboard["DashboardBody"]["Fn::ToJsonString"]["widgets"]
    metrics = [metric for widget in widgets for metric in widget["properties"]["metrics"]]
    return [text_of(metric[0]["expression"]) for metric in metrics if isinstance(metric[0], dict)]


def code_in(folder: str) -> Iterator[Path]:
    return (ROOT / folder).rglob("*.py")


def test_the_dashboard_shows_the_five_verbs_by_metrics_that_the_functions_count() -> None:
    (dashboard,) = everywhere("AWS::CloudWatch::Dashboard").values()
    widgets = dashboard["DashboardBody"]["Fn::ToJsonString"]["widgets"]
    verbs = [widget["properties"]["title"].partition(":")[0] for widget in widgets]
    assert list(dict.fromkeys(verbs))[:5] == ["Ingest", "Plan", "Deliver", "Record", "Report"]
    code = "".join(path.read_text() for folder in ("functions", "layers/heliograph") for path in code_in(folder))
    named = metrics_of(dashboard)
    assert len(named) > 10
    assert not [name for name in named if f'"{name}"' not in code]


def metrics_of(dashboard: Properties) -> set[str]:
    """Our own."""
    return {name for each in shown(dashboard) if "{Heliograph," in each for name in re.findall(r'"(\w+)"', each)}


def is_raised(name: str, line: dict[str, Any]) -> bool:
    """Whether a line of metrics raises an alarm; it must be the very metric that the alarm watches."""
    alarm = ALARMS[name]
    (metrics,) = line["_aws"]["CloudWatchMetrics"]
    assert alarm["Namespace"] == metrics["Namespace"]
    assert alarm["MetricName"] in {each["Name"] for each in metrics["Metrics"]}
    watched = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    assert [*watched] == metrics["Dimensions"][0]
    assert (watched["stack"], watched["channel"]) == ({"Ref": "StackName"}, line["channel"])
    assert (alarm["ComparisonOperator"], alarm["Statistic"]) == ("GreaterThanThreshold", "Sum")
    return bool(line[alarm["MetricName"]] > alarm["Threshold"])


def test_somebody_on_whom_nothing_can_be_decided_raises_an_alarm(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One is enough; the alarm watches the very metric that `plan` and `deliver` count."""
    monkeypatch.setenv("HELIOGRAPH_STACK", "shop")
    count_decisions(Planned(people=1, again=False, dispatched={}, skipped={Reason.UNDECIDABLE: 1}, scheduled=0))
    count_refused("email", [("order-shipped", Reason.UNDECIDABLE, "")])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(is_raised("Undecidable", json.loads(line)) for line in lines)


def test_work_that_fails_for_minutes_raises_an_alarm_that_lasts_until_it_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The age of its queue does not tell: SQS leaves out what was received three times."""
    monkeypatch.setenv("HELIOGRAPH_STACK", "shop")
    count_retried([FEW_TRIES])
    count_retried([FEW_TRIES + 1, 1])
    (line,) = capsys.readouterr().out.splitlines()
    assert is_raised("Retried", json.loads(line))
    waited = sum(delay(tries, "r") for tries in range(1, FEW_TRIES + 1))
    assert 60 < waited <= 124
    assert max(delay(tries, "r") for tries in range(1, RECEIVES)) < ALARMS["Retried"]["Period"]


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_every_alarm_is_in_the_runbook(alarm: str) -> None:
    name = short(ALARMS[alarm]["AlarmName"])
    rows = re.findall(r"^\| (.+?) \| \S", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)
    known = [known for row in rows for known in re.findall(r"`([a-z<>-]+)`", row)]
    assert any(re.fullmatch(re.sub("<[a-z]+>", "[a-z-]+", each), name) for each in known)


def test_unsubscribing_leads_somewhere() -> None:
    (rule,) = TEMPLATE["Rules"]["Unsubscribe"]["Assertions"]
    given = [{"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in ("UnsubscribeUrl", "UnsubscribeMailto")]
    assert rule["Assert"] == {"Fn::Or": given}


def test_an_alarm_reaches_somebody_and_needs_no_arithmetic() -> None:
    """The local cloud refuses alarms on formulas."""
    for name, alarm in ALARMS.items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert "Metrics" not in alarm, name


def test_the_columns_of_the_lake_are_what_is_kept_of_an_event() -> None:
    (table,) = everywhere("AWS::Glue::Table").values()
    columns = {each["Name"] for each in table["TableInput"]["StorageDescriptor"]["Columns"]}
    assert columns == {*EngagementEvent.__struct_fields__} - {"address"}
