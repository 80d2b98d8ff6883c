"""Rules about the ways of a message in message.toml: channels, fallbacks, how long it waits, its limits."""

from pathlib import Path

import pytest

from builders import EMAIL, SMS
from desk_builders import MESSAGE, SOUND, TRIGGER, a_desk, findings, mail_in
from heliograph.model.engagement import EngagementKind
from heliograph.model.messages import Fallback, Message
from heliograph_cli.authoring.build import build
from heliograph_cli.authoring.preview import write

BY_EMAIL = SOUND[MESSAGE].replace(', "sms"', "")
BY_SMS = SOUND[MESSAGE].replace('"email", ', "")
THEN_SMS = '[[fallback]]\nunless = "delivered"\nwithin = "10 minutes"\nchannels = ["sms"]\n'
THEN_EMAIL = THEN_SMS.replace("sms", "email")
PUSH = {f"messages/hello/push.{part}.txt": "Hi" for part in ("title", "body")}


def built(folder: Path, message_toml: str, **others: str) -> Message:
    files: dict[str, str | None] = {MESSAGE: message_toml, **others}
    return build(a_desk(folder / "templates", files), folder / "build/templates").messages["hello"]


MISTAKES = [
    # message.toml, the line where it is reported, what is said, what to do
    (BY_EMAIL + THEN_SMS.replace("delivered", "clicked"), 5, "fallback #1.unless", '"opened" or "delivered"'),
    (BY_EMAIL + THEN_SMS.replace('unless = "delivered"\n', ""), 4, "fallback #1.unless is missing", "delivered"),
    (BY_EMAIL + THEN_SMS.replace("10 minutes", "PT59S"), 6, "fallback #1.within: Input should be greater", "minutes"),
    (BY_EMAIL + THEN_SMS.replace("10 minutes", "31 days"), 6, "fallback #1.within: Input should be less", "minutes"),
    (BY_EMAIL + THEN_SMS.replace("10 minutes", "soon"), 6, "within is not a length of time", "minutes"),
    (BY_EMAIL + THEN_SMS.replace('["sms"]', "[]"), 7, "fallback #1.channels is empty", "follow"),
    (BY_EMAIL + THEN_SMS.replace('["sms"]', '["sms", "sms"]'), 7, "a channel is named twice", "follow"),
    (SOUND[MESSAGE] + THEN_SMS, 7, "sms is named twice", "once"),
    (BY_EMAIL + THEN_SMS + THEN_EMAIL, 11, "email is named twice", "once"),
    (BY_SMS + THEN_EMAIL.replace("delivered", "opened"), 5, "Nobody reports whether SMS", 'unless = "delivered"'),
    (
        f'{BY_EMAIL}expires_after = "10 minutes"\n{THEN_SMS}',
        7,
        "has expired when this fallback begins",
        "expires_after",
    ),
    (SOUND[MESSAGE] + 'wait_at_most = "soon"', 4, "wait_at_most is not a length of time", "12 hours"),
    (SOUND[MESSAGE] + "by_engagement = 7", 4, "by_engagement", "true or false"),
    (TRIGGER + "most_per_event = 0", 8, "trigger.most_per_event", "one event"),
    (TRIGGER + 'most_per_hour = "many"', 8, "trigger.most_per_hour", "in an hour"),
]


@pytest.mark.parametrize(("message_toml", "line", "said", "remedy"), MISTAKES)
def test_a_mistake_in_the_ways_of_a_message_is_refused_at_its_line(
    tmp_path: Path, message_toml: str, line: int, said: str, remedy: str
) -> None:
    [found] = findings(tmp_path, {MESSAGE: message_toml})
    assert (found.file, found.line, found.warning) == (MESSAGE, line, False)
    assert said in found.problem
    assert remedy in found.remedy


def test_the_second_text_message_of_three_steps_cannot_be_opened_either(tmp_path: Path) -> None:
    opened = THEN_EMAIL.replace("delivered", "opened")
    message = BY_EMAIL.replace("email", "push") + THEN_SMS + opened
    [found] = findings(tmp_path, {MESSAGE: message, **PUSH})
    assert (found.line, found.problem) == (9, "Nobody reports whether SMS were opened.")


def test_a_message_without_any_words_is_refused(tmp_path: Path) -> None:
    nothing = {file: None for file in SOUND if file.startswith("messages/hello/") and file.endswith((".txt", ".html"))}
    [found] = findings(tmp_path, {MESSAGE: SOUND[MESSAGE].partition("channels")[0], **nothing})
    assert found.problem == "There are no words for any channel."


def test_words_for_a_channel_alone_that_must_be_named_are_told_how(tmp_path: Path) -> None:
    files: dict[str, str | None] = {
        file: None for file in SOUND if file.startswith("messages/hello/") and file.endswith((".txt", ".html"))
    }
    files |= {"messages/hello/webhook.json": "{}", MESSAGE: SOUND[MESSAGE].partition("channels")[0]}
    files |= {"policy.toml": 'channels = ["email", "sms"]\n' + SOUND["policy.toml"]}
    found = {each.file: each.remedy for each in findings(tmp_path, files)}
    assert found[MESSAGE] == 'Write channels = ["webhook"] into message.toml.'
    assert "messages/hello/webhook.json" not in found


def test_a_channel_of_a_fallback_needs_words(tmp_path: Path) -> None:
    message = SOUND[MESSAGE] + THEN_SMS.replace("sms", "push")
    found = {finding.file for finding in findings(tmp_path, {MESSAGE: message})}
    assert found == {"messages/hello/push.title.txt", "messages/hello/push.body.txt"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"messages/hello/sms.txt": "{{ data.no }}"}, "{{ data.no }} is not in sample.json"),
        ({"messages/hello/sms.txt": "a" * 460}, "takes 4 parts"),
        ({"messages/hello/sms.de.txt": "Acme: {{ data.url }}"}, "translation in de for sms, but none for email"),
    ],
)
def test_the_words_of_a_fallback_are_checked_like_all_others(
    tmp_path: Path, words: dict[str, str | None], said: str
) -> None:
    found = findings(tmp_path, {MESSAGE: BY_EMAIL + THEN_SMS, **words})
    assert any(said in finding.problem for finding in found), found


def test_fallbacks_are_compiled_with_their_times_in_seconds(tmp_path: Path) -> None:
    message = built(tmp_path, BY_EMAIL + THEN_SMS)
    assert message.fallback == (Fallback(unless=EngagementKind.DELIVERED, within=600, channels=(SMS,)),)


def test_the_words_and_languages_of_a_fallback_are_compiled(tmp_path: Path) -> None:
    german = {"messages/hello/sms.de.txt": "Acme: {{ data.url }}", **mail_in("de")}
    both = ("en", "de")
    assert built(tmp_path, BY_EMAIL + THEN_SMS, **german).locales == {EMAIL: both, SMS: both}


def test_a_preview_shows_the_fallbacks_too(tmp_path: Path) -> None:
    write(a_desk(tmp_path / "templates", {MESSAGE: BY_EMAIL + THEN_SMS}), tmp_path / "preview")
    page = (tmp_path / "preview/index.html").read_text()
    assert 'data-channel="sms"' in page
    assert "not delivered in 10 minutes: sms" in page


def test_a_message_without_channels_leaves_those_of_its_fallbacks_to_them(tmp_path: Path) -> None:
    message = built(tmp_path, SOUND[MESSAGE].partition("channels")[0] + THEN_SMS)
    assert (message.channels, message.every_channel()) == ((EMAIL,), (EMAIL, SMS))


def test_how_long_a_message_waits_and_whether_reactions_count_is_left_to_the_policy_or_said(tmp_path: Path) -> None:
    left = built(tmp_path / "left", SOUND[MESSAGE])
    said = built(tmp_path / "said", SOUND[MESSAGE] + 'wait_at_most = "12 hours"\nby_engagement = false\n')
    assert (left.wait_at_most, left.by_engagement) == (None, None)
    assert (said.wait_at_most, said.by_engagement) == (43200, False)


@pytest.mark.parametrize(
    ("written", "limits"), [("", (1, None)), ("most_per_event = 50\nmost_per_hour = 1000", (50, 1000))]
)
def test_a_trigger_says_how_many_recipients_are_expected(
    tmp_path: Path, written: str, limits: tuple[int, int | None]
) -> None:
    trigger = built(tmp_path, TRIGGER + written).trigger
    assert trigger is not None
    assert (trigger.most_per_event, trigger.most_per_hour) == limits


@pytest.mark.parametrize(
    "message_toml",
    [
        SOUND[MESSAGE].replace("transactional", "promotional"),
        SOUND[MESSAGE] + 'wait_at_most = "12 hours"',
        SOUND[MESSAGE] + "by_engagement = true",
        SOUND[MESSAGE] + 'expires_after = "12 hours"',
        SOUND[MESSAGE].replace('"email", "sms"', '"sms", "email"'),
        BY_EMAIL + THEN_SMS,
    ],
)
def test_a_message_has_another_version_when_what_is_decided_from_it_changes(tmp_path: Path, message_toml: str) -> None:
    words = {"messages/hello/sms.txt": "Acme: {{ data.url }} STOP"}
    before = built(tmp_path / "before", SOUND[MESSAGE], **words)
    assert built(tmp_path / "after", message_toml, **words).version != before.version
