"""What those who write mails are told, and shown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from heliograph.channels.spec import Content, Remark, Written

CLIPPED = 102_000  # bytes of HTML after which Gmail cuts a mail off


def lint(written: Written) -> Iterator[Remark]:
    """What is wrong with a mail."""
    markup = written.content["html"]
    if len(markup.encode()) > CLIPPED:
        yield Remark("html", "Gmail cuts off mails of more than 102 KB.", "Shorten it.", is_warning=True)
    if re.search(r"<img\b(?![^>]*\salt=)", markup):
        yield Remark("html", "A picture has no alt text.", 'Write alt="what it shows", or alt="" for decoration.')
    for part in ("html", "text"):
        own = written.alone(part)
        if not re.search(r"<img\b", own) and not html.unescape(re.sub(r"<[^>]*>", " ", own)).strip():
            yield Remark(part, "The mail is empty: there is nothing but its layout.", "Write something.")


def pane(_: Content) -> Mapping[str, object]:
    """The words of a mail say all."""
    return {}
