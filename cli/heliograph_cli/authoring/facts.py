"""The facts that people write for messages: message.toml, brand.toml, words.toml, samples."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from heliograph.channels.registry import CHANNELS
from heliograph.model import messages
from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementKind
from heliograph.model.messages import OnUnknown
from heliograph.model.policy import Purpose
from heliograph.text.locales import canonical
from heliograph_cli.authoring import names, pattern

NAMED = ", ".join(f'"{channel}"' for channel in CHANNELS)
SPOKEN_DURATION = re.compile(r"(\d+) (minute|hour|day)s?")


def _expression(text: str) -> str:
    return names.jmespath_expression(text)


def _duration(text: object) -> object:
    """Read `15 minutes`; ISO 8601 (`PT15M`) is left to pydantic."""
    spoken = SPOKEN_DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    return timedelta(**{f"{spoken[2]}s": int(spoken[1])}) if spoken else text


def _some_time(length: timedelta) -> timedelta:
    if length < timedelta(seconds=1):
        raise ValueError("that is no time at all")
    return length


def _known(name: str) -> Channel:
    if name not in CHANNELS:
        raise ValueError(f'there is no channel "{name}", but {NAMED}')
    return Channel(name)


def _each_once(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    if len(set(channels)) < len(channels):
        raise ValueError("a channel is named twice")
    return channels


Expression = Annotated[str, AfterValidator(_expression)]
Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_some_time)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Url = Annotated[str, Field(pattern=r"^https://\S+$")]
Locale = Annotated[str, AfterValidator(canonical)]
KnownChannel = Annotated[Channel, AfterValidator(_known)]
Channels = Annotated[tuple[KnownChannel, ...], AfterValidator(_each_once)]


class Facts(BaseModel):
    """The root of what people write: a field that we do not know is a mistake. Descriptions are what to do."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TriggerFacts(Facts):
    """`[trigger]`: the product event that sends the message."""

    source: str = Field(min_length=1, description='Write the source of the event, such as "shop.orders".')
    detail_type: str = Field(min_length=1, description='Write the detail-type of the event, such as "OrderShipped".')
    recipient_id: Expression = Field(min_length=1, description='Say where the id is, such as "detail.customer_id".')
    data: Expression = Field("detail", description='Say where the data is, such as "detail".')
    filter: dict[str, Any] = Field({}, description="Write it as an EventBridge event pattern.")
    idempotency_key: Expression = Field("", description='Say where it is, such as "detail.order_id".')
    reference: Expression = Field("", description='Say where it is, such as "detail.order_id".')
    email: Expression = Field("", description='Say where it is, such as "detail.email".')
    phone: Expression = Field("", description='Say where it is, such as "detail.phone".')
    locale: Expression = Field("", description='Say where it is, such as "detail.locale".')
    expires_at: Expression = Field("", description='Say where the time is, such as "detail.expires_at".')
    most_per_event: int = Field(1, ge=1, description="Write the most recipients that one event may name, such as 1.")
    most_per_hour: int | None = Field(
        None, ge=1, description="Write the most recipients that you expect in an hour, such as 10000."
    )

    @field_validator("filter")
    @classmethod
    def _is_a_pattern(cls, value: dict[str, Any]) -> dict[str, Any]:
        return pattern.checked(value)

    def to_model(self) -> messages.Trigger:
        """As the functions read it."""
        return messages.Trigger(**self.model_dump())


class Confirmation(StrEnum):
    """What shows that a channel has done its work."""

    OPENED = "opened"
    DELIVERED = "delivered"


class FallbackFacts(Facts):
    """`[[fallback]]`: what follows when a channel does not do its work in time."""

    unless: Confirmation = Field(description='Write "opened" or "delivered": what makes it unnecessary.')
    within: Duration = Field(
        ge=timedelta(minutes=1), le=timedelta(days=30), description='Write a time such as "10 minutes" or "2 hours".'
    )
    channels: Channels = Field(min_length=1, description='List the channels that follow, such as ["sms"].')

    def to_model(self) -> messages.Fallback:
        """As the functions read it."""
        return messages.Fallback(
            unless=EngagementKind(self.unless),
            within=int(self.within.total_seconds()),
            channels=self.channels,
        )


class MessageFacts(Facts):
    """`message.toml`."""

    topic: str = Field(description="Write the name of a topic of policy.toml.")
    purpose: Purpose = Field(description='Write "transactional" or "promotional".')
    channels: Channels | None = Field(
        None,
        min_length=1,
        description='List the channels in the order in which they are tried, such as ["email", "sms"].',
    )
    fallback: tuple[FallbackFacts, ...] = Field(
        (), description='Write [[fallback]], and under it: unless = "opened", within = "2 hours", channels = ["sms"].'
    )
    wait_at_most: Duration | None = Field(
        None, description='Write a time such as "12 hours", or leave it to the policy.'
    )
    by_engagement: bool | None = Field(None, description="Write true or false, or leave it to the policy.")
    expires_after: Duration | None = Field(None, description='Write a time such as "15 minutes", "2 hours" or "PT15M".')
    on_unknown: OnUnknown | None = Field(
        None, description="Write resend or drop: what happens when nobody knows whether it was sent."
    )
    sms_parts: int = Field(3, ge=1, le=10, description="Write how many parts a text message may take, 1 to 10.")
    trigger: TriggerFacts | None = Field(None, description="Write a [trigger] table, or leave it out for a campaign.")


class Palette(Facts):
    """The colours of a mail, in light or in dark mode."""

    canvas: Colour = Field(description='Write the colour around the mail, such as "#f4f1ea".')
    paper: Colour = Field(description='Write the colour behind the words, such as "#ffffff".')
    ink: Colour = Field(description='Write the colour of the words, such as "#1f2933".')
    muted: Colour = Field(description='Write the colour of small print, such as "#5b6470".')
    rule: Colour = Field(description='Write the colour of lines, such as "#e3ddd0".')
    accent: Colour = Field(description='Write the colour of buttons and links, such as "#0b5d4b".')
    on_accent: Colour = Field(description='Write the colour of words on buttons, such as "#ffffff".')


class Logo(Facts):
    """The picture at the top of each mail; without one, the name stands there."""

    url: Url = Field(description="Write where the picture is on the web: an https link that needs no login.")
    file: str = Field(
        "",
        pattern=r"^([A-Za-z0-9_-][A-Za-z0-9_ .-]*)?$",
        description="Write the name of the same picture in brand/, for the preview: a name, no path.",
    )
    alt: str = Field(min_length=1, description="Write what people read who do not see the picture.")
    width: int = Field(gt=0, le=600, description="Write the width at which it is shown, in pixels.")
    height: int = Field(gt=0, description="Write the height at which it is shown, in pixels.")


class Link(Facts):
    """A link in the foot of each mail."""

    title: str = Field(min_length=1, description="Write what people read.")
    url: Url = Field(description="Write an https link.")


class BrandFacts(Facts):
    """`brand/brand.toml`."""

    name: str = Field(min_length=1, description="Write the name that people know you by.")
    website: Url = Field(description="Write an https link.")
    support: str = Field(pattern=r"^\S+@\S+$", description="Write an email address that somebody reads.")
    postal_address: str = Field(min_length=1, description="Write your postal address; the law asks for it.")
    colours: Palette = Field(description="Write a [colours] table.")
    dark: Palette = Field(description="Write a [dark] table: the same colours for dark mode.")
    logo: Logo | None = Field(None, description="Write a [logo] table, or leave it out.")
    links: tuple[Link, ...] = Field((), description="Write each as [[links]] with title and url.")


class Sample(Facts):
    """`sample.json`: a person and an event that the message always renders with."""

    recipient: dict[str, Any] = Field({}, description="Write an object with the attributes of a person.")
    data: dict[str, Any] = Field({}, description="Write an object with the data of an event.")


class Words(Facts):
    """`layouts/words.toml`: the words that all messages share, in one language."""

    topics: dict[str, str] = Field({}, description='Write a topic as: name = "what people read".')
    phrases: dict[str, str] = Field(description='Write each phrase as: name = "what people read".')
