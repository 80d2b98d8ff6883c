"""Check who may send mail, on the identity and the configuration set that a call names; ministack asks for `*`."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr
from typing import Any

from ministack import app
from ministack.core.iam_actions import extract_iam_action
from ministack.services import ses_v2

from localcloud import faults
from localcloud.calls import Answer, Query, RefusedError, arn, read_json

SENDING = ("/v2/email/outbound-emails", "/v2/email/outbound-bulk-emails")


def install() -> None:
    """Ask for the resources of sends; ministack asks for all others."""
    others = app._enforce_ses_v2

    def enforce(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Query, request_id: str
    ) -> Answer | None:
        if app.AUTH and method == "POST" and path.rstrip("/") in SENDING:
            action = extract_iam_action("ses", method, path, headers, body, query)
            return _enforce_send(action, headers, query, request_id, body)
        answer: Answer | None = others(method, path, headers, body, query, request_id)
        return answer

    app._enforce_ses_v2 = enforce


def _enforce_send(action: str, headers: dict[str, str], query: Query, request_id: str, body: bytes) -> Answer | None:
    try:
        data = read_json(body)
    except RefusedError:
        data = {}
    sender = parseaddr(data.get("FromEmailAddress") or "")[1]
    context = {"ses:FromAddress": [sender], "ses:FromDisplayName": [parseaddr(data.get("FromEmailAddress") or "")[0]]}
    for resource in _resources(data, sender):
        named: dict[str, Any] = {"resource_arn": resource, "named_resource": resource, "service_context": context}
        denied: Answer | None = app._enforce_data_plane("sesv2", action, headers, query, request_id, **named)
        if denied:
            return denied
    return None


def _resources(data: dict[str, Any], sender: str) -> Iterator[str]:
    """The sender's identity, the configuration set and, for an account in the sandbox, who gets it."""
    own = sender if sender in ses_v2._identities else sender.rpartition("@")[2]
    yield data.get("FromEmailAddressIdentityArn") or arn("ses", f"identity/{own}")
    if data.get("ConfigurationSetName"):
        yield arn("ses", f"configuration-set/{data['ConfigurationSetName']}")
    if faults.of("ses").sandbox:
        yield from map(_identity, _recipients(data))


def _identity(address: str) -> str:
    """The address itself if it was verified, else its domain if that was; an unknown one stands for itself."""
    domain = address.rpartition("@")[2]
    known = domain if address not in ses_v2._identities and domain in ses_v2._identities else address
    return arn("ses", f"identity/{known}")


def _recipients(data: dict[str, Any]) -> Iterator[str]:
    entries = [data, *(data.get("BulkEmailEntries") or [])]
    for destination in filter(None, (entry.get("Destination") for entry in entries)):
        for kind in ("ToAddresses", "CcAddresses", "BccAddresses"):
            yield from (parseaddr(address)[1] for address in destination.get(kind) or ())
