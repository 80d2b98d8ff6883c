"""When a pack is tried again, and what a refusal means for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.domain.pace import LONGEST_DELAY, delay, is_halted, passes_by_itself


@given(st.integers(0, 10_000), st.text())
def test_a_delay_always_fits_into_sqs_and_is_the_same_for_the_same_try(tries: int, pack_id: str) -> None:
    assert 1 <= delay(tries, pack_id) <= LONGEST_DELAY
    assert delay(tries, pack_id) == delay(tries, pack_id)


def test_delays_grow_from_seconds_to_a_quarter_of_an_hour() -> None:
    assert delay(0, "p") <= 2
    assert [delay(tries, "p") <= delay(tries + 2, "p") for tries in range(8)] == [True] * 8
    assert delay(20, "p") > LONGEST_DELAY / 2


def test_packs_do_not_all_come_back_at_the_same_moment() -> None:
    assert len({delay(8, str(pack)) for pack in range(100)}) > 50


@pytest.mark.parametrize(
    ("cause", "halted", "passes"),
    [
        ("ACCOUNT_SENDING_PAUSED", True, True),
        ("MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", True, True),
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
    assert (is_halted(cause), passes_by_itself(cause)) == (halted, passes)
