"""SendEmail and SendBulkEmail of SES v2, with their limits and refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core.iam_evaluator import request_caller_arn
from ministack.services import ses, ses_v2

from localcloud import faults
from localcloud.calls import Call, RefusedError
from localcloud.mail import Mail, check_simple, new_message_id, read_destination, read_headers, read_tags, render
from localcloud.mailbox import take
from localcloud.raw_mail import read_raw

BULK_LIMIT = 50  # destinations in one SendBulkEmail
INLINE_LIMIT = 1024 * 1024  # bytes of a SendBulkEmail with an inline template
ENTRY_STATUS = {"BadRequestException": "INVALID_PARAMETER", "MessageRejected": "MESSAGE_REJECTED"}


def send_email(call: Call) -> dict[str, Any]:
    """SendEmail."""
    _check_sender(call.data)
    content, tags = _content(call.data), read_tags(call.data.get("EmailTags"))
    mail = _mail(call, "SendEmail", destination=call.data.get("Destination"), tags=tags, **content)
    faults.admit("ses", recipients=len(mail.recipients))
    return {"MessageId": faults.risk("ses", lambda: take(mail))}


def send_bulk_email(call: Call) -> dict[str, Any]:
    """SendBulkEmail: one result per entry, in their order."""
    entries = call.data.get("BulkEmailEntries") or []
    if not 1 <= len(entries) <= BULK_LIMIT:
        raise RefusedError("BadRequestException", f"{len(entries)} destinations are not between 1 and {BULK_LIMIT}.")
    default = (call.data.get("DefaultContent") or {}).get("Template") or {}
    if "TemplateContent" in default and call.size > INLINE_LIMIT:
        raise RefusedError("BadRequestException", "The input with an inline template is larger than 1 MB.")
    read_tags(call.data.get("DefaultEmailTags"))
    template = _template(default)
    _check_sender(call.data)
    results = faults.risk("ses", lambda: [_send_entry(call, default, template, entry) for entry in entries])
    return {"BulkEmailEntryResults": results}


def _send_entry(call: Call, default: dict[str, Any], template: dict[str, str], entry: dict[str, Any]) -> dict[str, str]:
    replacement = (entry.get("ReplacementEmailContent") or {}).get("ReplacementTemplate") or {}
    try:
        mail = _mail(
            call,
            "SendBulkEmail",
            destination=entry.get("Destination"),
            tags=read_tags(call.data.get("DefaultEmailTags"), entry.get("ReplacementTags")),
            headers=read_headers(default.get("Headers"), entry.get("ReplacementHeaders")),
            template=default.get("TemplateName", ""),
            **render(template, replacement.get("ReplacementTemplateData") or default.get("TemplateData") or ""),
        )
    except RefusedError as no:
        return {"Status": ENTRY_STATUS[no.code], "Error": no.message}
    if status := faults.entry_fault():
        return {"Status": status, "Error": "The mail was not taken."}
    return {"Status": "SUCCESS", "MessageId": take(mail)}


def _check_sender(data: Mapping[str, Any]) -> None:
    if not data.get("FromEmailAddress"):
        raise RefusedError("BadRequestException", "FromEmailAddress is required.")
    if rejection := ses._message_rejection(data["FromEmailAddress"]):
        raise RefusedError("MessageRejected", rejection)
    name = data.get("ConfigurationSetName")
    if name and name not in ses_v2._config_sets:
        raise RefusedError("NotFoundException", f"Configuration set <{name}> does not exist.", status=404)


def _content(data: Mapping[str, Any]) -> dict[str, Any]:
    content = data.get("Content") or {}
    if sum(bool(content.get(kind)) for kind in ("Simple", "Raw", "Template")) != 1:
        raise RefusedError("BadRequestException", "Content takes exactly one of Simple, Raw and Template.")
    if simple := content.get("Simple"):
        body = simple.get("Body") or {}
        text, html = ((body.get(kind) or {}).get("Data", "") for kind in ("Text", "Html"))
        subject = (simple.get("Subject") or {}).get("Data", "")
        return {"subject": subject, "text": text, "html": html, "headers": read_headers(simple.get("Headers"))}
    if raw := content.get("Raw"):
        return read_raw(raw.get("Data", ""))
    template = content["Template"]
    parts = render(_template(template), template.get("TemplateData") or "")
    return {**parts, "headers": read_headers(template.get("Headers")), "template": template.get("TemplateName", "")}


def _template(template: Mapping[str, Any]) -> dict[str, str]:
    stored, _, refusal = ses_v2._resolve_send_template(template)
    if refusal and (name := template.get("TemplateName") or template.get("TemplateArn")):
        raise RefusedError("NotFoundException", f"Template {name} does not exist", status=404)
    if refusal:
        raise RefusedError("BadRequestException", "A template needs a TemplateName, TemplateArn or TemplateContent.")
    parts: dict[str, str] = {part: stored.get(part) or "" for part in ("SubjectPart", "HtmlPart", "TextPart")}
    check_simple(parts)
    return parts


def _mail(call: Call, operation: str, *, destination: Any, **content: Any) -> Mail:
    who = read_destination(destination or {})
    if rejection := ses._message_rejection(None, [address for found in who.values() for address in found]):
        raise RefusedError("MessageRejected", rejection)
    return Mail(
        message_id=new_message_id(),
        operation=operation,
        caller=request_caller_arn(dict(call.headers)).split("/")[-1].rpartition(":")[2],
        sender=call.data["FromEmailAddress"],
        reply_to=tuple(call.data.get("ReplyToAddresses") or ()),
        configuration_set=call.data.get("ConfigurationSetName", ""),
        to=who["to"],
        cc=who["cc"],
        bcc=who["bcc"],
        **content,
    )
