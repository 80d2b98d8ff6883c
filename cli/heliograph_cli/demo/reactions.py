"""What people do with what they got: some open, fewer click, a few bounce or complain; pushes are opened, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from random import Random
from typing import Any

from heliograph.channels.addresses import DEVICE
from heliograph.channels.registry import spec
from heliograph_cli.demo.population import SIMULATOR

OPENED, CLICKED, BOUNCED, COMPLAINED = 120, 45, 12, 4
PUSHES_OPENED = 25  # people
KINDS = {"open": "opened", "click": "clicked", "bounce": "bounced", "complain": "complained"}
SIMULATES = {"bounce": "bounced", "complaint": "complained"}

Message = dict[str, Any]


def reactions(mails: Sequence[Message], *, spared: Collection[str], seed: int) -> list[Message]:
    """Who reacts how; nobody who is spared bounces or complains, as their orders are counted on."""
    rng = Random(seed)  # noqa: S311  # a demo needs no secrets
    people = [mail for mail in mails if SIMULATOR not in mail["to"]]
    rng.shuffle(people)
    readers, others = people[:OPENED], [mail for mail in people[OPENED:] if _recipient(mail) not in spared]
    lost = others[: BOUNCED + COMPLAINED]
    return [
        *(_reaction(mail, "open") for mail in readers),
        *(_reaction(mail, "click") for mail in readers[:CLICKED]),
        *(_reaction(mail, "bounce") for mail in lost[:BOUNCED]),
        *(_reaction(mail, "complain") for mail in lost[BOUNCED:]),
    ]


def taps(outbox: Sequence[Message], people: Collection[str]) -> list[Message]:
    """The pushes that somebody taps: one device each of some people to whom the shop sent one."""
    to_devices = [each for each in outbox if spec(each["channel"]).address_kind is DEVICE]
    pushes = {_recipient(each): each for each in to_devices if not each["tags"].get("run_id")}
    tapped = sorted(pushes.keys() & set(people))[:PUSHES_OPENED]
    return [_reaction(pushes[person], "open") for person in tapped]


def expected(mails: Sequence[Message], made: Sequence[Message]) -> dict[str, int]:
    """The engagement that the figures must show: what was made, and what the simulator of SES does by itself."""
    counts = Counter(dict.fromkeys(KINDS.values(), 0))
    counts.update(KINDS[reaction["kind"]] for reaction in made)
    for mail in mails:
        word, _, domain = mail["to"].partition("@")
        if domain == SIMULATOR:
            counts.update(kind for name, kind in SIMULATES.items() if word.startswith(name))
    return dict(counts)


def somebody(made: Sequence[Message], mails: Sequence[Message], customers: Collection[str]) -> str:
    """A person with a story: who clicked, and ordered, too, if there is one."""
    clicked = {each["provider_message_id"] for each in made if each["kind"] == "click"}
    people = [_recipient(mail) for mail in mails if mail["provider_message_id"] in clicked]
    return next((person for person in people if person in customers), (people or sorted(customers))[0])


def _recipient(mail: Message) -> str:
    return str(mail["tags"]["recipient_id"])


def _reaction(mail: Message, kind: str) -> Message:
    return {"provider_message_id": mail["provider_message_id"], "kind": kind}
