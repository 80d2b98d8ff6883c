"""Report: answer questions about runs and people, and write their pages."""

from __future__ import annotations

from datetime import datetime
from inspect import Parameter, signature
from typing import Any

from heliograph.people.consents import work as consents
from heliograph.reporting import work as reports
from heliograph.reporting.rehearsal import work as rehearsing
from heliograph.text.addresses import moment
from heliograph.text.errors import Code, MalformedError, NotFoundError
from heliograph.text.ids import is_identifier
from heliograph.text.payloads import KEY_BYTES, short

ACTIONS = {**reports.ACTIONS, **consents.ACTIONS, **rehearsing.ACTIONS}
"""By name what answers a question; its parameters are what the question may say, and has to if they have no default."""


def handler(event: Any, context: Any) -> Any:
    """Answer one question: `{"action": one of ACTIONS, …}`.

    A question about nothing is answered `{"not_found", "next_step"}`, one that cannot be read
    `{"malformed", "code", "reason"}`: neither is an error of this function, for trying again would not help.
    """
    try:
        return reports.plain(_answer(event))
    except NotFoundError as nothing:
        return {"not_found": nothing.what, "next_step": nothing.next_step}
    except MalformedError as error:
        return {"malformed": error.position, "code": error.code, "reason": error.reason}


def _answer(event: Any) -> Any:
    if not isinstance(event, dict):
        raise MalformedError(Code.BAD_QUESTION, "question", "must be an object")
    action = ACTIONS.get(str(event.get("action")))
    parameters = signature(action).parameters if action else {}
    said = {
        name: READERS.get(name, _identifier)(name, event[name]) for name in parameters if event.get(name) is not None
    }
    needed = {name for name, each in parameters.items() if each.default is Parameter.empty}
    if action is None or not needed <= said.keys():
        raise MalformedError(Code.BAD_QUESTION, "action", f"must be one of {', '.join(ACTIONS)}, with its id")
    return action(**said)


def _identifier(name: str, value: Any) -> str:
    """An identifier of ours: ids become keys of items and of pages."""
    if not (isinstance(value, str) and is_identifier(value)):
        raise MalformedError(Code.BAD_QUESTION, name, "must be 1 to 128 characters of A-Z a-z 0-9 _ -")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise MalformedError(Code.BAD_QUESTION, name, "must be a text")
    return value


def _name(name: str, value: Any) -> str:
    short(_text(name, value), name, KEY_BYTES)
    return str(value)


def _time(name: str, value: Any) -> datetime | None:
    if not isinstance(value, str):
        raise MalformedError(Code.BAD_QUESTION, name, "must be a time")
    return moment(value) if value else None


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError(Code.BAD_QUESTION, name, "must be an object")
    return value


READERS = {"address": _text, "name": _name, "at": _time, "detail": _object}
"""How what a question says is read; all else are identifiers."""
