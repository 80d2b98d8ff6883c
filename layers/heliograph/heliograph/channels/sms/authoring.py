"""What those who write texts are told, and shown: what a text costs, and which characters cost more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from heliograph.channels.sms.parts import LIMITS, Encoding, SmsText, measure
from heliograph.channels.spec import Content, Remark, Written

FEW = 0.1
"""Share of a text up to which characters outside GSM-7 look like an oversight."""


def lint(written: Written) -> Iterator[Remark]:
    """What is wrong with a text."""
    text = written.content["text"]
    measured = measure(text)
    if measured.parts > written.most_parts:
        problem = f"The text takes {measured.parts} parts; {written.most_parts} are allowed."
        yield Remark("text", problem, "Shorten it, or raise sms_parts in message.toml.")
    strange = _strange(text, measured)
    if strange:
        named = " ".join(f"“{character}”" for character in strange)
        shorter, longer = (LIMITS[encoding][0] for encoding in (Encoding.UCS_2, Encoding.GSM_7))
        problem = f"{named} cuts a part from {longer} to {shorter} characters."
        yield Remark("text", problem, "Write it with a plain character.", is_warning=True)


def pane(content: Content) -> Mapping[str, object]:
    """The measure of a text, the units that its parts have room for, and the characters to look at."""
    text = content["text"]
    measured = measure(text)
    alone, each = LIMITS[measured.encoding]
    room = alone if measured.parts == 1 else each * measured.parts
    return {"measure": measured, "limit": room, "strange": _strange(text, measured)}


def _strange(text: str, measured: SmsText) -> tuple[str, ...]:
    """The characters that look like an oversight: few, and the text would be GSM-7 without them."""
    few = sum(text.count(character) for character in measured.offenders) <= FEW * len(text)
    return measured.offenders if few else ()
