"""What people write to us: of whom it is, that it is bounded whatever they write, and what is not theirs."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, SMS
from heliograph.channels.registry import CHANNELS, spec
from heliograph.channels.spec import ChannelSpec, OptOut
from heliograph.model.inbound import MEDIA_LIMIT, REFERENCE_LIMIT, TEXT_LIMIT, InboundMessage
from heliograph.text.errors import MalformedError
from hostile import VALUES

TWO_WAY: dict[str, Any] = {
    "originationNumber": "+14255550100",
    "destinationNumber": "+12065550100",
    "messageKeyword": "KEYWORD_123456789012",
    "messageBody": "Stop by at five?",
    "inboundMessageId": "cae173d2-66b9-564c-8309-21f858e9fb84",
    "previousPublishedMessageId": "862a9790-60c4-4e3c-a6e4-0e1f4c0d1f3a",
}
"""As End User Messaging hands it to the topic of a two-way number."""
READ = InboundMessage(
    channel=SMS,
    address="+14255550100",
    text="Stop by at five?",
    provider_message_id=TWO_WAY["inboundMessageId"],
    answers=TWO_WAY["previousPublishedMessageId"],
    received_at=NOW,
)
HEARING = [
    channel for channel in CHANNELS if spec(channel).read_inbound is not ChannelSpec._field_defaults["read_inbound"]
]


def read(content: dict[str, Any]) -> InboundMessage | None:
    return spec(SMS).read_inbound(content, NOW)


def test_an_answer_by_sms_says_who_wrote_what_and_which_text_of_ours_it_answers() -> None:
    assert read(TWO_WAY) == READ


@pytest.mark.parametrize("first", [{"previousPublishedMessageId": None}, {"previousPublishedMessageId": ""}, {}])
def test_somebody_may_write_first(first: dict[str, Any]) -> None:
    bare = {name: value for name, value in TWO_WAY.items() if name != "previousPublishedMessageId"}
    assert read(bare | first) == msgspec.structs.replace(READ, answers=None)


@pytest.mark.parametrize(
    ("wrong", "position"),
    [
        ({"originationNumber": None}, r"two-way SMS: .*originationNumber"),
        ({"messageBody": "x" * (TEXT_LIMIT + 1)}, r"two-way SMS: .*messageBody"),
        ({"messageBody": ["STOP"]}, r"two-way SMS: .*messageBody"),
        ({"inboundMessageId": ""}, r"two-way SMS: .*inboundMessageId"),
        ({"inboundMessageId": "a b"}, r"two-way SMS: .*inboundMessageId"),
        ({"inboundMessageId": "a\n"}, r"two-way SMS: .*inboundMessageId"),
        ({"inboundMessageId": "x" * 513}, r"two-way SMS: .*inboundMessageId"),
        ({"previousPublishedMessageId": "\u202e"}, r"two-way SMS: .*previousPublishedMessageId"),
    ],
)
def test_an_answer_that_cannot_be_read_says_where_and_quotes_nothing(wrong: dict[str, Any], position: str) -> None:
    with pytest.raises(MalformedError, match=position) as refused:
        read(TWO_WAY | wrong)
    assert not {TWO_WAY["originationNumber"], TWO_WAY["messageBody"]} & set(str(refused.value).split())


@pytest.mark.parametrize("sender", ["28444", "VODAFONE", "+1555", "+4915100", "+88213000000000", "", "+" * 999])
def test_who_cannot_be_written_to_is_no_concern(sender: str) -> None:
    assert read(TWO_WAY | {"originationNumber": sender}) is None


@pytest.mark.parametrize("missing", ["originationNumber", "messageBody", "inboundMessageId"])
def test_an_answer_without_what_it_needs_is_refused_and_not_passed_over(missing: str) -> None:
    with pytest.raises(MalformedError, match=missing):
        read({name: value for name, value in TWO_WAY.items() if name != missing})


def test_the_longest_answer_is_taken_and_an_empty_one_too() -> None:
    for text in ("", "x" * TEXT_LIMIT):
        assert read(TWO_WAY | {"messageBody": text}) == msgspec.structs.replace(READ, text=text)


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_is_of_nobody_is_no_message_of_a_person(channel: Any) -> None:
    for foreign in ({}, {"source": "shop.orders", "detail": {}}, {"eventType": "TEXT_DELIVERED", "context": {}}):
        assert spec(channel).read_inbound(foreign, NOW) is None


def test_who_opts_out_by_an_answer_is_heard() -> None:
    assert {channel for channel in CHANNELS if spec(channel).opt_out is OptOut.REPLY} <= {*HEARING}
    assert SMS in HEARING


@pytest.mark.parametrize(
    "beyond",
    [
        {"text": "x" * (TEXT_LIMIT + 1)},
        {"media": ["m"] * (MEDIA_LIMIT + 1)},
        {"media": ["m" * (REFERENCE_LIMIT + 1)]},
        {"media": [""]},
        {"provider_message_id": "x" * 513},
        {"answers": "a\nb"},
    ],
)
def test_the_noun_itself_is_bounded_so_that_every_channel_is(beyond: dict[str, Any]) -> None:
    whole = msgspec.to_builtins(READ)
    assert msgspec.convert(whole | {"media": ["m" * REFERENCE_LIMIT] * MEDIA_LIMIT}, InboundMessage).text == READ.text
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(whole | beyond, InboundMessage)


NAMES = st.sampled_from([*TWO_WAY, "context", "mail", "detail", "source", "detail-type"])
ANYTHING = st.sampled_from([*VALUES, *TWO_WAY.values()]) | st.text() | st.integers() | st.none()


@given(st.dictionaries(NAMES | st.text(), ANYTHING, max_size=8), st.booleans(), st.sampled_from(CHANNELS))
def test_whatever_comes_is_a_bounded_message_or_none_or_malformed(
    said: dict[str, Any], ours: bool, channel: Any
) -> None:
    content = TWO_WAY | said if ours else said
    with suppress(MalformedError):
        if found := spec(channel).read_inbound(content, NOW):
            assert msgspec.json.decode(msgspec.json.encode(found), type=InboundMessage) == found
            assert (found.channel, found.received_at) == (channel, NOW)
            assert channel in HEARING
