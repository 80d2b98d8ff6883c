"""Which Heliograph a command works on: the running local cloud, or a stack on AWS."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from heliograph_cli.cloud import REGION, STACK, STATE, running
from heliograph_cli.options import given

if TYPE_CHECKING:
    import boto3
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

LOCAL_KEY = "test"  # the local cloud's root key; the real one is never sent there
CONNECTIONS = 32  # parallel imports
ANSWER_SECONDS = 330  # the report function's Timeout in template.yaml, and a little for the way back


@dataclass(frozen=True)
class Target:
    """A stack and how to reach it; an empty endpoint is AWS itself."""

    stack: str
    region: str = ""
    endpoint: str = ""
    profile: str = ""

    @property
    def is_local(self) -> bool:
        return bool(self.endpoint)

    def __str__(self) -> str:
        if self.endpoint:
            return f"stack {self.stack} on the local cloud at {self.endpoint}"
        profile = f", profile {self.profile}" if self.profile else ""
        region = self.region or "the profile's region"
        return f"stack {self.stack} on AWS ({region}{profile})"


def chosen() -> Target:
    """The target of this command: `--endpoint-url`, else `--profile`, else the running local cloud, else AWS."""
    stack, region, profile = given("stack"), given("region"), given("profile")
    if endpoint := given("endpoint_url"):
        return Target(stack or STACK, region or REGION, endpoint.rstrip("/"), profile)
    if not profile and (cloud := running(STATE)):
        return Target(stack or cloud.stack, region or cloud.region, cloud.endpoint)
    return Target(stack or STACK, region, profile=profile)


def is_explicit() -> bool:
    """Whether the command or the environment says which AWS account to work on."""
    named = any(given(name) for name in ("stack", "profile", "region", "endpoint_url"))
    return named or bool(os.environ.get("AWS_PROFILE") or os.environ.get("AWS_ACCESS_KEY_ID"))


@cache
def session(target: Target) -> boto3.Session:
    import boto3

    is_loopback = urlsplit(target.endpoint).hostname in {"127.0.0.1", "localhost", "::1"}
    if is_loopback and not target.profile:
        return boto3.Session(LOCAL_KEY, LOCAL_KEY, region_name=target.region)
    return boto3.Session(profile_name=target.profile or None, region_name=target.region or None)


def client(target: Target, service: str) -> Any:
    """Any client, for questions that are not worth many tries."""
    from botocore.config import Config

    make: Any = session(target).client
    config = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4})
    return make(service, endpoint_url=target.endpoint or None, config=config)


def cloudformation(target: Target) -> CloudFormationClient:
    return session(target).client("cloudformation", endpoint_url=target.endpoint or None)


def dynamodb(target: Target) -> DynamoDBClient:
    """With room for parallel imports."""
    from botocore.config import Config

    config = Config(max_pool_connections=CONNECTIONS)
    return session(target).client("dynamodb", endpoint_url=target.endpoint or None, config=config)


def events(target: Target) -> EventBridgeClient:
    return session(target).client("events", endpoint_url=target.endpoint or None)


def functions(target: Target) -> LambdaClient:
    """Waits longer than a function may take, and never runs one twice because its answer did not come."""
    from botocore.config import Config

    config = Config(read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 1}, tcp_keepalive=True)
    return session(target).client("lambda", endpoint_url=target.endpoint or None, config=config)


def s3(target: Target) -> S3Client:
    """With links that every region accepts; buckets have no host names of their own on the local cloud."""
    from botocore.config import Config

    config = Config(signature_version="s3v4", s3={"addressing_style": "path" if target.is_local else "auto"})
    return session(target).client("s3", endpoint_url=target.endpoint or None, config=config)


def sqs(target: Target) -> SQSClient:
    return session(target).client("sqs", endpoint_url=target.endpoint or None)
