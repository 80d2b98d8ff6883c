"""The facts of policy.toml, and of the files in hours/ that it uses."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, create_model, field_validator, model_validator

from heliograph.channels.registry import CHANNELS, spec
from heliograph.model.channels import Channel
from heliograph.model.policy import Enforcement, Purpose
from heliograph.planning.terms import DEFAULT_ENFORCEMENT
from heliograph_cli.authoring import names, times
from heliograph_cli.authoring.facts import NAMED, Channels, Duration, Facts, KnownChannel, Locale

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOW_STRICT = 'Write "opt_in" (who opted in), "opt_out" (who did not opt out) or "off" (everybody).'
STRICTNESS = {Enforcement.OFF: 0, Enforcement.OPT_OUT: 1, Enforcement.OPT_IN: 2}
MOST = 20  # of a cap: what is reserved for a person is one item of less than 1 KB


def _topic(name: str) -> str:
    if name in set(Purpose):
        raise ValueError("a topic cannot bear the name of a purpose, because people consent to purposes as well")
    return name


Topic = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$"), AfterValidator(_topic)]
Country = Annotated[str, AfterValidator(times.country)]
Window = Annotated[str, AfterValidator(times.window)]
Day = Annotated[str, BeforeValidator(times.day)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class TopicFacts(Facts):
    """A topic: `news = "News"`, or a table `[topics.news]`."""

    title: str = Field(min_length=1, description='Write what people read, such as: title = "Offers and sales".')
    double_opt_in: bool = Field(False, description="Write true or false: must people confirm that they opted in?")

    @model_validator(mode="before")
    @classmethod
    def _a_title_alone(cls, value: object) -> object:
        return {"title": value} if isinstance(value, str) else value


def _as_the_law_asks(channel: Channel) -> AfterValidator:
    told = spec(channel)

    def check(value: Enforcement) -> Enforcement:
        if STRICTNESS[value] < STRICTNESS[told.consent_floor]:
            raise ValueError(told.floor_says)
        return value

    return AfterValidator(check)


def _promotional(channel: Channel) -> tuple[object, Any]:
    """An enforcement of the channel, no less strict than the law lets it be."""
    is_free = STRICTNESS[spec(channel).consent_floor] == 0
    how = HOW_STRICT if is_free else f'Write "{spec(channel).consent_floor}", or leave it out.'
    kind = Annotated[Enforcement, _as_the_law_asks(channel)]
    return kind, Field(default=DEFAULT_ENFORCEMENT[Purpose.PROMOTIONAL], description=how)


def _transactional(_: Channel) -> tuple[object, Any]:
    return Enforcement, Field(default=DEFAULT_ENFORCEMENT[Purpose.TRANSACTIONAL], description=HOW_STRICT)


def _by_channel(name: str, field: Callable[[Channel], tuple[object, Any]], said: str) -> type[Facts]:
    """A table with a field for each channel."""
    fields: dict[str, Any] = {channel: field(channel) for channel in CHANNELS}
    return create_model(name, __base__=Facts, __doc__=said, **fields)


if TYPE_CHECKING:
    PromotionalFacts = Facts
    TransactionalFacts = Facts
else:
    PromotionalFacts = _by_channel("PromotionalFacts", _promotional, "`[enforcement.promotional]`.")
    TransactionalFacts = _by_channel("TransactionalFacts", _transactional, "`[enforcement.transactional]`.")


class EnforcementFacts(Facts):
    """`[enforcement]`: which consents a purpose needs on a channel."""

    promotional: PromotionalFacts = Field(
        default_factory=PromotionalFacts,
        description='Write: [enforcement.promotional], and under it: email = "opt_in".',
    )
    transactional: TransactionalFacts = Field(
        default_factory=TransactionalFacts,
        description='Write: [enforcement.transactional], and under it: email = "opt_out".',
    )


class CapFacts(Facts):
    """`[[caps]]`: the most messages that a person gets in a while."""

    limit: int = Field(ge=1, le=MOST, description=f"Write the most messages that one person gets, 1 to {MOST}.")
    per: Annotated[int | None, BeforeValidator(times.rolling_seconds)] = Field(
        description='Write a time such as "24 hours", "7 days" or "30 days", or "calendar day".'
    )
    channel: KnownChannel | None = Field(None, description=f"Write one of {NAMED}, or leave it out for all.")
    topic: str = Field("", description="Write the name of a topic, or leave it out for all.")
    purpose: Purpose = Field(
        Purpose.PROMOTIONAL, description='Write "promotional" or "transactional"; without it: promotional.'
    )


class HoursFacts(Facts):
    """`[[hours]]`: when messages may be sent."""

    name: str = Field("", description="Write what people who ask why read, or leave it out.")
    purpose: Purpose = Field(
        Purpose.PROMOTIONAL, description='Write "promotional" or "transactional"; without it: promotional.'
    )
    channels: Channels = Field((), description='List channels such as ["sms", "push"], or leave it out for all.')
    countries: tuple[Country, ...] = Field((), description='List country codes such as ["DE", "GB"].')
    days: tuple[Weekday, ...] = Field((), description='List days such as ["mon", "tue"]; all: leave it out.')
    holidays: bool = Field(False, description="Write true, and countries: the public holidays there.")
    dates: tuple[Day, ...] = Field((), description='List dates such as ["2026-12-24"], or "12-31" for every year.')
    allowed: tuple[Window, ...] | None = Field(
        None, description='List windows such as ["08:00-21:00"]; [] closes the whole day.'
    )
    quiet: tuple[Window, ...] = Field((), description='List windows such as ["21:00-08:00"].')

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.allowed is None) is (not self.quiet):
            raise ValueError("it needs either allowed or quiet, and not both")
        return self


class HoursFile(Facts):
    """`hours/<name>.toml`: rules on hours, for the channels and countries that all of them share."""

    channels: Channels = Field((), description='List channels such as ["sms", "push"], or leave it out for all.')
    countries: tuple[Country, ...] = Field((), description='List country codes such as ["DE", "GB"].')
    hours: tuple[HoursFacts, ...] = Field(min_length=1, description="Write [[hours]], and under it allowed or quiet.")

    def rules(self) -> tuple[HoursFacts, ...]:
        """Each rule with the channels and countries that it does not say itself."""
        shared: dict[str, Any] = {"channels": self.channels, "countries": self.countries}
        return tuple(
            rule.model_copy(update={name: value for name, value in shared.items() if not getattr(rule, name)})
            for rule in self.hours
        )


class PolicyFacts(Facts):
    """`policy.toml`."""

    default_locale: Locale = Field("en", description='Write a language tag such as "en" or "pt-BR".')
    default_timezone: str = Field("UTC", description='Write a time zone such as "Europe/Berlin".')
    default_region: Country = Field("US", description='Write a country code such as "DE".')
    channels: Channels = Field(CHANNELS, min_length=1, description=f"List them in your order, such as [{NAMED}].")
    wait_at_most: Duration = Field(timedelta(days=3), description='Write a time such as "3 days" or "12 hours".')
    by_engagement: bool = Field(
        False, description="Write true or false: does the channel where a person reacted last come first?"
    )
    use_hours: tuple[str, ...] = Field((), description='List files of hours/ without their ending, such as ["us"].')
    topics: dict[Topic, TopicFacts] = Field(
        min_length=1, description='Write a topic as: name = "what people read"; names have no spaces or umlauts.'
    )
    enforcement: EnforcementFacts = Field(
        default_factory=EnforcementFacts, description="Write [enforcement.promotional] and [enforcement.transactional]."
    )
    caps: tuple[CapFacts, ...] = Field((), description='Write [[caps]], and under it: limit = 3 and per = "7 days".')
    hours: tuple[HoursFacts, ...] = Field((), description="Write [[hours]], and under it allowed or quiet.")

    @field_validator("default_timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        return names.time_zone(value)
