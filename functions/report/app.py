"""Report: answer questions about runs and people, and write their pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from heliograph.people.consents import work
from heliograph.reporting import work as reports
from heliograph.reporting.rehearsal import work as rehearsing
from heliograph.text.addresses import moment
from heliograph.text.errors import Code, MalformedError, NotFoundError
from heliograph.text.ids import is_identifier
from heliograph.text.payloads import KEY_BYTES, short

ACTIONS = ("runs", "status", "report", "timeline", "why", "decide", "consents", "find", "named", "rehearse")


IDENTIFIERS = ("run_id", "recipient_id", "message", "before")


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
    _check(event)
    match event:
        case {"action": "runs"}:
            return reports.runs()
        case {"action": "status", "run_id": str(run_id)}:
            return reports.status(run_id)
        case {"action": "report", "run_id": str(run_id)}:
            return reports.report(run_id)
        case {"action": "timeline", "recipient_id": str(recipient_id)}:
            return reports.timeline(recipient_id, before=event.get("before") or "")
        case {"action": "why", "recipient_id": str(recipient_id)}:
            then, name = _time(event.get("at")), event.get("name")
            return reports.why(recipient_id, event.get("message"), event.get("run_id"), then, name=name)
        case {"action": "decide", "recipient_id": str(recipient_id), "message": str(message)}:
            return reports.decide(recipient_id, message, _time(event.get("at")))
        case {"action": "consents", "recipient_id": str(recipient_id)}:
            return work.answer(recipient_id, _time(event.get("at")))
        case {"action": "find", "address": str(address)}:
            return reports.find(address)
        case {"action": "named", "name": str(name)}:
            return reports.named(name)
        case {"action": "rehearse", "detail": dict(detail)}:
            return rehearsing.rehearsed(detail)
    raise MalformedError(Code.BAD_QUESTION, "action", f"must be one of {', '.join(ACTIONS)}, with its id")


def _check(event: Any) -> None:
    """Refuse what is no identifier of ours: ids become keys of items and of pages."""
    if not isinstance(event, dict):
        raise MalformedError(Code.BAD_QUESTION, "question", "must be an object")
    for name in IDENTIFIERS:
        value = event.get(name)
        if value is not None and not (isinstance(value, str) and is_identifier(value)):
            raise MalformedError(Code.BAD_QUESTION, name, "must be 1 to 128 characters of A-Z a-z 0-9 _ -")
    if event.get("name") is not None:
        _check_name(event["name"])


def _check_name(name: Any) -> None:
    if not isinstance(name, str):
        raise MalformedError(Code.BAD_QUESTION, "name", "must be a text")
    short(name, "name", KEY_BYTES)


def _time(text: Any) -> datetime | None:
    if not isinstance(text, str | None):
        raise MalformedError(Code.BAD_QUESTION, "at", "must be a time")
    return moment(text) if text else None
