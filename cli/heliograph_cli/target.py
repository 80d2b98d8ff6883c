"""Which Heliograph a command works on: the running local cloud, or a stack on AWS."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from heliograph_cli.failures import SIGN_IN, Trouble
from heliograph_cli.local.cloud import REGION, STACK, STATE, is_running, known
from heliograph_cli.local.stack import session as local_session
from heliograph_cli.options import given

if TYPE_CHECKING:
    import boto3
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

CONNECTIONS = 32  # parallel imports
ANSWER_SECONDS = 330  # the report function's Timeout in infra/reporting.yaml, and a little for the way back


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
    """The target of this command: `--endpoint-url`, else AWS when the command says so, else the local cloud.

    AWS is never used because a local cloud is gone: that is said, and what was meant is for the operator to say.
    """
    stack, region = given("stack"), given("region")
    if endpoint := given("endpoint_url"):
        return Target(stack or STACK, region or REGION, endpoint.rstrip("/"), given("profile"))
    if given("profile") or given("aws"):
        return _on_aws()
    cloud = known(STATE)
    if cloud and is_running(cloud):
        return Target(stack or cloud.stack, region or cloud.region, cloud.endpoint)
    if cloud:
        raise Gone(cloud.endpoint)
    if stack or region:
        return _on_aws()
    raise Nowhere


def _on_aws() -> Target:
    """A stack on AWS; an empty region is that of the profile. botocore itself reads AWS_DEFAULT_REGION only."""
    region = given("region") or os.environ.get("AWS_REGION", "")
    return Target(given("stack") or STACK, region, profile=given("profile"))


class Nowhere(Trouble):
    """No local cloud runs, and nothing says that AWS is meant."""

    def __init__(self) -> None:
        super().__init__("No local cloud is running, and AWS was not asked for.", SIGN_IN)


class Gone(Trouble):
    """The local cloud that was started here has ended."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(
            f"The local cloud at {endpoint} is gone, and what was in it.",
            "`heliograph up` starts it anew, `heliograph down` forgets it, --aws or --profile NAME works on AWS.",
        )
        self.endpoint = endpoint


@cache
def session(target: Target) -> boto3.Session:
    import boto3

    is_loopback = urlsplit(target.endpoint).hostname in {"127.0.0.1", "localhost", "::1"}
    if is_loopback and not target.profile:
        return local_session(target.region)
    region = target.region or os.environ.get("AWS_REGION")  # boto3 itself knows AWS_DEFAULT_REGION alone
    return boto3.Session(profile_name=target.profile or None, region_name=region or None)


def credentials_live_for(target: Target) -> float | None:
    """Seconds until the credentials in use end; infinite for an access key, None for a token that does not say.

    A link that is signed with a role's or a sign-in's credentials is dead when they are.
    """
    credentials = session(target).get_credentials()
    if credentials is None or not credentials.token:
        return math.inf
    ends = getattr(credentials, "_expiry_time", None)  # of credentials that botocore fetched itself
    return (ends - datetime.now(UTC)).total_seconds() if ends else None


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
