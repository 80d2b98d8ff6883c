"""Compile the policy: policy.toml, the files in hours/ that it uses, and the public holidays of the next years."""

from collections.abc import Iterable, Iterator

import holidays
import msgspec

from heliograph.channels.registry import CHANNELS
from heliograph.model.channels import Channel
from heliograph.model.policy import Cap, Enforcement, Hours, Policy, Purpose
from heliograph_cli.authoring import times
from heliograph_cli.authoring.policy_facts import DAYS, HoursFacts, PolicyFacts
from heliograph_cli.authoring.sources import Desk
from heliograph_cli.authoring.versions import hashed


def compiled_policy(desk: Desk) -> Policy:
    """The policy, as the functions read it."""
    facts = desk.policy
    unversioned = Policy(
        default_locale=facts.default_locale,
        default_timezone=facts.default_timezone,
        default_region=facts.default_region,
        topics={name: topic.title for name, topic in facts.topics.items()},
        double_opt_in=tuple(name for name, topic in facts.topics.items() if topic.double_opt_in),
        enforcement=_enforcement(facts),
        caps=tuple(
            Cap(limit=cap.limit, seconds=cap.per, purpose=cap.purpose, channel=cap.channel, topic=cap.topic)
            for cap in facts.caps
        ),
        hours=tuple(_hours(desk)),
        wait_at_most=int(facts.wait_at_most.total_seconds()),
        by_engagement=facts.by_engagement,
    )
    version = hashed([msgspec.json.encode(unversioned, order="sorted").decode()])
    return msgspec.structs.replace(unversioned, version=version)


def _enforcement(facts: PolicyFacts) -> dict[Purpose, dict[Channel, Enforcement]]:
    said = {
        Purpose.PROMOTIONAL: facts.enforcement.promotional,
        Purpose.TRANSACTIONAL: facts.enforcement.transactional,
    }
    return {purpose: {channel: getattr(each, channel) for channel in CHANNELS} for purpose, each in said.items()}


def _hours(desk: Desk) -> Iterator[Hours]:
    files = {name: desk.hours[name].rules() for name in desk.policy.use_hours if name in desk.hours}
    for source, rules in [*files.items(), ("policy", desk.policy.hours)]:
        for number, rule in enumerate(rules, start=1):
            yield from _rules(rule, rule.name or f"{source} #{number}", desk.years)


def _rules(facts: HoursFacts, name: str, years: range) -> Iterator[Hours]:
    """A rule on days and on dates holds on either: it becomes two."""
    rule = Hours(
        name=name,
        purpose=facts.purpose,
        channels=facts.channels,
        countries=facts.countries,
        allowed=facts.allowed,
        quiet=facts.quiet,
    )
    by_date = facts.holidays or facts.dates
    if facts.days or not by_date:
        yield msgspec.structs.replace(rule, days=tuple(sorted({DAYS.index(day) for day in facts.days})))
    if by_date:
        yield msgspec.structs.replace(rule, dates=_dates(facts, years))


def _dates(facts: HoursFacts, years: range) -> dict[str, tuple[str, ...]]:
    own = sorted({date for day in facts.dates for date in times.dates(day, years)})
    listed = {"": tuple(own)} if own else {}
    return listed | ({code: public_holidays(code, years) for code in facts.countries} if facts.holidays else {})


def public_holidays(country: str, years: Iterable[int]) -> tuple[str, ...]:
    """The public holidays of a whole country, those moved to a working day included."""
    return tuple(day.isoformat() for day in sorted(holidays.country_holidays(country, years=years)))
