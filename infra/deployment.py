"""What `make deploy` must know before it builds: the answers that are kept, and what would fail an hour later.

python infra/deployment.py kept Runtime python3.13      the answer kept in samconfig.toml, else the second word
python infra/deployment.py check      what AWS would refuse, and what goes with a channel, on standard error
python infra/deployment.py arguments Runtime=python3.13 Architecture=arm64      for `sam deploy`
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from heliograph.channels.registry import CHANNELS, refusal

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
SNS_WITHOUT_PUSH = ("ap-south-2", "ca-west-1", "eu-central-2", "il-central-1")
SNS_WITHOUT_SMS = ("ap-northeast-2",)
"""Regions of ours that are not in the lists of SNS's documentation (sns-mobile-push-supported-regions,
sns-supported-regions-countries)."""
GOES_WITH = {
    "email": "its configuration set and its stream, so that nobody hears of bounces that are still to come",
    "sms": "its configuration set and its topic, so that nobody hears of final states or of what two-way numbers get",
}
"""What a channel's template makes for its provider, and is deleted with it."""
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
    Then `Channels` is always named: a stack keeps those that it has, while SAM packs those of the template if not told.
    """
    kept = answers(settings)
    if kept:
        kept = {"Channels": DEFAULT_CHANNELS} | kept
    named = (f'{name}="{_quoted(value)}"' for name, value in (kept | given).items())
    return " ".join(["--parameter-overrides", *map(shlex.quote, named), *([] if kept else ["--guided"])])


def problems(settings: Path = SETTINGS) -> Iterator[str]:
    """What AWS would refuse, and only after a while."""
    stack, kept = _stack(settings), answers(settings)
    channels = _channels(kept)
    longest = longest_name(channels)
    if len(stack) > longest or not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", stack):
        yield (
            f"The stack cannot be called {stack}: at most {longest} letters, digits and hyphens, a letter first,"
            " because queues and functions are named after it. Change stack_name in samconfig.toml."
        )
    if refused := refusal(",".join(channels)):
        yield f"{refused} Channels is among parameter_overrides in samconfig.toml."
    region = _deploy(settings).get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    known = REGIONS.read_text().split()
    if region and region not in known:
        yield f"Heliograph does not run in {region}: it lacks a service. Set AWS_REGION to one of: {', '.join(known)}."
    if region and kept.get("PushProvider") == "pinpoint":
        yield from _push_problems(region, kept.get("PushApplication", ""))
    if region in SNS_WITHOUT_PUSH and kept.get("PushProvider") == "sns":
        yield f"SNS has no mobile push in {region}. Set PushProvider to none in samconfig.toml."
    if region in SNS_WITHOUT_SMS and "sns" in (kept.get("SmsProvider"), kept.get("SmsFailover")):
        yield f"SNS sends no SMS from {region}. Take End User Messaging as SmsProvider, and none as SmsFailover."


def leaving(sqs: Callable[[], Any], settings: Path = SETTINGS) -> dict[str, list[str]]:
    """The channels that a stack would lose with this deployment, each with those of its queues that hold something.

    Raises what the client of SQS raises. `sqs` makes it; the first deployment, which has nothing to lose, needs none.
    """
    kept, stack = answers(settings), _stack(settings)
    found: dict[str, list[str]] = {}
    for channel in (each for each in CHANNELS if kept and each not in _channels(kept)):
        client = sqs()
        for url in client.list_queues(QueueNamePrefix=f"{stack}-outbox-{channel}-").get("QueueUrls", []):
            held = client.get_queue_attributes(QueueUrl=url, AttributeNames=WAITING)["Attributes"]
            found.setdefault(channel, []).extend([url.rpartition("/")[2]] * any(map(int, held.values())))
    return found


def losses(leaving: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What would be lost for good: CloudFormation deletes the queues of a channel that is left out."""
    for channel, full in leaving.items():
        if full:
            yield (
                f"Without the channel {channel} the stack loses what is in {', '.join(full)}. Keep it among Channels in"
                " samconfig.toml until they are empty (docs/deploy.md, Change it)."
            )


def farewells(leaving: Iterable[str]) -> Iterator[str]:
    """What goes with channels that are left out, for whoever confirms the change."""
    for channel in leaving:
        further = f", {GOES_WITH[channel]}" if channel in GOES_WITH else ""
        yield (
            f"The channel {channel} is taken out. With it go its queues, its function, its log{further}."
            " Confirm the change if no message has named it for three days (docs/deploy.md, Change it)."
        )


def longest_name(channels: list[str]) -> int:
    """How long a stack's name may be: SQS takes 80 characters, Lambda 64, and both follow the longest channel."""
    channel = max(channels, key=len)
    queue, function = (
        f"-outbox-{channel}-priority-dead-letters",
        max("-import-recipients", f"-deliver-{channel}", key=len),
    )
    return min(80 - len(queue), 64 - len(function))


def _channels(kept: Mapping[str, str]) -> list[str]:
    """As CloudFormation splits them, blanks and all."""
    return kept.get("Channels", DEFAULT_CHANNELS).split(",")


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


def _leaving_as_far_as_can_be_seen() -> dict[str, list[str]]:
    """Channels that would go; none where nobody may look: `sam deploy` says then what is wrong with the profile."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    quick = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    chosen = _deploy(SETTINGS)
    try:
        session = boto3.Session(profile_name=chosen.get("profile"), region_name=chosen.get("region"))
        return leaving(lambda: session.client("sqs", config=quick))
    except (BotoCoreError, ClientError) as error:
        print(f"Nobody looked for what waits in outboxes: {type(error).__name__}.", file=sys.stderr)  # noqa: T201
        return {}


def main(words: list[str]) -> int:
    """One command."""
    match words:
        case ["kept", name, otherwise]:
            print(answers().get(name, otherwise))  # noqa: T201
        case ["check"]:
            going = _leaving_as_far_as_can_be_seen()
            found = [*problems(), *losses(going)]
            for said in found or farewells(going):
                print(said, file=sys.stderr)  # noqa: T201
            return 1 if found else 0
        case ["arguments", *given]:
            print(arguments(dict(each.split("=", 1) for each in given)))  # noqa: T201
        case _:
            print(__doc__, file=sys.stderr)  # noqa: T201
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
