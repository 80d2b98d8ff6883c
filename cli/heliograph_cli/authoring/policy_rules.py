"""Rules about the policy: does what it names exist, and does it leave an hour to send at?"""

from collections.abc import Iterator

from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.policy_facts import HoursFacts
from heliograph_cli.authoring.sources import Desk

POLICY = "policy.toml"


def check_policy(desk: Desk) -> Iterator[Finding]:
    """What concerns policy.toml and hours/."""
    yield from _used(desk)
    yield from _caps(desk)
    yield from _hours(desk, POLICY, desk.policy.hours)
    for name, hours in desk.hours.items():
        yield from _hours(desk, f"hours/{name}.toml", hours.rules())


def _used(desk: Desk) -> Iterator[Finding]:
    there = sorted(path.stem for path in (desk.folder / "hours").glob("*.toml"))
    for name in desk.policy.use_hours:
        if name not in there:
            remedy = f"Add the file, or use one of: {', '.join(there)}." if there else "Add the file."
            yield Finding(POLICY, desk.line(POLICY, "use_hours"), f"There is no hours/{name}.toml.", remedy)


def _caps(desk: Desk) -> Iterator[Finding]:
    known = ", ".join(sorted(desk.policy.topics))
    for number, cap in enumerate(desk.policy.caps):
        if cap.topic and cap.topic not in desk.policy.topics:
            line = desk.line(POLICY, "caps", number, "topic")
            yield Finding(POLICY, line, f'"{cap.topic}" is not a topic of policy.toml.', f"Use one of: {known}.")


def _hours(desk: Desk, file: str, rules: tuple[HoursFacts, ...]) -> Iterator[Finding]:
    for number, rule in enumerate(rules):
        if rule.holidays and not rule.countries:
            line = desk.line(file, "hours", number, "holidays")
            yield Finding(file, line, "Public holidays differ from country to country.", "Name countries, too.")
        if rule.allowed == () and not (rule.days or rule.dates or rule.holidays or rule.countries):
            line = desk.line(file, "hours", number, "allowed")
            yield Finding(file, line, "This rule closes every day, for ever.", "Name days, dates or countries, too.")
