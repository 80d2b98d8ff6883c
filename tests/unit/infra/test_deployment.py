"""What `make deploy` knows before it builds, and where Heliograph can be deployed at all."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # it brings no types

from heliograph.channels.registry import CHANNELS
from infra import deployment
from wiring import DEFAULT_CHANNELS, FUNCTIONS, NESTED, ROOT, TEMPLATE, load, resources, text_of

REGIONS = deployment.REGIONS.read_text().split()
EVERYWHERE = (TEMPLATE, *(template for name, template in NESTED.items() if name != "Pinpoint"))
REGION = r"[a-z]{2}-[a-z]+-\d"
BY_SAM = {"AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::LayerVersion"}
GUIDED = """
[default.global.parameters]
stack_name = "heliograph"
[default.deploy.parameters]
region = "eu-west-1"
parameter_overrides = "SmsProvider=\\"sns\\" Runtime=\\"python3.13\\" EmailSender=\\"\\\\\\"A\\\\\\" <a@example.com>\\""
"""
"""As `sam deploy --guided` writes it."""


def settings(tmp_path: Path, text: str = GUIDED) -> Path:
    path = tmp_path / "samconfig.toml"
    path.write_text(text)
    return path


def parameters(arguments: str) -> dict[str, str]:
    """What SAM makes of its arguments: it reads them as a shell would, once more."""
    words = [shlex.split(word)[0] for word in shlex.split(arguments) if "=" in word]
    return dict(word.split("=", 1) for word in words)


def test_what_is_given_now_goes_before_the_answers_that_are_kept(tmp_path: Path) -> None:
    found = deployment.arguments({"Runtime": "python3.12"}, settings(tmp_path))
    assert parameters(found) == {
        "Channels": deployment.DEFAULT_CHANNELS,
        "SmsProvider": "sns",
        "Runtime": "python3.12",
        "EmailSender": '"A" <a@example.com>',
    }
    assert "--guided" not in found


def test_the_channels_of_the_stack_are_those_that_sam_packs_even_where_no_answer_names_them(tmp_path: Path) -> None:
    """A parameter that is not named stays as it is in the stack, while SAM packs what the template names."""
    for kept, said in (("", deployment.DEFAULT_CHANNELS), ("Channels=email,webhook ", "email,webhook")):
        text = GUIDED.replace("SmsProvider", f"{kept}SmsProvider")
        assert parameters(deployment.arguments({}, settings(tmp_path, text)))["Channels"] == said


class Queues:
    """SQS, where two outboxes are; the one of single webhooks holds so many messages, of whatever kind."""

    def __init__(self, **held: str) -> None:
        self.held = held

    def list_queues(self, **asked: str) -> dict[str, list[str]]:
        names = ("heliograph-outbox-email-bulk", "heliograph-outbox-webhook-bulk", "heliograph-outbox-webhook-priority")
        return {"QueueUrls": [f"https://sqs/1/{name}" for name in names if name.startswith(asked["QueueNamePrefix"])]}

    def get_queue_attributes(self, **asked: Any) -> dict[str, dict[str, str]]:
        held = self.held if asked["QueueUrl"].endswith("priority") else {}
        return {"Attributes": {name: held.get(name, "0") for name in asked["AttributeNames"]}}


@pytest.mark.parametrize("kind", deployment.WAITING)
def test_a_channel_is_not_taken_out_while_something_waits_in_its_outbox(tmp_path: Path, kind: str) -> None:
    (problem,) = deployment.losses(deployment.leaving(lambda: Queues(**{kind: "1"}), settings(tmp_path)))
    assert "heliograph-outbox-webhook-priority" in problem
    assert "webhook-bulk" not in problem
    assert [*deployment.losses(deployment.leaving(Queues, settings(tmp_path)))] == []


def test_who_takes_out_a_channel_is_told_what_goes_with_it(tmp_path: Path) -> None:
    (said,) = deployment.farewells(deployment.leaving(Queues, settings(tmp_path)))
    assert "channel webhook is taken out" in said
    mails = settings(tmp_path, GUIDED.replace("SmsProvider", "Channels=sms,push,webhook SmsProvider"))
    (said,) = deployment.farewells(deployment.leaving(Queues, mails))
    assert deployment.GOES_WITH["email"] in said


def test_what_goes_with_a_channel_is_what_its_template_makes_for_its_provider() -> None:
    made = {
        channel: {each["Type"] for each in NESTED[f"Channel{channel}"]["Resources"].values()} for channel in CHANNELS
    }
    assert {channel for channel, types in made.items() if any("ConfigurationSet" in each for each in types)} == {
        *deployment.GOES_WITH
    }


def test_nobody_looks_for_what_a_first_deployment_could_lose_or_one_with_every_channel(tmp_path: Path) -> None:
    nothing = settings(tmp_path, '[default.global.parameters]\nstack_name = "heliograph"\n')
    assert deployment.leaving(lambda: pytest.fail("it looked"), nothing) == {}
    every = settings(tmp_path, GUIDED.replace("SmsProvider", f"Channels={','.join(CHANNELS)} SmsProvider"))
    assert deployment.leaving(lambda: pytest.fail("it looked"), every) == {}


def test_make_deploy_looks_again_when_it_has_built() -> None:
    """Building takes minutes, in which messages may come into an outbox."""
    (recipe,) = re.findall(r"^deploy: \$\(sam\).*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    steps = re.findall(r"\$\(deployment\) check|\$\(sam_cli\) (?:build|deploy)", recipe)
    assert steps == ["$(deployment) check", "$(sam_cli) build", "$(deployment) check", "$(sam_cli) deploy"]


def test_the_first_time_sam_asks_for_everything_but_knows_what_was_built(tmp_path: Path) -> None:
    nothing = settings(tmp_path, '[default.global.parameters]\nstack_name = "heliograph"\n')
    found = deployment.arguments({"Runtime": "python3.12", "Architecture": "arm64"}, nothing)
    assert parameters(found) == {"Runtime": "python3.12", "Architecture": "arm64"}
    assert found.endswith("--guided")


@pytest.mark.parametrize(
    ("name", "fits"), [("s" * 45, True), ("s" * 46, False), ("9lives", False), ("my_stack", False)]
)
def test_a_stack_whose_queues_could_not_be_named_is_refused(tmp_path: Path, name: str, *, fits: bool) -> None:
    found = list(deployment.problems(settings(tmp_path, GUIDED.replace('"heliograph"', f'"{name}"'))))
    assert [problem for problem in found if name in problem] == ([] if fits else found)
    assert bool(found) is not fits


@pytest.mark.parametrize("further", ["", ",webhook", ",pigeonposts"])
def test_the_longest_name_of_a_stack_is_what_its_queues_and_functions_leave_it(further: str) -> None:
    channels = f"{deployment.DEFAULT_CHANNELS}{further}"
    queues = resources(load("infra/queues.yaml", Channels=channels), "AWS::SQS::Queue")
    delivering = resources(load("infra/delivery.yaml", Channels=channels), "AWS::Serverless::Function")
    functions = FUNCTIONS | delivering
    left = {80 - ending(each["QueueName"]) for each in queues.values()}  # CreateQueue
    left |= {64 - ending(each["FunctionName"]) for each in functions.values()}  # CreateFunction
    assert deployment.longest_name(channels.split(",")) == min(left)


def ending(name: dict[str, str]) -> int:
    """How long a name is without the stack's."""
    return len(text_of(name).replace("${StackName}", ""))


def test_a_longer_channel_leaves_its_stack_a_shorter_name(tmp_path: Path) -> None:
    text = ANSWERS.replace('"heliograph"', f'"{"s" * 44}"')
    assert not list(deployment.problems(settings(tmp_path, text.format("eu-west-1", "Channels=email,sms,push"))))
    further = settings(tmp_path, text.format("eu-west-1", "Channels=email,sms,push,webhook"))
    (problem,) = deployment.problems(further)
    assert "at most 43" in problem


@pytest.mark.parametrize("channels", ["email", "sms", "email,webhook", "push,sms"])
def test_any_channel_may_be_left_out(tmp_path: Path, channels: str) -> None:
    """test_subsets_of_channels.py shows that the templates fit together then."""
    assert not list(deployment.problems(settings(tmp_path, ANSWERS.format("eu-west-1", f"Channels={channels}"))))
    assert tuple(deployment.DEFAULT_CHANNELS.split(",")) == DEFAULT_CHANNELS


@pytest.mark.parametrize(
    ("channels", "said"),
    [("email,fax", "no channel 'fax'. Name"), ("", "no channel ''. Name"), ("email, sms", "no channel ' sms'. Name")],
)
def test_a_channel_that_there_is_not_is_refused_with_those_that_there_are(
    tmp_path: Path, channels: str, said: str
) -> None:
    (problem,) = deployment.problems(settings(tmp_path, ANSWERS.format("eu-west-1", f"Channels='{channels}'")))
    assert said in problem
    assert "email, sms, push, webhook" in problem


def test_a_channel_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    """The loops over Channels would make two resources of one name."""
    (problem,) = deployment.problems(settings(tmp_path, ANSWERS.format("eu-west-1", "Channels=email,sms,email")))
    assert "email is named twice" in problem


@pytest.mark.parametrize("channels", ["email", "email,sms", "email, sms", "email,,sms", "Email", "", "email,", "fax"])
def test_what_passes_the_check_passes_the_pattern_of_the_template(tmp_path: Path, channels: str) -> None:
    pattern = TEMPLATE["Parameters"]["Channels"]["AllowedPattern"]
    passes = not list(deployment.problems(settings(tmp_path, ANSWERS.format("eu-west-1", f"Channels='{channels}'"))))
    assert passes <= bool(re.fullmatch(pattern, channels))
    assert passes == (channels in {"email", "email,sms"})


def test_a_region_without_our_services_is_refused_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = settings(tmp_path, '[default.global.parameters]\nstack_name = "heliograph"\n')
    monkeypatch.setenv("AWS_REGION", "mx-central-1")
    (problem,) = deployment.problems(elsewhere)
    assert "mx-central-1" in problem
    assert "eu-west-1" in problem
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert list(deployment.problems(elsewhere)) == []


@pytest.mark.parametrize("region", REGIONS)
def test_every_type_of_the_templates_exists_in_every_supported_region(region: str) -> None:
    """As the linter knows it; the application for push is left out, and off by default."""
    types = {each["Type"] for template in EVERYWHERE for each in template["Resources"].values()}
    used = {each for each in types if not each.startswith("AWS::Serverless::")} | BY_SAM
    assert used - set(PROVIDER_SCHEMA_MANAGER.get_resource_types(region)) == set()


ANSWERS = '[default.deploy.parameters]\nstack_name = "heliograph"\nregion = "{}"\nparameter_overrides = "{}"\n'


@pytest.mark.parametrize(
    ("region", "said", "problem"),
    [
        ("eu-west-1", "PushProvider=pinpoint", ""),
        ("eu-north-1", "PushProvider=sns", ""),
        ("il-central-1", "PushProvider=sns", "no mobile push"),
        ("il-central-1", "PushProvider=none", ""),
        ("eu-north-1", "PushProvider=pinpoint PushApplication=c0ffee", "no push API"),
        ("us-east-2", "PushProvider=pinpoint", "PushApplication"),
        ("us-east-2", "PushProvider=pinpoint PushApplication=c0ffee", ""),
    ],
)
def test_push_is_refused_where_its_provider_has_no_such_service(
    tmp_path: Path, region: str, said: str, problem: str
) -> None:
    found = list(deployment.problems(settings(tmp_path, ANSWERS.format(region, said))))
    assert [problem in each for each in found] == ([True] if problem else [])


@pytest.mark.parametrize(
    ("region", "said", "refused"),
    [
        ("ap-northeast-2", "SmsProvider=sns", True),
        ("ap-northeast-2", "SmsFailover=sns", True),
        ("ap-northeast-2", "SmsProvider=end-user-messaging SmsFailover=none", False),
        ("ap-northeast-1", "SmsProvider=sns", False),
    ],
)
def test_texts_by_sns_are_refused_where_it_sends_none(tmp_path: Path, region: str, said: str, *, refused: bool) -> None:
    found = list(deployment.problems(settings(tmp_path, ANSWERS.format(region, said))))
    assert ["sends no SMS" in each for each in found] == [True] * refused


def test_the_regions_of_push_are_those_that_the_sdk_and_the_linter_know() -> None:
    callable_in = set(boto3.session.Session().get_available_regions("pinpoint")) & set(REGIONS)
    assert set(deployment.PUSH_REGIONS) == callable_in
    made_in = {each for each in callable_in if "AWS::Pinpoint::App" in PROVIDER_SCHEMA_MANAGER.get_resource_types(each)}
    assert set(deployment.WITHOUT_PUSH_TYPE) == callable_in - made_in


def test_the_page_lists_the_regions_of_push() -> None:
    page = (ROOT / "docs/deploy.md").read_text()
    (listed,) = re.findall(r"in these regions: (.*?)\. Elsewhere", page, re.DOTALL)
    assert tuple(re.findall(REGION, listed)) == deployment.PUSH_REGIONS
    (listed,) = re.findall(r"take `PushProvider=sns`, but not in (.*?):", page, re.DOTALL)
    assert tuple(re.findall(REGION, listed)) == deployment.SNS_WITHOUT_PUSH
    (listed,) = re.findall(r"SNS sends no SMS from (.*?)[.:;]", page, re.DOTALL)
    assert tuple(re.findall(REGION, listed)) == deployment.SNS_WITHOUT_SMS
    assert {*deployment.SNS_WITHOUT_PUSH, *deployment.SNS_WITHOUT_SMS} <= set(REGIONS)


def test_the_page_names_every_parameter_with_its_default() -> None:
    parameters_of_stack = load("template.yaml")["Parameters"]
    page = (ROOT / "docs/deploy.md").read_text()
    (rows,) = re.findall(r"^\| parameter \| default \|.*?\n\|[-|]+\n(.*?)\n\n", page, re.MULTILINE | re.DOTALL)
    cells = [map(str.strip, row.split("|")[1:3]) for row in rows.splitlines()]
    defaults = {tuple(re.findall(r"`(\w+)`", names)): said.replace("empty", "").strip("`") for names, said in cells}
    assert sorted(name for names in defaults for name in names) == sorted(parameters_of_stack)
    del defaults["Runtime", "Architecture"]  # those of the build
    for names, said in defaults.items():
        assert said == ", ".join(str(parameters_of_stack[name].get("Default", "")) for name in names)


def test_the_page_says_of_200_mails_a_second_what_the_page_of_rates_does() -> None:
    (deliver, at_work) = re.findall(
        r"^\| 200 \| (\d+) \| \d+ \| (\d+) \|", (ROOT / "docs/scale.md").read_text(), re.MULTILINE
    )[0]
    page = (ROOT / "docs/deploy.md").read_text()
    assert f"**200 mails a second** have {at_work} functions at work" in page
    assert f"`DeliverBulkConcurrency` {deliver}:" in page


def test_the_page_lists_the_regions() -> None:
    page = (ROOT / "docs/deploy.md").read_text()
    (listed,) = re.findall(r"^Supported regions: (.*?)\n\n", page, re.MULTILINE | re.DOTALL)
    assert re.findall(REGION, listed) == REGIONS


# ---- the Python of the runtime -----------------------------------------------------------------------------


def build_layer(tmp_path: Path, *, runtime: str, **commands: str) -> subprocess.CompletedProcess[str]:
    """Build the layer with commands of our own in front of all others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, script in ({"uv": "echo installing; exit 9"} | commands).items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return subprocess.run(
        ["make", "--silent", "-C", str(ROOT / "layers/heliograph"), "build-HeliographLayer"],
        env=os.environ
        | {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "ARTIFACTS_DIR": str(tmp_path / "artifacts"),
            "HELIOGRAPH_RUNTIME": runtime,
            "MAKEFLAGS": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_is_there_but_does_not_run_stops_the_build_with_what_to_do(tmp_path: Path) -> None:
    """As pyenv's commands for versions that are not chosen."""
    done = build_layer(tmp_path, runtime="python3.99", **{"python3.99": "echo not chosen >&2; exit 127"})
    assert done.returncode
    assert "Python 3.99 does not run on this machine" in done.stderr
    assert "make deploy runtime=" in done.stderr
    assert "installing" not in done.stdout


def test_a_python_of_another_version_under_the_name_stops_the_build(tmp_path: Path) -> None:
    done = build_layer(tmp_path, runtime="python3.99", **{"python3.99": 'exec python3 "$@"'})
    assert "Python 3.99 does not run" in done.stderr
    assert "installing" not in done.stdout


def test_the_right_python_goes_on_to_install(tmp_path: Path) -> None:
    done = build_layer(tmp_path, runtime="python3.99", **{"python3.99": "exit 0"})
    assert done.stdout == "installing\n"
