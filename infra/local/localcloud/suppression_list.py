"""The account-level suppression list of SES: who must not be written to, and since when."""

from __future__ import annotations

import time
from email.utils import parseaddr
from typing import Any
from urllib.parse import unquote

from ministack.core.responses import get_account_id, get_region

from localcloud.calls import Call, RefusedError

REASONS = ("BOUNCE", "COMPLAINT")

_listed: dict[tuple[str, str, str], dict[str, Any]] = {}


def _key(address: str) -> tuple[str, str, str]:
    return get_account_id(), get_region(), address.lower()


def is_listed(address: str) -> bool:
    """Whether mail to this address bounces at once."""
    return _key(parseaddr(address)[1]) in _listed


def add(address: str, *, reason: str, message_id: str = "") -> None:
    """List an address; SES does so itself after a hard bounce or a complaint."""
    bare = parseaddr(address)[1]
    attributes = {"MessageId": message_id, "FeedbackId": message_id} if message_id else {}
    entry = {"EmailAddress": bare, "Reason": reason, "LastUpdateTime": time.time()}
    _listed[_key(bare)] = entry | ({"Attributes": attributes} if attributes else {})


def put(call: Call) -> dict[str, Any]:
    """PutSuppressedDestination."""
    if call.data.get("Reason") not in REASONS or "@" not in call.data.get("EmailAddress", ""):
        raise RefusedError("BadRequestException", "EmailAddress and a Reason of BOUNCE or COMPLAINT are required.")
    add(call.data["EmailAddress"], reason=call.data["Reason"])
    return {}


def get(call: Call) -> dict[str, Any]:
    """GetSuppressedDestination."""
    return {"SuppressedDestination": _entry(call)}


def delete(call: Call) -> dict[str, Any]:
    """DeleteSuppressedDestination."""
    del _listed[_key(_entry(call)["EmailAddress"])]
    return {}


def everyone(_: Call) -> dict[str, Any]:
    """ListSuppressedDestinations."""
    here = (get_account_id(), get_region())
    found = [entry for key, entry in _listed.items() if key[:2] == here]
    return {"SuppressedDestinationSummaries": [{k: v for k, v in e.items() if k != "Attributes"} for e in found]}


def _entry(call: Call) -> dict[str, Any]:
    address = unquote(call.path.rpartition("/")[2])
    entry = _listed.get(_key(address))
    if entry is None:
        raise RefusedError("NotFoundException", "Email address is not on the suppression list.", status=404)
    return entry
