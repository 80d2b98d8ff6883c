"""What is left of botocore in the layer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.config import Config

from permissions import calls
from trim_botocore import ADDRESSED_BY_RULES, OPERATIONS
from wiring import FUNCTIONS

LEFT = {f"{service}:{operation}" for service, operations in OPERATIONS.items() for operation in operations}


def test_what_is_left_in_the_layer_is_what_functions_call() -> None:
    """By their code, on all channels: what only operators call works with a botocore of their own."""
    called = {call.operation for function in FUNCTIONS for call in calls(function)}
    called = {operation for operation in called if ":PartiQL" not in operation}
    assert called - LEFT == set(), "add the operations to layers/heliograph/trim_botocore.py"
    assert LEFT - called == set(), "no function calls these any more"


def addressed(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
    """Answer a call with where it would have gone."""
    return SimpleNamespace(status_code=200), {"url": params["url"]}


@pytest.mark.parametrize("service", sorted(OPERATIONS.keys() - set(ADDRESSED_BY_RULES)))
def test_a_service_that_loses_its_rules_keeps_its_address_in_every_region(service: str) -> None:
    session, config = botocore.session.Session(), Config(parameter_validation=False)
    partitions = session.get_available_partitions()
    regions = [region for name in partitions for region in session.get_available_regions("dynamodb", name)]
    assert "eu-central-1" in regions
    for region in regions:
        client: Any = session.create_client(service, region_name=region, config=config)
        client.meta.events.register("before-call", addressed)
        for operation in OPERATIONS[service]:
            members = client.meta.service_model.operation_model(operation).input_shape.members
            needed: Any = {name: "x" for name, shape in members.items() if shape.serialization.get("location") == "uri"}
            needed |= {"RequestItems": {}} if "RequestItems" in members else {}
            url = getattr(client, xform_name(operation))(**needed)["url"]
            assert url.startswith(client.meta.endpoint_url + "/"), f"{operation} in {region}"
