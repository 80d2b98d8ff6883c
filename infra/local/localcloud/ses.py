"""SES v2: which operations the local cloud plays itself; ministack answers the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote

from ministack.services import ses, ses_v2

from localcloud import announce, faults, mailbox, suppression_list
from localcloud.calls import Answer, Call, Query, RefusedError, played
from localcloud.ses_send import send_bulk_email, send_email

GREETING = "Successfully validated SNS topic for Amazon SES event publishing."
MAX_DAY_SEND = 1_000_000.0  # what an account in production may have
MAX_SEND_RATE = 500.0  # so many may be sent in a second as `faults` says; an unlimited account says this


def get_account(_: Call) -> dict[str, Any]:
    """GetAccount: an account with room to send, in production unless `faults` say sandbox."""
    trouble = faults.of("ses")
    quota = {"MaxSendRate": trouble.max_per_second or MAX_SEND_RATE, "Max24HourSend": MAX_DAY_SEND}
    return {
        "DedicatedIpAutoWarmupEnabled": False,
        "EnforcementStatus": "HEALTHY",
        "ProductionAccessEnabled": not trouble.sandbox,
        "SendQuota": {**quota, "SentLast24Hours": float(mailbox.taken())},
        "SendingEnabled": not trouble.paused,
        "SuppressionAttributes": {"SuppressedReasons": list(suppression_list.REASONS)},
    }


def get_email_identity(call: Call) -> dict[str, Any]:
    """GetEmailIdentity: what exists is verified, and a domain's mails are signed."""
    name = unquote(call.path.rpartition("/")[2])
    if name not in ses_v2._identities:
        raise RefusedError("NotFoundException", f"Email identity {name} does not exist.", status=404)
    signed = {"Status": "SUCCESS", "SigningEnabled": True} if "@" not in name else {}
    found = ses_v2._identities[name]
    return {**found, "DkimAttributes": {**found.get("DkimAttributes", {}), **signed}}


ROUTES: tuple[tuple[str, re.Pattern[str], Callable[[Call], Any]], ...] = (
    ("POST", re.compile(r"/outbound-emails"), send_email),
    ("POST", re.compile(r"/outbound-bulk-emails"), send_bulk_email),
    ("GET", re.compile(r"/account"), get_account),
    ("GET", re.compile(r"/identities/[^/]+"), get_email_identity),
    ("PUT", re.compile(r"/suppression/addresses"), suppression_list.put),
    ("GET", re.compile(r"/suppression/addresses"), suppression_list.everyone),
    ("GET", re.compile(r"/suppression/addresses/.+"), suppression_list.get),
    ("DELETE", re.compile(r"/suppression/addresses/.+"), suppression_list.delete),
)


def install() -> None:
    """Answer the operations above in place of ministack, which answers the others."""
    others = ses_v2.handle_request

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Query) -> Answer:
        operation = path.rstrip("/").removeprefix("/v2/email")
        for verb, pattern, play in ROUTES:
            if verb == method and pattern.fullmatch(operation):
                return await played(play, words="message")(method, path, headers, body, query)
        answer: Answer = await others(method, path, headers, body, query)
        return answer

    ses_v2.handle_request = handle
    ses._production_access_enabled = lambda: not faults.of("ses").sandbox
    _greet_topics()


def _greet_topics() -> None:
    """A topic that becomes an event destination gets one message in plain words."""
    put = ses_v2._put_event_destination

    def put_and_greet(name: str, destination: str, definition: Any, *, create: bool) -> Any:
        refusal = put(name, destination, definition, create=create)
        topic = ((definition or {}).get("SnsDestination") or {}).get("TopicArn")
        if topic and not refusal:
            announce.later(partial(announce.notify, topic, GREETING))
        return refusal

    ses_v2._put_event_destination = put_and_greet
