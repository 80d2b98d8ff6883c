"""A channel is a folder: every spec is whole, and nothing outside asks which channel it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import CONTENT, a_message
from heliograph.channels import rate
from heliograph.channels.registry import CHANNELS, authoring, doctor, spec
from heliograph.channels.spec import Authoring, ChannelSpec, Content, Holds, OptOut, Written
from heliograph.model.channels import CHANNEL_NAME, Channel
from heliograph.model.engagement import EngagementKind
from heliograph.model.policy import Enforcement
from heliograph.runtime import wiring
from heliograph.text.errors import MalformedError
from wiring import DEFAULT_CHANNELS, STACKS

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "layers/heliograph/heliograph/channels"
EVERYWHERE = [
    path
    for top in ("layers/heliograph/heliograph", "cli/heliograph_cli", "functions")
    for path in sorted((ROOT / top).rglob("*.py"))
    if FOLDER not in path.parents
]
NOT_CHANNELS = {"email"}
"""Names of channels that are kinds of address as well: whoever compares these may mean the address."""


def questions(source: str) -> Iterator[int]:
    """The lines that name a channel, or that compare something with the name of one."""
    names = set(CHANNELS)
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(ast.Name("Channel"), [ast.Constant(str())]):
                yield node.lineno
            case ast.Attribute(ast.Name("Channel"), name) if name.lower() in names:
                yield node.lineno
            case ast.Compare():
                said = {each.value for each in [node.left, *node.comparators] if isinstance(each, ast.Constant)}
                if said & (names - NOT_CHANNELS):
                    yield node.lineno
            case ast.MatchValue(ast.Constant(str(name))) if name in names - NOT_CHANNELS:
                yield node.lineno


def test_code_of_every_kind_is_looked_at() -> None:
    """Else the next test would hold for a search that finds nothing."""
    for file in (
        "functions/deliver/app.py",
        "cli/heliograph_cli/main.py",
        "layers/heliograph/heliograph/runtime/wiring.py",
    ):
        assert ROOT / file in EVERYWHERE


@pytest.mark.parametrize("path", EVERYWHERE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_outside_its_folder_asks_which_channel_it_is(path: Path) -> None:
    found = [f"{path.relative_to(ROOT)}:{line}" for line in questions(path.read_text())]
    assert not found, "ask the channel's spec (channels/spec.py) instead"


@pytest.mark.parametrize(
    "code",
    [
        'if channel == "sms":\n    pass',
        'is_push = "push" != pack.channel',
        'sender = Channel("email")',
        "sender = Channel.EMAIL",
        'match channel:\n    case "push":\n        pass',
    ],
)
def test_a_question_is_found_with_its_line(code: str) -> None:
    assert next(questions(f"# first\n{code}")) in (2, 3)


# ---- every spec is whole ------------------------------------------------------------------------------------


@pytest.fixture(params=CHANNELS)
def channel(request: pytest.FixtureRequest) -> ChannelSpec:
    """The spec of each channel in turn."""
    return spec(request.param)


def sample(channel: ChannelSpec) -> Content:
    """Some words for each part."""
    return CONTENT.get(channel.name, dict.fromkeys(channel.parts, "Hello"))


def test_a_channel_bears_the_name_of_its_folder(channel: ChannelSpec) -> None:
    assert (FOLDER / channel.name / "spec.py").is_file()
    assert CHANNEL_NAME.fullmatch(channel.name)
    assert channel.noun.strip()


def test_each_name_and_each_file_of_words_belongs_to_one_channel() -> None:
    files = [file for name in CHANNELS for file in spec(name).files()]
    assert len(set(CHANNELS)) == len(CHANNELS)
    assert len(set(files)) == len(files)


def test_a_channel_has_a_part_that_must_be_written(channel: ChannelSpec) -> None:
    assert any(not part.is_optional for part in channel.parts.values())
    assert all(re.fullmatch(rf"{channel.name}(\.[a-z]+)*\.(txt|html|json)", file) for file in channel.files())
    assert all((part.holds is Holds.MARKUP) is part.file.endswith(".html") for part in channel.parts.values())


def test_what_cannot_be_an_address_is_refused_with_its_kind(channel: ChannelSpec) -> None:
    with pytest.raises(MalformedError) as refused:
        channel.address_kind.read("nothing of the kind", "US")
    assert refused.value.position == channel.address_kind.name


def test_a_refusal_means_one_thing(channel: ChannelSpec) -> None:
    halted, busy, exhausted, final = (set(each) for each in channel.codes)
    assert final, "without final codes, what can never be sent is tried for ever"
    kinds = [halted, busy | rate.BUSY, exhausted, final]
    assert sum(map(len, kinds)) == len(set().union(*kinds))


def test_a_message_is_measured_and_may_be_too_large(channel: ChannelSpec) -> None:
    content = sample(channel)
    parts, size = channel.measure(content)
    assert (parts, channel.excess(a_message(), content)) == (1, "")
    assert size >= max(len(text) for text in content.values())
    larger = dict.fromkeys(content, "x" * (channel.limits.size + 1))
    assert channel.excess(a_message(), larger)


def test_a_part_has_a_price_with_its_source(channel: ChannelSpec) -> None:
    assert 0 <= channel.price.usd < 1
    assert "$" in channel.price.source or not channel.price.usd


def test_who_may_be_written_to_without_an_opt_in_can_get_out(channel: ChannelSpec) -> None:
    assert bool(channel.floor_says) is (channel.consent_floor is not Enforcement.OFF)
    assert channel.opt_out in OptOut
    assert channel.reports <= set(EngagementKind)


def test_what_others_put_on_the_queue_is_not_of_a_channel(channel: ChannelSpec) -> None:
    assert channel.read_event({"source": "shop.orders", "detail-type": "OrderShipped", "detail": {}}, tuple) is None


def test_the_words_of_a_sample_are_looked_over_and_shown(channel: ChannelSpec) -> None:
    told: Authoring = authoring(channel.name)
    content = sample(channel)
    remarks = [*told.lint(Written(content, 3, content.__getitem__, content.__getitem__))]
    assert not remarks
    assert (FOLDER / channel.name / "preview.html").is_file()
    assert isinstance(told.pane(content), dict)


def test_a_stack_has_channels_of_the_registry_in_its_order_and_others_when_it_names_them() -> None:
    assert [name for name in CHANNELS if name in DEFAULT_CHANNELS] == list(DEFAULT_CHANNELS)


def test_a_channel_brings_a_template_that_is_given_what_every_channel_s_is(channel: ChannelSpec) -> None:
    """CloudFormation refuses a parameter that is not declared, and one that is missing."""
    stack = STACKS[f"Channel{channel.name}"]
    assert stack.url == f"infra/channels/{channel.name}.yaml"
    assert stack.template["Parameters"].keys() == stack.given.keys()


def test_a_channel_may_say_whether_it_is_well_under_names_of_its_own() -> None:
    """A name that two channels gave their checks would hide one of them."""
    doctors = {name: told for name in CHANNELS if (told := doctor(name))}
    assert doctors.keys() == {name for name in CHANNELS if (FOLDER / name / "doctor.py").is_file()}
    named = [check for told in doctors.values() for check in told.checks]
    assert len(set(named)) == len(named)
    assert all(check.split()[0] == name for name, told in doctors.items() for check in told.checks)


def test_there_is_no_spec_of_a_channel_that_does_not_exist() -> None:
    with pytest.raises(KeyError):
        spec(Channel("fax"))


def test_a_channel_that_the_stack_does_not_have_is_off_and_so_is_one_that_is_not_set_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HELIOGRAPH_CHANNELS", "email,push")
    monkeypatch.setenv("HELIOGRAPH_PUSH_PROVIDER", "none")
    assert wiring.channels_off() == set(CHANNELS) - {"email"}
    monkeypatch.setenv("HELIOGRAPH_PUSH_PROVIDER", "sns")
    assert wiring.channels_off() == set(CHANNELS) - {"email", "push"}
