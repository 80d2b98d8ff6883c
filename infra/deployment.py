"""What `make deploy` must know before it builds: the answers that are kept, and what would fail an hour later.

python infra/deployment.py kept Runtime python3.13      the answer kept in samconfig.toml, else the second word
python infra/deployment.py check      what AWS would refuse, on standard error
python infra/deployment.py arguments Runtime=python3.13 Architecture=arm64      for `sam deploy`
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from heliograph.channels.registry import CHANNELS

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ROOT / "samconfig.toml"
REGIONS = ROOT / "infra/regions.txt"
DEFAULT_CHANNELS = "email,sms,push"

PUSH_REGIONS = (
    *("ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1"),
    *("eu-central-1", "eu-west-1", "eu-west-2", "us-east-1", "us-east-2", "us-west-2"),
)
"""Where Pinpoint's push API can be called at all (botocore's endpoints)."""
WITHOUT_PUSH_TYPE = ("us-east-2",)
"""Those of them in which CloudFormation cannot make an application (the linter's schemas)."""
WAITING = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)
"""Where SQS counts what a queue holds."""


def answers(settings: Path = SETTINGS) -> dict[str, str]:
    """The parameters that the first deployment has kept."""
    kept = _deploy(settings).get("parameter_overrides", "")
    words = shlex.split(kept) if isinstance(kept, str) else [str(each) for each in kept]
    return dict(word.split("=", 1) for word in words if "=" in word)


def arguments(given: dict[str, str], settings: Path = SETTINGS) -> str:
    """The parameters for `sam deploy`, as the shell reads them: those that are kept, but for what is given now.

    On its command line SAM takes all or none: what is not named there is forgotten. The first time it asks for all.
    """
    kept = answers(settings)
    named = (f'{name}="{_quoted(value)}"' for name, value in (kept | given).items())
    return " ".join(["--parameter-overrides", *map(shlex.quote, named), *([] if kept else ["--guided"])])


def problems(settings: Path = SETTINGS) -> Iterator[str]:
    """What AWS would refuse, and only after a while."""
    stack, kept = _stack(settings), answers(settings)
    channels = [each.strip() for each in kept.get("Channels", DEFAULT_CHANNELS).split(",")]
    longest = longest_name(channels)
    if len(stack) > longest or not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", stack):
        yield (
            f"The stack cannot be called {stack}: at most {longest} letters, digits and hyphens, a letter first,"
            " because queues and functions are named after it. Change stack_name in samconfig.toml."
        )
    if unknown := [each for each in channels if each not in CHANNELS]:
        yield (
            f"There is no channel {' and no channel '.join(map(repr, unknown))}. Name one or more of"
            f" {', '.join(CHANNELS)} as Channels in samconfig.toml."
        )
    region = _deploy(settings).get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    known = REGIONS.read_text().split()
    if region and region not in known:
        yield f"Heliograph does not run in {region}: it lacks a service. Set AWS_REGION to one of: {', '.join(known)}."
    if region and kept.get("PushProvider") == "pinpoint":
        yield from _push_problems(region, kept.get("PushApplication", ""))


def losses(sqs: Callable[[], Any], settings: Path = SETTINGS) -> Iterator[str]:
    """What a stack that exists would lose for good: CloudFormation deletes the queues of a channel that it leaves out.

    Raises what the client of SQS raises. `sqs` makes it; the first deployment, which has nothing to lose, needs none.
    """
    kept, stack = answers(settings), _stack(settings)
    named = [each.strip() for each in kept.get("Channels", DEFAULT_CHANNELS).split(",")]
    for channel in (each for each in CHANNELS if kept and each not in named):
        client, full = sqs(), []
        for url in client.list_queues(QueueNamePrefix=f"{stack}-outbox-{channel}-").get("QueueUrls", []):
            held = client.get_queue_attributes(QueueUrl=url, AttributeNames=WAITING)["Attributes"]
            full += [url.rpartition("/")[2]] if any(map(int, held.values())) else []
        if full:
            yield (
                f"Without the channel {channel} the stack loses what is in {', '.join(full)}. Keep it among Channels in"
                " samconfig.toml until they are empty (docs/deploy.md, Change it)."
            )


def longest_name(channels: list[str]) -> int:
    """How long a stack's name may be: SQS takes 80 characters, Lambda 64, and both follow the longest channel."""
    channel = max(channels, key=len)
    queue, function = (
        f"-outbox-{channel}-priority-dead-letters",
        max("-import-recipients", f"-deliver-{channel}", key=len),
    )
    return min(80 - len(queue), 64 - len(function))


def _push_problems(region: str, application: str) -> Iterator[str]:
    if region not in PUSH_REGIONS:
        yield f"{region} has no push API of Pinpoint. Set PushProvider to sns or none in samconfig.toml."
    elif region in WITHOUT_PUSH_TYPE and not application:
        yield (
            f"In {region} CloudFormation cannot make the application for push. Make one (aws pinpoint create-app) and"
            " name its id as PushApplication in samconfig.toml, or set PushProvider to sns or none."
        )


def _stack(settings: Path) -> str:
    parameters = _read(settings).get("default", {})
    own = parameters.get("deploy", {}).get("parameters", {}).get("stack_name")
    return str(own or parameters.get("global", {}).get("parameters", {}).get("stack_name", ""))


def _deploy(settings: Path) -> dict[str, str]:
    found: dict[str, str] = _read(settings).get("default", {}).get("deploy", {}).get("parameters", {})
    return found


def _read(settings: Path) -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    return tomllib.loads(settings.read_text())


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _losses_as_far_as_can_be_seen() -> list[str]:
    """Losses; none where nobody may look: `sam deploy` says then what is wrong with the profile."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    quick = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    chosen = _deploy(SETTINGS)
    try:
        session = boto3.Session(profile_name=chosen.get("profile"), region_name=chosen.get("region"))
        return [*losses(lambda: session.client("sqs", config=quick))]
    except (BotoCoreError, ClientError) as error:
        print(f"Nobody looked for what waits in outboxes: {type(error).__name__}.", file=sys.stderr)  # noqa: T201
        return []


def main(words: list[str]) -> int:
    """One command."""
    match words:
        case ["kept", name, otherwise]:
            print(answers().get(name, otherwise))  # noqa: T201
        case ["check"]:
            found = [*problems(), *_losses_as_far_as_can_be_seen()]
            for problem in found:
                print(problem, file=sys.stderr)  # noqa: T201
            return 1 if found else 0
        case ["arguments", *given]:
            print(arguments(dict(each.split("=", 1) for each in given)))  # noqa: T201
        case _:
            print(__doc__, file=sys.stderr)  # noqa: T201
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
