"""What ministack's CloudFormation drops or refuses although a template of ours may say it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.services import cloudwatch, dynamodb, lambda_svc
from ministack.services.cloudformation import _stacks, engine, provisioners

from localcloud import http_api
from localcloud.calls import arn

Properties = dict[str, Any]
PROPERTIES_AT = {"create": 1, "update": 2}
"""Where in the arguments of a handler the wanted properties are."""
EVENT_SOURCE_NUMBERS = ("BatchSize", "MaximumBatchingWindowInSeconds", "MaximumRetryAttempts")
CONCURRENCY = max(2, os.cpu_count() or 2)
METRIC_KEYS = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")


def before(type_name: str, correct: Callable[[Properties], Properties]) -> None:
    """Before a resource of this type is created or updated, correct what would break ministack."""
    handlers = provisioners._RESOURCE_HANDLERS[type_name]
    for verb, place in PROPERTIES_AT.items():
        handlers[verb] = _first(handlers[verb], correct, place)


def _first(provision: Any, correct: Callable[[Properties], Properties], place: int) -> Any:
    def correct_and_provision(*given: Any) -> Any:
        return provision(*given[:place], correct(given[place]), *given[place + 1 :])

    return correct_and_provision


def after(type_name: str, apply: Callable[[str, Properties], None]) -> None:
    """After a resource of this type is created or updated, apply what was dropped."""
    handlers = provisioners._RESOURCE_HANDLERS[type_name]
    for verb, place in PROPERTIES_AT.items():
        handlers[verb] = _then(handlers[verb], apply, place)


def _then(provision: Any, apply: Callable[[str, Properties], None], place: int) -> Any:
    def provision_and_apply(*given: Any) -> Any:
        made = provision(*given)
        apply(made[0], given[place])
        return made

    return provision_and_apply


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _table(name: str, properties: Properties) -> None:
    ttl = properties.get("TimeToLiveSpecification")
    if ttl:
        given = {"Enabled": _is_true(ttl.get("Enabled")), "AttributeName": ttl["AttributeName"]}
        dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": given})
    recovery = properties.get("PointInTimeRecoverySpecification") or {}
    if _is_true(recovery.get("PointInTimeRecoveryEnabled")):
        dynamodb._pitr_settings[name] = True


def _function(name: str, properties: Properties) -> None:
    function = lambda_svc._functions[name]
    if properties.get("ReservedConcurrentExecutions") is not None:
        function["concurrency"] = int(properties["ReservedConcurrentExecutions"])
    if properties.get("DeadLetterConfig"):
        function["config"]["DeadLetterConfig"] = properties["DeadLetterConfig"]
    function["recursive_loop"] = properties.get("RecursiveLoop", "Terminate")


def _event_source(properties: Properties) -> Properties:
    """A number that comes through a parameter is text, and such a mapping stops all others of ministack.

    More workers than this machine has cores would only start cold and wait for each other.
    """
    numbers = {key: int(value) for key, value in properties.items() if key in EVENT_SOURCE_NUMBERS}
    scaling = properties.get("ScalingConfig") or {}
    numbered = (
        {"ScalingConfig": {key: min(int(value), CONCURRENCY) for key, value in scaling.items()}} if scaling else {}
    )
    return {**properties, **numbers, **numbered}


_handed_down: ContextVar[list[Properties]] = ContextVar("handed_down", default=[])  # noqa: B039 - never changed
"""The parameters that a nested stack gets from its parent: a loop may go over one of them."""


def _accept_nested_transforms() -> None:
    """Transform a nested template where its capabilities are checked, the one place that sees it parsed."""
    check, deploy = provisioners._check_nested_stack_capabilities, provisioners._cfn_nested_stack_deploy

    def deploy_with_parameters(logical_id: str, properties: Properties, parent: str, **earlier: Any) -> Any:
        given = properties.get("Parameters") or {}
        token = _handed_down.set([{"Key": key, "Value": str(value)} for key, value in given.items()])
        try:
            return deploy(logical_id, properties, parent, **earlier)
        finally:
            _handed_down.reset(token)

    def check_and_transform(parent: str, template: dict[str, Any]) -> None:
        check(parent, template)
        plain = engine._apply_transforms(template, _handed_down.get())
        if plain is not template:
            template.clear()
            template.update({key: value for key, value in plain.items() if key != "Transform"})

    provisioners._cfn_nested_stack_deploy = deploy_with_parameters
    provisioners._check_nested_stack_capabilities = check_and_transform


def _keep_attributes() -> None:
    """When a nested stack is updated, ministack forgets the attributes of what did not change."""
    update = provisioners._update_resource

    def keep(kind: str, physical: str, old: Any, new: Any, stack: str, logical: str = "", attrs: Any = None) -> Any:
        made = _stacks.get(stack, {}).get("_resources", {}).get(logical, {})
        return update(kind, physical, old, new, stack, logical or None, attrs or made.get("Attributes"))

    provisioners._update_resource = keep


def _accept_metric_math() -> None:
    """Keep an alarm on a formula; CloudWatch here cannot evaluate it, so it stays without data."""
    put = provisioners._cw_metric_alarm_put

    def put_any(name: str, properties: Properties) -> Any:
        if not properties.get("Metrics"):
            return put(name, properties)
        plain = {key: value for key, value in properties.items() if key not in (*METRIC_KEYS, "Tags")}
        now = {"StateUpdatedTimestamp": int(time.time()), "AlarmConfigurationUpdatedTimestamp": int(time.time())}
        state = {"StateValue": "INSUFFICIENT_DATA", "StateReason": "Metric math is not evaluated locally"}
        alarm_arn = arn("cloudwatch", f"alarm:{name}")
        facts = {"AlarmName": name, "AlarmArn": alarm_arn, "ActionsEnabled": True, **plain, **state, **now}
        lists = {key: plain.get(key) or [] for key in ("AlarmActions", "OKActions", "InsufficientDataActions")}
        numbers = {"EvaluationPeriods": int(plain.get("EvaluationPeriods", 1)), "Threshold": float(plain["Threshold"])}
        cloudwatch.cloudformation_put_metric_alarm({**facts, **lists, **numbers})
        return name, {"Arn": alarm_arn}

    provisioners._cw_metric_alarm_put = put_any


def install() -> None:
    """Fill the gaps."""
    after("AWS::DynamoDB::Table", _table)
    after("AWS::Lambda::Function", _function)
    before("AWS::Lambda::EventSourceMapping", _event_source)
    after("AWS::ApiGatewayV2::Api", http_api.import_body)
    _accept_nested_transforms()
    _keep_attributes()
    _accept_metric_math()
