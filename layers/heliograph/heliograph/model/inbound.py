"""What people write to us, whichever channel it came on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from heliograph.model.channels import Channel
from heliograph.model.values import Value

TEXT_LIMIT = 65_536  # characters; an SMS has 255 parts of 153 at most (3GPP TS 23.040, 9.2.3.24.1)
MEDIA_LIMIT = 20  # files of one message
REFERENCE_LIMIT = 1_024  # characters: a key of S3 has no more bytes

Text = Annotated[str, Meta(max_length=TEXT_LIMIT)]
ProviderId = Annotated[str, Meta(pattern=r"\A[\x21-\x7e]{1,512}\Z")]
"""A provider's id of a message: visible ASCII, because it becomes a key."""
MediaReference = Annotated[str, Meta(min_length=1, max_length=REFERENCE_LIMIT)]


class InboundMessage(Value, frozen=True, kw_only=True):
    """A message of a person to us. Whoever knows a number or an address of ours decides what is in it."""

    channel: Channel
    address: str
    """Who wrote, as addresses of the channel's kind are kept. Never logged, and neither is the text."""
    text: Text
    media: Annotated[tuple[MediaReference, ...], Meta(max_length=MEDIA_LIMIT)] = ()
    """By what the provider gives each picture or other file."""
    provider_message_id: ProviderId
    """The same message has the same one, however often it comes."""
    answers: ProviderId | None = None
    """The provider's id of our message that it answers; None: the provider does not say."""
    received_at: datetime
