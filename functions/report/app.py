"""Report: answer questions about runs and people, and write their pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from heliograph.domain.addresses import moment
from heliograph.domain.errors import MalformedError
from heliograph.runtime import consents, reports

ACTIONS = ("runs", "status", "report", "timeline", "why", "decide", "consents")


def handler(event: Any, context: Any) -> Any:
    """Answer one question: `{"action": one of ACTIONS, …}`."""
    match event:
        case {"action": "runs"}:
            answer: Any = reports.runs()
        case {"action": "status", "run_id": str(run_id)}:
            answer = reports.status(run_id)
        case {"action": "report", "run_id": str(run_id)}:
            answer = reports.report(run_id)
        case {"action": "timeline", "recipient_id": str(recipient_id)}:
            answer = reports.timeline(recipient_id)
        case {"action": "why", "recipient_id": str(recipient_id)}:
            answer = reports.why(recipient_id, event.get("message"), event.get("run_id"), _time(event.get("at")))
        case {"action": "decide", "recipient_id": str(recipient_id), "message": str(message)}:
            answer = reports.decide(recipient_id, message, _time(event.get("at")))
        case {"action": "consents", "recipient_id": str(recipient_id)}:
            answer = consents.answer(recipient_id, event.get("at"))
        case _:
            raise MalformedError("action", f"must be one of {', '.join(ACTIONS)}, with its id")
    return reports.plain(answer)


def _time(text: str | None) -> datetime | None:
    return moment(text) if text else None
