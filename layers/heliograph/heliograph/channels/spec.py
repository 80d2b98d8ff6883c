"""What a channel tells the rest of the product about itself: one `ChannelSpec` in each channel's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from heliograph.model.channels import Channel
from heliograph.model.dispatches import Sender
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.model.inbound import InboundMessage
from heliograph.model.messages import Message
from heliograph.model.outcomes import FailureCode
from heliograph.model.policy import Enforcement
from heliograph.model.values import JsonObject

Content = Mapping[str, str]
"""Part -> text: `subject`, `html`, `text` for email; `text` for SMS; `title`, `body`, `url` for push."""


class Holds(StrEnum):
    """What a part of the content is."""

    WORDS = "words"
    MARKUP = "markup"
    """HTML: what data puts into it is escaped, and its links are looked at."""
    LINK = "link"
    """One link, and nothing else."""


class Part(NamedTuple):
    """A part of the content."""

    file: str
    """Its file in a message's folder."""
    holds: Holds = Holds.WORDS
    is_one_line: bool = False
    """It may not hold a line break: a broken subject would let data write mail headers."""
    is_optional: bool = False
    """Who does not write it has a message without it; a language without its own takes that of a more general one."""


class AddressKind(NamedTuple):
    """A kind of address: how it is read, kept and found. Channels may share one."""

    name: str
    column: str
    """What an import, an event and the recipients table call it."""
    read: Callable[[str, str], str]
    """The address as it is kept, from its text and the region (ISO 3166-1) of who gives none. Raises MalformedError."""
    most: int = 1
    """How many of them a person may have."""
    indexed_by: str = ""
    """The index of the recipients table that finds its owners; empty: nobody is looked up by it."""


class OptOut(StrEnum):
    """How a person says that they want no more of it."""

    PAGE = "page"
    """By the unsubscribe link of the message."""
    REPLY = "reply"
    """By answering STOP, which networks take; a link does as well."""
    ELSEWHERE = "elsewhere"
    """Where they get it, in the settings of their device or at their server: the message need not say how."""


class Measure(NamedTuple):
    """How large a message is."""

    parts: int
    """What its provider counts and bills."""
    size: int
    """Bytes; where they are certainly few enough, the most that they can be."""


class Limits(NamedTuple):
    """How large a message may be; who goes beyond is not written to."""

    size: int
    """Bytes that the provider takes."""
    parts: Callable[[Message], int] | None = None
    """Parts that a message may take; None: a message has one."""
    counted_in: str = "parts"
    """What people call the parts."""


class Codes(NamedTuple):
    """What the causes of a provider's refusals mean; any other is tried again, then parked until it is mended."""

    halted: frozenset[str] = frozenset()
    """The account as a whole does not send: paused, suspended, or its quota, budget or credentials are used up."""
    busy: frozenset[str] = frozenset()
    """The provider has no time just now, beyond the codes that all of them share (`rate.BUSY`)."""
    exhausted: Mapping[str, timedelta] = {}
    """One destination gets nothing more for a while: others do, and it is asked again so much later."""
    final: Mapping[str, FailureCode] = {}
    """This person or this message is refused for good."""


class Price(NamedTuple):
    """What AWS asks for one part, nothing perhaps; what networks add to it is not in it."""

    usd: Decimal
    source: str


class Remark(NamedTuple):
    """What is wrong with the words of a message on a channel."""

    part: str
    problem: str
    remedy: str
    is_warning: bool = False


class Written(NamedTuple):
    """The content of a message as somebody with its sample would get it, for those who look it over."""

    content: Content
    most_parts: int
    """Parts that the message may take."""
    alone: Callable[[str], str]
    """A part without the layout around it."""
    source: Callable[[str], str]
    """A part as it was written, before data came into it."""


class Authoring(Protocol):
    """The second module of a channel's folder, `authoring`: what only those who write messages need."""

    def lint(self, written: Written) -> Iterable[Remark]:
        """What is wrong with the content."""
        ...

    def pane(self, content: Content) -> Mapping[str, object]:
        """What the channel's `preview.html` shows beside the content."""
        ...


class Surroundings(NamedTuple):
    """What a channel gets of the function that it sends in (`runtime.wiring`)."""

    setting: Callable[[str], str]
    client: Callable[[str], Any]
    """A client of AWS for calls that may be made twice, by its service."""
    provider: Callable[[str], Any]
    """A client of AWS that never makes a call twice by itself."""
    signing_keys: Callable[[], Sequence[str]]
    """The keys of links and tokens: each is good, the last one signs."""
    granted_rate: Callable[[Channel, Callable[[], float | None]], float | None]
    """What a provider grants, asked by one function for all; None when it has never said."""
    noticed: Callable[[Channel, str, int], None]
    """Hears of an outage: its cause, and how many messages another provider gets."""
    warn: Callable[[str, str], None]
    """Writes into the log what is amiss, with a provider's code."""


class ChannelSpec(NamedTuple):
    """A channel. Everything that differs from channel to channel is asked of it, and nowhere else."""

    name: Channel
    noun: str
    """What people call several of its messages: `mails`."""
    address_kind: AddressKind
    parts: Mapping[str, Part]
    """The parts of its content, in the order in which people read them."""
    reports: frozenset[EngagementKind]
    """What its providers may tell of a message."""
    silent_providers: frozenset[str]
    """Providers (`<Name>Provider`) that tell nothing."""
    opt_out: OptOut
    consent_floor: Enforcement
    """The least strict enforcement that the law leaves to promotional messages."""
    codes: Codes
    measure: Callable[[Content], Measure]
    limits: Limits
    price: Price
    connect: Callable[[Surroundings], Sender]
    """The sender of the provider that the settings name."""
    read_event: Callable[[JsonObject, Callable[[], Sequence[str]]], EngagementEvent | None]
    """Read what came on the engagement queue; None: it is not of this channel, or not news. Raises MalformedError.

    The second argument gives the signing keys, to those whose events must prove where they come from.
    """
    read_inbound: Callable[[JsonObject, datetime], InboundMessage | None] = lambda *_: None
    """Read what a person wrote that came on the engagement queue, and when; None: it is not of this channel.

    Raises MalformedError. Without it, nobody can answer on this channel.
    """
    read_raw: Callable[[bytes], EngagementEvent | None] = lambda _: None
    """Read a line out of `raw/<channel>/` in the bucket; None: it is not ours, or not news. Raises MalformedError."""
    lag: Callable[[Callable[[str], str]], int] = lambda _: 0
    """How many seconds late what happened is told, at most, as long as all is well; by the settings."""
    rate: Callable[[Surroundings], float | None] = lambda _: None
    """Parts a second that the provider takes from this account; None when that is no concern."""
    is_off: Callable[[Callable[[str], str]], bool] = lambda _: False
    """Whether the settings say that nobody has set the channel up."""
    spell: Callable[[str], str] = str
    """A part as it is sent: SMS takes plain quotes."""
    floor_says: str = ""
    """Why the floor is where it is."""
    asides: Mapping[str, str] = {}
    """Files of words that are put into a part, and what people get without them: the preview text of a mail."""
    shares_layout: bool = False
    """Whether the layouts and components of the desk are put around its words."""

    def files(self) -> tuple[str, ...]:
        """Every file of words of this channel."""
        return (*(part.file for part in self.parts.values()), *self.asides)

    def units(self, content: Content) -> int:
        """What a message takes of its provider's rate: one, where a message has no parts."""
        return self.measure(content).parts if self.limits.parts else 1

    def excess(self, message: Message, content: Content) -> str:
        """How a message is larger than it may be; empty when it is not."""
        parts, size = self.measure(content)
        if self.limits.parts and parts > (most := self.limits.parts(message)):
            return f"more than {most} {self.limits.counted_in}"
        return f"more than {self.limits.size} bytes" if size > self.limits.size else ""
