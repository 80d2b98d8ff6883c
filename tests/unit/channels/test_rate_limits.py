"""When a pack is sent, when it is tried again, and what a refusal means for it."""

from __future__ import annotations

import ast
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws.memory_clocks import ClockTable
from aws.wire import provider_client
from builders import CHANNELS, EMAIL, NOW, SMS
from heliograph.aws.errors import THROTTLED
from heliograph.channels import rate
from heliograph.channels.clocks import RateLimits, Turn
from heliograph.channels.errors import BEFORE_SENDING
from heliograph.channels.rate import (
    LONGEST_DELAY,
    UNREACHABLE,
    delay,
    horizon,
    passes_by_itself,
    seconds_until,
    seconds_without,
)
from heliograph.channels.registry import spec
from heliograph.model.requests import Lane

MAIL = EMAIL
SECOND = timedelta(seconds=1)


def rate_limits() -> RateLimits:
    return RateLimits(ClockTable(), "runs")  # type: ignore[arg-type]  # as far as rate limits need a client


def ask(limits: RateLimits, units: int = 100, **fields: Any) -> Turn:
    """Ask for a turn at ten a second."""
    asked: dict[str, Any] = {"rate": 10, "patience": 10, "horizon": horizon(0), "now": NOW}
    return limits.ask(MAIL, units, **(asked | fields))


@given(st.integers(0, 10_000), st.text())
def test_a_delay_always_fits_into_sqs_and_is_the_same_for_the_same_try(tries: int, pack_id: str) -> None:
    assert 1 <= delay(tries, pack_id) <= LONGEST_DELAY
    assert LONGEST_DELAY * 2 / 3 <= seconds_without(pack_id, tries) <= LONGEST_DELAY
    assert delay(tries, pack_id) == delay(tries, pack_id)


@given(st.integers(-10_000_000, 10_000_000))
def test_a_pack_with_a_turn_is_requeued_for_just_before_it_or_as_late_as_sqs_can(milliseconds: int) -> None:
    seconds = seconds_until(NOW + timedelta(milliseconds=milliseconds), NOW)
    assert 0 <= seconds <= LONGEST_DELAY
    if 0 < seconds < LONGEST_DELAY:
        assert 0.5 <= milliseconds / 1_000 - seconds <= 1.5


def test_delays_of_what_failed_grow_from_seconds_to_a_quarter_of_an_hour() -> None:
    assert delay(0, "p") <= 2
    assert [delay(tries, "p") <= delay(tries + 2, "p") for tries in range(8)] == [True] * 8
    assert delay(20, "p") > LONGEST_DELAY / 2


def test_packs_without_a_turn_do_not_all_ask_again_at_the_same_moment() -> None:
    assert len({seconds_without(str(pack), 8) for pack in range(100)}) > 50


# ---- the clocks --------------------------------------------------------------------------------------------


def test_who_finds_the_channel_taken_gets_the_turn_after_those_who_have_one() -> None:
    limits = rate_limits()
    turns = [ask(limits) for _ in range(5)]
    assert [turn.wait is not None for turn in turns] == [True, True, False, False, False]
    times = [turn.at for turn in turns[2:] if turn.at]
    assert {later - earlier for earlier, later in pairwise(times)} == {10 * SECOND}


def test_nobody_overtakes_those_who_wait_for_their_turn() -> None:
    limits = rate_limits()
    (*_, waiting) = [ask(limits) for _ in range(3)]
    assert waiting.at
    newcomer = ask(limits, now=waiting.at - SECOND)
    assert newcomer.at == waiting.at + 10 * SECOND
    assert ask(limits, now=waiting.at - SECOND, in_line=True).wait is not None


def test_a_line_is_no_longer_than_sqs_can_delay_and_longer_for_those_who_wait_longest() -> None:
    limits = rate_limits()
    turns = [ask(limits) for _ in range(200)]
    times = [turn.at for turn in turns if turn.at]
    assert turns[-1] == Turn(None, None)
    assert max(times) <= NOW + horizon(0)
    assert horizon(0) == timedelta(seconds=LONGEST_DELAY)
    assert ask(limits, horizon=horizon(20)).at
    assert horizon(10_000) < 2 * horizon(0)


def test_while_halted_nobody_sends_and_turns_begin_when_it_ends() -> None:
    limits = rate_limits()
    limits.halt(MAIL, NOW + 60 * SECOND)
    first, second = ask(limits, in_line=True), ask(limits)
    assert (first.at, second.at) == (NOW + 60 * SECOND, NOW + 70 * SECOND)
    assert ask(limits, in_line=True, now=NOW + 61 * SECOND).wait is not None


def test_single_messages_that_were_refused_have_a_line_of_their_own() -> None:
    limits = rate_limits()
    for _ in range(200):
        ask(limits)
    turn = limits.line_up(MAIL, 1, rate=10, horizon=horizon(0), now=NOW, lane=Lane.PRIORITY)
    assert turn == NOW + 2 * SECOND


def test_a_piece_that_turned_out_larger_makes_the_next_one_wait_longer() -> None:
    limits = rate_limits()
    ask(limits, units=50)
    limits.correct(MAIL, 30, rate=10)
    assert ask(limits, units=1).wait == pytest.approx(7.0)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 30), st.integers(1, 100)), max_size=30))
@settings(deadline=None)
def test_whoever_asks_a_clock_and_whatever_they_remember_of_it_it_is_one_clock(
    asked: list[tuple[int, float, int]],
) -> None:
    """Against the algorithm as one would write it for a single process."""
    table, until, at = ClockTable(), None, 0.0
    functions = [RateLimits(table, "runs") for _ in range(4)]  # type: ignore[arg-type]  # as far as they need a client
    for function, pause, units in asked:
        at += round(pause, 3)
        turn = ask(functions[function], units, patience=10, now=NOW + at * SECOND, in_line=True)
        start = at - 1 if until is None else max(until, at - 1)
        assert turn.wait == (None if start >= at + 10 else pytest.approx(max(0, start - at), abs=0.01))
        until = start if turn.wait is None else start + units / 10


def test_a_clock_that_lags_takes_one_call_a_pack() -> None:
    table = ClockTable()
    limits = RateLimits(table, "runs")  # type: ignore[arg-type]  # as far as rate limits need a client
    turns = [ask(limits, now=NOW + pack * 60 * SECOND) for pack in range(10)]
    assert {turn.wait for turn in turns} == {0}
    assert table.calls == 11  # the first one learns that it lags


def test_nobody_sets_out_while_halted_however_far_the_clock_lags() -> None:
    limits = rate_limits()
    for pack in range(3):
        ask(limits, now=NOW + pack * 60 * SECOND)
    limits.halt(MAIL, NOW + 300 * SECOND)
    assert ask(limits, now=NOW + 240 * SECOND).at == NOW + 300 * SECOND


# ---- what a provider says of its rate ------------------------------------------------------------------------


class Ses:
    """Says its rate, or has no time."""

    def __init__(self, *answers: float | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self) -> float | None:
        self.asked += 1
        return self.answers.pop(0)


def test_two_hundred_functions_that_start_at_once_ask_for_the_rate_once() -> None:
    limits, ses = rate_limits(), Ses(14.0)
    said = [limits.rate(MAIL, ask=ses, now=NOW) for _ in range(200)]
    assert (set(said), ses.asked) == ({14.0}, 1)


def test_the_last_known_rate_holds_while_the_provider_has_no_time_to_say() -> None:
    limits, ses = rate_limits(), Ses(14.0, None, 20.0)
    said = [limits.rate(MAIL, ask=ses, now=NOW + minutes * 60 * SECOND) for minutes in (0, 4, 6, 12)]
    assert (said, ses.asked) == ([14.0, 14.0, 14.0, 20.0], 3)


def test_a_provider_that_never_said_its_rate_is_asked_again_soon() -> None:
    limits, ses = rate_limits(), Ses(None, 14.0)
    said = [limits.rate(MAIL, ask=ses, now=NOW + seconds * SECOND) for seconds in (0, 1, 7)]
    assert (said, ses.asked) == ([None, None, 14.0], 2)


# ---- refusals ----------------------------------------------------------------------------------------------


CODES = [spec(channel).codes for channel in CHANNELS]


@pytest.mark.parametrize(
    ("cause", "halted", "passes"),
    [
        ("ACCOUNT_SENDING_PAUSED", True, True),
        ("MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", True, True),
        ("ACCOUNT_DISABLED", True, True),
        ("INSUFFICIENT_ACCOUNT_REPUTATION", True, True),
        ("DailyQuotaExceeded", True, True),
        ("PlatformApplicationDisabled", True, True),
        ("DAILY_DESTINATION_CALL_LIMIT", False, True),
        ("TooManyRequestsException", False, True),
        ("ACCOUNT_THROTTLED", False, True),
        ("EndpointConnectionError", False, True),
        ("MAIL_FROM_DOMAIN_NOT_VERIFIED", False, False),
        ("AccessDeniedException", False, False),
    ],
)
def test_a_pause_and_a_throttle_pass_by_themselves_and_a_wrong_set_up_does_not(
    cause: str, *, halted: bool, passes: bool
) -> None:
    assert (any(cause in each.halted for each in CODES), any(passes_by_itself(cause, each) for each in CODES)) == (
        halted,
        passes,
    )


@pytest.mark.parametrize("cause", sorted(THROTTLED))
def test_a_service_without_time_is_no_fault_of_anybody_on_any_channel(cause: str) -> None:
    assert all(passes_by_itself(cause, codes) for codes in CODES)


def test_a_provider_that_no_connection_came_about_to_is_asked_again() -> None:
    assert {each.__name__ for each in BEFORE_SENDING} == UNREACHABLE


ALONE = {"ledger/store.py"}
"""A batch of statements answers each with codes of an enumeration of its own (BatchStatementErrorCodeEnum)."""


def test_the_codes_of_a_service_without_time_are_listed_once() -> None:
    package = Path(rate.__file__).parents[1]
    named = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in THROTTLED
    }
    assert named - ALONE == {"aws/errors.py"}


def reasons_of(exception: str) -> list[str]:
    """The reasons of an exception of End User Messaging, as AWS lists them."""
    shape = provider_client("pinpoint-sms-voice-v2").meta.service_model.shape_for(f"{exception}Reason")
    return list(shape.enum)


@pytest.mark.parametrize(
    "cause",
    [
        *reasons_of("AccessDeniedException"),
        *(each for each in reasons_of("ServiceQuotaExceededException") if each.startswith(("MONTHLY_", "DAILY_"))),
    ],
)
def test_no_limit_of_an_account_or_a_day_moves_a_text_to_the_dead_letters(cause: str) -> None:
    assert passes_by_itself(cause, spec(SMS).codes)
