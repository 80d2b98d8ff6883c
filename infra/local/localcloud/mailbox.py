"""What becomes of a mail that SES took: it is shown in the outbox, and delivered or bounced as its address says."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import parseaddr
from functools import partial

from localcloud import announce, outbox, ses_events, suppression_list
from localcloud.mail import Mail
from localcloud.ses_events import report

SIMULATOR = "simulator.amazonses.com"
SUPPRESSED = "OnAccountSuppressionList"

_taken = 0


def take(mail: Mail) -> str:
    """Keep a mail and report, after the call, what becomes of it. Returns its id."""
    global _taken
    _taken += len(mail.recipients)
    if not mail.unrendered:
        outbox.keep(_shown(mail))
    announce.later(partial(_deliver, mail))
    return mail.message_id


def taken() -> int:
    """How many recipients the mails of this account had: SES counts recipients, not mails."""
    return _taken


def _deliver(mail: Mail) -> None:
    if mail.unrendered:
        report(mail, "RENDERING_FAILURE", {"templateName": mail.template, "errorMessage": mail.unrendered})
        return
    report(mail, "SEND", {})
    fates = {address: _fate(address) for address in mail.recipients}
    if bounced := _with_fate(fates, "bounce"):
        report(mail, "BOUNCE", ses_events.bounce(bounced))
    if listed := _with_fate(fates, "suppressionlist"):
        report(mail, "BOUNCE", ses_events.bounce(listed, sub_type=SUPPRESSED))
    if delivered := [address for address in fates if address not in (*bounced, *listed)]:
        report(mail, "DELIVERY", ses_events.delivery(delivered))
    if complained := _with_fate(fates, "complaint"):
        report(mail, "COMPLAINT", ses_events.complaint(complained))


def _fate(address: str) -> str:
    """The mailbox of the simulator that an address names; `suppressionlist` for a listed one; otherwise nothing."""
    local, _, domain = parseaddr(address)[1].lower().rpartition("@")
    if domain == SIMULATOR:
        return local.partition("+")[0]
    return "suppressionlist" if suppression_list.is_listed(address) else ""


def _with_fate(fates: dict[str, str], fate: str) -> list[str]:
    return [address for address, named in fates.items() if named == fate]


def _shown(mail: Mail) -> outbox.Sent:
    return outbox.Sent(
        provider_message_id=mail.message_id,
        channel="email",
        to=tuple(parseaddr(address)[1] or address for address in mail.recipients),
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        headers=_sender_headers(mail) | mail.headers,
        tags=mail.tags,
        sent_at=mail.sent_at,
        reactions={
            "open": lambda _: report(mail, "OPEN", ses_events.opening()),
            "click": lambda link: report(mail, "CLICK", ses_events.click(link)),
            "bounce": lambda _: _bounce(mail),
            "complain": lambda _: _complain(mail),
        },
    )


def _sender_headers(mail: Mail) -> dict[str, str]:
    lines: Iterable[tuple[str, tuple[str, ...]]] = (
        ("From", (mail.sender,)),
        ("Reply-To", mail.reply_to),
        ("Cc", mail.cc),
        ("Bcc", mail.bcc),
    )
    return {name: ", ".join(addresses) for name, addresses in lines if addresses}


def _bounce(mail: Mail) -> None:
    _suppress(mail, reason="BOUNCE")
    report(mail, "BOUNCE", ses_events.bounce(mail.recipients))


def _complain(mail: Mail) -> None:
    _suppress(mail, reason="COMPLAINT")
    report(mail, "COMPLAINT", ses_events.complaint(mail.recipients))


def _suppress(mail: Mail, *, reason: str) -> None:
    for address in mail.recipients:
        if not parseaddr(address)[1].lower().endswith(f"@{SIMULATOR}"):
            suppression_list.add(address, reason=reason, message_id=mail.message_id)
