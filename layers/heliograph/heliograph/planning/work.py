"""Deciding on packs: everything that the rules look at is read, the room under the caps reserved, the inputs kept."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from heliograph.followups.fallbacks import achieved
from heliograph.model.decisions import Decision, Inputs, Reservation, Ruling
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Message
from heliograph.model.outcomes import Facts, RecordKey, SlotFacts
from heliograph.model.people import Recipient
from heliograph.model.requests import EarlierDispatch, RequestPack, SendRequest
from heliograph.model.traces import Achieved
from heliograph.planning.caps import reserved_after
from heliograph.planning.decisions import decision, inputs_of, unknown_message
from heliograph.planning.ruling import decide
from heliograph.planning.store import Account
from heliograph.planning.terms import terms_of
from heliograph.runtime import wiring
from heliograph.text.ids import split_outcome_key


class PackSlot(NamedTuple):
    """Where a request is: in which of some packs, and in which slot of it."""

    pack: int
    slot: int


class Question(NamedTuple):
    """A request, and what is known for its decision."""

    at: PackSlot
    request: SendRequest
    message: Message
    recipient: Recipient | None
    achieved: Achieved


class Answer(NamedTuple):
    """What was decided, and of what."""

    inputs: Inputs
    ruling: Ruling


def decide_on(packs: Sequence[RequestPack], now: datetime, *, decided: Container[str]) -> list[list[Decision]]:
    """Decide on every request of some packs; nothing is reserved for the dispatch ids that are decided already."""
    questions = questions_of(packs, now)
    answers = answers_to(questions, now, decided=decided)
    made = decisions_of(questions, answers)
    return [
        [made.get(PackSlot(number, slot)) or unknown_message(request) for slot, request in enumerate(pack.requests)]
        for number, pack in enumerate(packs)
    ]


def questions_of(packs: Sequence[RequestPack], now: datetime) -> list[Question]:
    """The requests of some packs whose message is in the catalogue, with their people."""
    requests = {PackSlot(n, slot): each for n, pack in enumerate(packs) for slot, each in enumerate(pack.requests)}
    people = wiring.recipients().get_many([request.recipient_id for request in requests.values()])
    messages = wiring.templates().messages
    before = achievements(list(requests.values()), now)
    return [
        Question(at, request, messages[request.message], people.get(request.recipient_id), so_far)
        for (at, request), so_far in zip(requests.items(), before, strict=True)
        if request.message in messages
    ]


def decisions_of(questions: Sequence[Question], answers: Mapping[PackSlot, Answer]) -> dict[PackSlot, Decision]:
    """The decisions that answers are, once what they were made of is kept: one sheet for all packs."""
    policy = wiring.templates().policy
    wiring.kept_inputs().keep_versions(policy, {each.message.name: each.message for each in questions}.values())
    packs = groupby(questions, key=lambda question: question.at.pack)
    kept = wiring.kept_inputs().keep([answers[each.at].inputs for each in some] for _, some in packs)
    return {
        each.at: decision(
            each.request,
            each.message,
            each.recipient,
            answers[each.at].ruling,
            policy=policy,
            slot=each.at.slot,
            inputs=inputs,
        )
        for each, inputs in zip(questions, kept, strict=True)
    }


def achievements(requests: Sequence[SendRequest], now: datetime) -> list[Achieved]:
    """What the earlier dispatches of each request have achieved."""
    keys = {record_of(request.run_id, each) for request in requests for each in request.earlier}
    records = wiring.records().read(keys) if keys else {}
    return [achieved(request.earlier, _facts(request, records), now) for request in requests]


def _facts(request: SendRequest, records: Mapping[RecordKey, SlotFacts]) -> dict[str, Facts]:
    """What came of the earlier dispatches of a request, by outcome key."""
    return {
        each.outcome_key: records[record_of(request.run_id, each)].get(split_outcome_key(each.outcome_key)[1], {})
        for each in request.earlier
    }


def record_of(run_id: str, earlier: EarlierDispatch) -> RecordKey:
    """The record that holds what came of an earlier dispatch."""
    return RecordKey(run_id, split_outcome_key(earlier.outcome_key)[0], earlier.channel)


def answers_to(questions: Sequence[Question], now: datetime, *, decided: Container[str]) -> dict[PackSlot, Answer]:
    """Decide, and reserve what is sent under a cap; who lost the race for the last room is decided on again."""
    policy = wiring.templates().policy
    capped = {each.at for each in questions if terms_of(each.message, policy).caps and not _is_in(each, decided)}
    accounts: dict[str, Account] = {}
    answers: dict[PackSlot, Answer] = {}
    todo = list(questions)
    while todo:
        people = {each.request.recipient_id for each in todo if each.at in capped}
        accounts |= wiring.reservations().read(people) if people else {}
        answers |= {each.at: answer_to(each, accounts.get(each.request.recipient_id, Account()), now) for each in todo}
        todo = reserve([each for each in todo if each.at in capped], answers, accounts, now)
    return answers


def reserve(
    questions: Sequence[Question], answers: Mapping[PackSlot, Answer], accounts: Mapping[str, Account], now: datetime
) -> list[Question]:
    """Reserve the room for what is sent; the questions whose person's account was changed by somebody else meanwhile.

    Somebody who is in them twice is seen to twice, one after the other.
    """
    policy = wiring.templates().policy
    changes: dict[str, tuple[Account, tuple[Reservation, ...]]] = {}
    changed: dict[str, Question] = {}
    again: list[Question] = []
    for each in questions:
        person, (inputs, ruling) = each.request.recipient_id, answers[each.at]
        wanted = reserved_after(inputs, ruling, each.message, policy)
        if wanted == accounts[person].reserved:
            continue
        if person in changed:
            again.append(each)
            continue
        changes[person], changed[person] = (accounts[person], wanted), each
    lost = wiring.reservations().write(changes, now) if changes else set()
    return [*(changed[person] for person in lost), *again]


def refund(unsent: Iterable[SendRequest | LedgerEntry], now: datetime) -> None:
    """Take back what is reserved under a cap for messages that certainly do not reach their people."""
    if capped := [(each.recipient_id, each.dispatch_id) for each in unsent if _is_capped(each.message)]:
        wiring.reservations().refund(capped, now)


def _is_capped(name: str) -> bool:
    """Whether a message counts against caps; one that is not in the catalogue any more does not."""
    templates = wiring.templates()
    message = templates.message(name)
    return message is not None and bool(terms_of(message, templates.policy).caps)


def answer_to(question: Question, account: Account, now: datetime) -> Answer:
    """The decision on one request as things are."""
    policy = wiring.templates().policy
    inputs = inputs_of(
        question.request,
        question.message,
        question.recipient,
        policy=policy,
        now=now,
        reserved=account.reserved,
        achieved=question.achieved,
        off=wiring.channels_off(),
    )
    return Answer(inputs, decide(inputs, question.message, policy))


def _is_in(question: Question, decided: Container[str]) -> bool:
    return question.request.dispatch_id in decided
