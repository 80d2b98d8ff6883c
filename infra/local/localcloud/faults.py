"""Faults of the played providers, as a test asks for them: refusals, lost connections, a pause, a send rate."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from localcloud.calls import HangUpError, RefusedError

RATES = ("throttle", "server_error", "reset", "timeout_after_acceptance")
"""At most one of them happens to a call; each is the share of calls to which it does."""
ENTRY_FAULTS = ("ACCOUNT_THROTTLED", "TRANSIENT_FAILURE")
"""What a throttled entry of an otherwise good SendBulkEmail says."""
PAUSED_ENTRY = "ACCOUNT_SENDING_PAUSED"
REFUSALS: dict[str, dict[str, tuple[str, str, int, dict[str, str]]]] = {
    "ses": {
        "throttle": ("TooManyRequestsException", "Maximum sending rate exceeded.", 429, {}),
        "server_error": ("InternalServiceErrorException", "The service failed.", 500, {}),
        "paused": ("SendingPausedException", "Sending is paused for this account.", 400, {}),
    },
    "sms": {
        "throttle": ("ThrottlingException", "Rate exceeded", 400, {}),
        "server_error": ("InternalServerException", "The service failed.", 500, {"RequestId": "local"}),
        "paused": ("AccessDeniedException", "The account is disabled.", 400, {"Reason": "ACCOUNT_DISABLED"}),
    },
    "push": {
        "throttle": ("TooManyRequestsException", "Too many requests", 429, {"RequestID": "local"}),
        "server_error": ("InternalServerErrorException", "The service failed.", 500, {"RequestID": "local"}),
        "paused": ("ForbiddenException", "The channel is disabled.", 403, {"RequestID": "local"}),
    },
}
"""Error code, words, HTTP status and further fields, by provider."""

Taken = TypeVar("Taken")


@dataclass
class Faults:
    """What goes wrong at one provider, and how often it did."""

    rates: dict[str, float] = field(default_factory=dict)
    paused: bool = False
    sandbox: bool = False
    """The account may write to addresses only that were verified."""
    max_per_second: float = 0.0
    """Recipients; 0 is no limit. A burst of one second is let through."""
    injected: Counter[str] = field(default_factory=Counter)
    _room: float = 0.0
    _seen_at: float = 0.0

    def drawn(self) -> str:
        """The fault that this call is to have; empty for most."""
        draw = _chance.random()
        for name in RATES:
            draw -= self.rates.get(name, 0.0)
            if draw < 0:
                self.injected[name] += 1
                return name
        return ""

    def exceeded(self, recipients: int) -> bool:
        """Whether so many more would be faster than the send rate allows."""
        if not self.max_per_second:
            return False
        now = time.monotonic()
        self._room = min(self.max_per_second, self._room + (now - self._seen_at) * self.max_per_second)
        self._seen_at = now
        if self._room < recipients:
            self.injected["max_per_second"] += 1
            return True
        self._room -= recipients
        return False


_chance = random.Random()  # noqa: S311 - faults need no secrecy
_faults = {provider: Faults() for provider in REFUSALS}


def of(provider: str) -> Faults:
    """What goes wrong at a provider."""
    return _faults[provider]


def admit(provider: str, *, recipients: int = 1) -> None:
    """Raises RefusedError while the account is paused, or when this is beyond the send rate."""
    faults = of(provider)
    if faults.paused:
        faults.injected["paused"] += 1
        raise refusal(provider, "paused")
    if faults.exceeded(recipients):
        raise refusal(provider, "throttle")


def risk(provider: str, take: Callable[[], Taken]) -> Taken:
    """Take a call, unless a fault comes before that, or after it: raises RefusedError or HangUpError."""
    fault = of(provider).drawn()
    if fault == "reset":
        raise HangUpError
    if fault in REFUSALS[provider]:
        raise refusal(provider, fault)
    taken = take()
    if fault:
        raise HangUpError
    return taken


def entry_fault() -> str:
    """The status of an entry of SendBulkEmail that is not taken; empty for those that are."""
    faults = of("ses")
    if faults.paused:
        faults.injected["paused"] += 1
        return PAUSED_ENTRY
    if faults.exceeded(1):
        return ENTRY_FAULTS[0]
    if _chance.random() >= faults.rates.get("throttle", 0.0):
        return ""
    faults.injected["throttled_entry"] += 1
    return _chance.choice(ENTRY_FAULTS)


def refusal(provider: str, fault: str) -> RefusedError:
    """A provider's own words for a fault."""
    code, words, status, details = REFUSALS[provider][fault]
    return RefusedError(code, words, status=status, **details)


def replace(asked: Any) -> dict[str, Any]:
    """Take what a test asks for in place of all that was; counts begin at 0. Raises RefusedError before any change."""
    if not isinstance(asked, dict):
        raise RefusedError("BadRequest", 'Say which faults: {"ses": {"throttle": 0.05}}, or {} for none.')
    wanted = {provider: _read(provider, given) for provider, given in asked.items() if provider != "seed"}
    _faults.update({provider: wanted.get(provider, Faults()) for provider in REFUSALS})
    _chance.seed(asked.get("seed"))
    return shown()


def _read(provider: str, given: Any) -> Faults:
    if provider not in REFUSALS or not isinstance(given, dict):
        raise RefusedError("BadRequest", f"Faults are of {', '.join(REFUSALS)}, and there is a seed.")
    if unknown := given.keys() - {*RATES, "paused", "sandbox", "max_per_second"}:
        raise RefusedError("BadRequest", f"There are no faults {sorted(unknown)}.")
    rates = {name: float(given[name]) for name in RATES if name in given}
    if min(rates.values(), default=0) < 0 or sum(rates.values()) > 1:
        raise RefusedError("BadRequest", "Rates are from 0 to 1, and so is their sum.")
    limit = float(given.get("max_per_second", 0))
    paused, sandbox = bool(given.get("paused")), bool(given.get("sandbox"))
    return Faults(rates, paused, sandbox, limit, _room=limit, _seen_at=time.monotonic())


def shown() -> dict[str, Any]:
    """What goes wrong and how often it did, by provider."""
    return {
        provider: {
            **faults.rates,
            "paused": faults.paused,
            "sandbox": faults.sandbox,
            "max_per_second": faults.max_per_second,
            "injected": dict(faults.injected),
        }
        for provider, faults in _faults.items()
    }
