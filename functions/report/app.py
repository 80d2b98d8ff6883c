"""Report: answer questions about runs and people, and write their pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from heliograph.domain.errors import MalformedError
from heliograph.runtime import consents, reports


def handler(event: Any, context: Any) -> Any:
    """Answer one question: `{"action": "runs" | "status" | "report" | "timeline" | "why" | "consents", …}`."""
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
            answer = reports.why(recipient_id, event.get("message"))
        case {"action": "consents", "recipient_id": str(recipient_id)}:
            answer = consents.answer(recipient_id, event.get("at"))
        case _:
            raise MalformedError("action", "must be runs, status, report, timeline, why or consents, with its id")
    return reports.plain(answer)


def _time(text: str | None) -> datetime | None:
    """An ISO 8601 time; UTC when it does not say."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedError("at", "must be a time such as 2026-11-23T09:00:00+01:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
