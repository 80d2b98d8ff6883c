"""Rules about what the build writes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs
from cfnlint.api import lint_file  # type: ignore[import-untyped]  # no stubs
from hypothesis import given
from hypothesis import strategies as st

from desk_builders import MESSAGE, SOUND, TRIGGER, a_desk
from heliograph.model.messages import Message
from heliograph_cli.authoring import triggers
from heliograph_cli.authoring.build import PACKAGE, build
from heliograph_cli.authoring.findings import DeskError

Version = Callable[..., str]


@pytest.fixture
def version(tmp_path: Path) -> Version:
    def of(files: dict[str, str | None], message: str = "hello") -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        return build(a_desk(folder / "templates", files), folder / "build/templates").messages[message].version

    return of


def built(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_desk_is_always_built_into_the_same_bytes(tmp_path: Path) -> None:
    desk = a_desk(tmp_path / "templates", {MESSAGE: TRIGGER})
    build(desk, tmp_path / "one/templates")
    build(desk, tmp_path / "two/templates")
    assert built(tmp_path / "one") == built(tmp_path / "two")


def test_what_is_no_longer_there_is_not_left_over(tmp_path: Path) -> None:
    desk = a_desk(tmp_path / "templates", {"messages/bye/sms.txt": "Bye", "messages/bye/sample.json": "{}"})
    (desk / "messages/bye/message.toml").write_text(SOUND[MESSAGE].replace('"email", ', ""))
    before = build(desk, tmp_path / "build/templates")
    for path in (desk / "messages/bye").iterdir():
        path.unlink()
    (desk / "messages/bye").rmdir()
    after = build(desk, tmp_path / "build/templates")
    modules = list((tmp_path / "build/templates" / PACKAGE).glob("tmpl_*.py"))
    assert set(before.messages) - set(after.messages) == {"bye"}
    assert len(modules) == len(after.variables)


@pytest.mark.parametrize(
    "files",
    [
        {"messages/hello/sms.txt": "Acme! {{ data.url }}"},
        {"messages/hello/email.preview.txt": "x", "layouts/email.html": SOUND["layouts/email.html"] + "{{ preview }}"},
        {"layouts/email.html": SOUND["layouts/email.html"].replace("<body>", "<body><p>Hi</p>")},
        {"layouts/email.css": "p { color: red; }"},
        {"brand/brand.toml": SOUND["brand/brand.toml"].replace("#1e2b29", "#000000")},
    ],
)
def test_a_message_has_another_version_when_what_it_is_rendered_from_changes(
    version: Version, files: dict[str, str | None]
) -> None:
    assert version({}) != version(files)


@pytest.mark.parametrize(
    "files",
    [
        {"messages/hello/sample.json": SOUND["messages/hello/sample.json"].replace("Ann", "Bob")},
        {"layouts/words.toml": SOUND["layouts/words.toml"] + 'unused = "x"'},
        {"components/button.html": SOUND["components/button.html"].replace("table", "TABLE")},
        {MESSAGE: TRIGGER},
    ],
)
def test_a_message_keeps_its_version_when_nothing_it_is_rendered_from_changes(
    version: Version, files: dict[str, str | None]
) -> None:
    assert version({}) == version(files)


def test_a_desk_with_mistakes_is_not_built(tmp_path: Path) -> None:
    desk = a_desk(tmp_path / "templates", {"messages/hello/sms.txt": None, "messages/hello/email.txt": None})
    with pytest.raises(DeskError) as refused:
        build(desk, tmp_path / "build/templates")
    assert len(refused.value.findings) == 2
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize(
    ("written", "seconds"), [("15 minutes", 900), ("1 minute", 60), ("2 hours", 7200), ("PT15M", 900), ("P1D", 86400)]
)
def test_a_time_to_live_is_said_in_words_or_iso_8601(tmp_path: Path, written: str, seconds: int) -> None:
    files = {MESSAGE: SOUND[MESSAGE] + f'expires_after = "{written}"'}
    catalogue = build(a_desk(tmp_path / "templates", files), tmp_path / "build/templates")
    assert catalogue.messages["hello"].expires_after == seconds


def rule_of(tmp_path: Path, message_toml: str) -> dict[str, Any]:
    """The properties of the one rule in triggers.yaml."""
    build(a_desk(tmp_path / "templates", {MESSAGE: message_toml}), tmp_path / "build/templates")
    [rule] = yaml.safe_load((tmp_path / "build/triggers.yaml").read_text())["Resources"].values()
    properties: dict[str, Any] = rule["Properties"]
    return properties


def test_a_trigger_becomes_a_rule_on_the_bus(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, TRIGGER + '[trigger.filter.detail]\nstatus = ["shipped", { prefix = "part" }]')
    assert rule["EventBusName"] == {"Ref": "BusName"}
    assert rule["EventPattern"] == {
        "source": ["shop"],
        "detail-type": ["Said"],
        "detail": {"status": ["shipped", {"prefix": "part"}]},
    }


def test_a_rule_hands_over_the_whole_event_with_the_name_of_its_message(tmp_path: Path) -> None:
    [target] = rule_of(tmp_path, TRIGGER)["Targets"]
    template = target["InputTransformer"]["InputTemplate"]
    assert json.loads(template.replace("<aws.events.event.json>", "{}")) == {"message": "hello", "event": {}}
    assert target["Arn"] == {"Ref": "EventsQueueArn"}


def test_a_desk_without_triggers_is_still_a_template(tmp_path: Path) -> None:
    triggers.write([], tmp_path / "triggers.yaml")
    assert yaml.safe_load((tmp_path / "triggers.yaml").read_text())["Resources"]


@given(st.text("ab_-AB1", min_size=1, max_size=8), st.text("ab_-AB1", min_size=1, max_size=8))
def test_two_messages_never_share_a_rule(one: str, other: str) -> None:
    assert triggers.logical_id(one).isalnum()
    assert (triggers.logical_id(one) == triggers.logical_id(other)) == (one == other)


def test_the_rules_pass_cfn_lint(tmp_path: Path) -> None:
    trigger = TRIGGER + '[trigger.filter.detail]\ntotal = [{ numeric = [">", 100] }]'
    build(a_desk(tmp_path / "templates", {MESSAGE: trigger}), tmp_path / "build/templates")
    assert [str(match) for match in lint_file(tmp_path / "build/triggers.yaml")] == []


def test_the_catalogue_holds_the_facts_and_the_variables(tmp_path: Path) -> None:
    catalogue = build(a_desk(tmp_path / "templates"), tmp_path / "build/templates")
    assert isinstance(catalogue.messages["hello"], Message)
    assert catalogue.variables["hello/sms.en.txt"] == ("data.url",)
    assert catalogue.brand["name"] == "Acme"
