"""What people say about topics and purposes: how an answer is read, which of two holds, and what held at a time."""

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from heliograph.channels.registry import CHANNELS
from heliograph.model.people import Consent, ConsentState
from heliograph.model.values import Value

COLUMN: Final = re.compile(rf"consent\.(?P<subject>[A-Za-z0-9_-]{{1,128}})\.(?P<channel>{'|'.join(CHANNELS)})")
"""The subject is a topic or a purpose."""
CONFIRMED: Final = "confirmed"
ANSWERS: Final = {
    "opted_in": ConsentState.OPTED_IN,
    "yes": ConsentState.OPTED_IN,
    "true": ConsentState.OPTED_IN,
    CONFIRMED: ConsentState.OPTED_IN,
    "opted_out": ConsentState.OPTED_OUT,
    "no": ConsentState.OPTED_OUT,
    "false": ConsentState.OPTED_OUT,
    "pending": ConsentState.PENDING,
    "not_set": ConsentState.NOT_SET,
}
SOURCES: Final = frozenset({"page", "import", "reply", "api", "complaint"})
"""The kinds of sources; after a colon stands what exactly it was."""

RANKS: Final = {
    ConsentState.PENDING: 0,
    ConsentState.OPTED_IN: 0,
    ConsentState.NOT_SET: 1,
    ConsentState.OPTED_OUT: 2,
}
"""Of two answers of the same time the one that permits less holds."""


class Statement(Value, frozen=True, kw_only=True):
    """One entry of a person's history: what was said about one subject on one channel, and since when we know."""

    key: str
    """`consent_key(subject, channel)`."""
    consent: Consent
    recorded_at: datetime
    undated: bool = False
    """Nobody said when it was given: `consent.at` is the time of the import."""


def state_of(answer: str, subject: str, double_opt_in: Collection[str]) -> ConsentState | None:
    """The state that an answer stands for; an opt-in that needs a confirmation waits for it. None: it is no answer."""
    said = answer.lower()
    state = ANSWERS.get(said)
    if state is ConsentState.OPTED_IN and subject in double_opt_in and said != CONFIRMED:
        return ConsentState.PENDING
    return state


def is_source(text: str) -> bool:
    """Whether a text says of which kind the source of a consent is."""
    return text.partition(":")[0] in SOURCES


def holds_against(kept: Consent, given: Consent, *, undated: bool) -> bool:
    """Whether an answer that is kept stays as it is when another one comes, whichever of the two was given first.

    The later one holds, but an answer of an unknown date never ends an opt-out.
    """
    refused, refusing = (each.state is ConsentState.OPTED_OUT for each in (kept, given))
    if undated and refused and not refusing:
        return True
    if kept.at == given.at:
        return not refusing and RANKS[kept.state] >= RANKS[given.state]
    return kept.at > given.at


def holding(answer: Consent | None, pending: Consent | None) -> Consent | None:
    """What holds of a person's answer and an opt-in that waits for its confirmation.

    Anybody can type somebody's address into a page, so that what is not confirmed ends no answer: no opt-in, and no
    opt-out either.
    """
    if answer is None or pending is None:
        return answer or pending
    waits = answer.state is ConsentState.NOT_SET and pending.at > answer.at
    return pending if waits else answer


def as_of(history: Iterable[Statement], at: datetime) -> dict[str, Consent]:
    """What held at a time, by key, of all that was said until then."""
    answers: dict[str, Consent] = {}
    waiting: dict[str, Consent] = {}
    for said in sorted(history, key=lambda said: said.consent.at):
        kept = waiting if said.consent.state is ConsentState.PENDING else answers
        before = kept.get(said.key)
        if said.consent.at > at or (before and holds_against(before, said.consent, undated=said.undated)):
            continue
        kept[said.key] = said.consent
    return together(answers, waiting)


def together(answers: dict[str, Consent], waiting: dict[str, Consent]) -> dict[str, Consent]:
    """A person's answers, and the opt-ins that wait for their confirmation, as what holds, by key."""
    found = {key: holding(answers.get(key), waiting.get(key)) for key in (*answers, *waiting)}
    return {key: consent for key, consent in found.items() if consent}
