"""Rules about policy.toml and hours/: what is refused, and what they are compiled into."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from benchmarks import place
from builders import EMAIL, PUSH, SMS
from desk_builders import MESSAGE, POLICY, SOUND, a_desk, findings, with_policy
from heliograph.channels.registry import CHANNELS
from heliograph.model.channels import Channel
from heliograph.model.policy import Cap, Enforcement, Hours, Policy, Purpose
from heliograph.planning.caps import caps_on
from heliograph.planning.hours import next_permitted
from heliograph.rendering.templates import Catalogue
from heliograph_cli.authoring.folder import YEARS_AHEAD, read
from heliograph_cli.authoring.lint import check
from heliograph_cli.authoring.policy import compiled_policy
from heliograph_cli.authoring.sources import Desk
from tests_desk import DESK

YEARS = range(2026, 2030)
NIGHT = '[[hours]]\nquiet = ["21:00-08:00"]\n'
CAP = '[[caps]]\nlimit = 3\nper = "7 days"\n'


def before(text: str) -> dict[str, str | None]:
    """A sound desk's policy with lines at its beginning."""
    return {POLICY: text + SOUND[POLICY]}


def hours_file(text: str) -> dict[str, str | None]:
    return {"hours/us.toml": text, **before('use_hours = ["us"]')}


def desk_of(folder: Path) -> Desk:
    desk, found = read(folder)
    assert desk is not None, found
    return desk


def policy_of(folder: Path, files: Mapping[str, str | None], years: range = YEARS) -> Policy:
    return compiled_policy(replace(desk_of(a_desk(folder, files)), years=years))


MISTAKES = [
    # what is written, where it is reported, what is said, what to do
    (before('channels = ["fax"]'), 1, "channels #1: there is no channel", "in your order"),
    (before("channels = []"), 1, "channels is empty", "in your order"),
    (before('channels = ["sms", "sms"]'), 1, "a channel is named twice", "in your order"),
    (before('wait_at_most = "soon"'), 1, "wait_at_most is not a length of time", '"3 days"'),
    (before('wait_at_most = "0 days"'), 1, "wait_at_most: that is no time at all", '"3 days"'),
    (before('by_engagement = "perhaps"'), 1, "by_engagement", "true or false"),
    (before('default_region = "UK"'), 1, '"UK" is not the code of a country', '"DE"'),
    (before('default_timezone = "Berlin"'), 1, "not an IANA time zone", '"Europe/Berlin"'),
    (before('use_hours = ["uk"]'), 1, "There is no hours/uk.toml", "Add the file"),
    (
        with_policy('promotional = "Offers"'),
        5,
        "topics.promotional: a topic cannot bear the name of a purpose",
        "name =",
    ),
    (with_policy('"our news" = "News"'), 5, "topics.our news", "no spaces"),
    (with_policy("[topics.b]\ndouble_opt_in = true"), 5, "topics.b.title is missing", "what people read"),
    (
        with_policy('[topics.b]\ntitle = "B"\ndouble = true'),
        7,
        "topics.b.double is not a field",
        "title, double_opt_in",
    ),
    (with_policy('[enforcement.promotional]\nemail = "strict"'), 6, "enforcement.promotional.email", "opt_out"),
    (with_policy('[enforcement.promotional]\nsms = "off"'), 6, "the law asks for an opt-in", "opt_in"),
    (
        with_policy('[enforcement.promotional]\nsms = "opt_out"'),
        6,
        "the law asks for an opt-in",
        "leave it out",
    ),
    (with_policy('[enforcement.transactional]\nfax = "off"'), 6, "fax is not a field", "email, sms, push"),
    (with_policy('[enforcement.marketing]\nsms = "opt_in"'), 5, "marketing is not a field", "promotional"),
    (with_policy(CAP.replace("3", "0")), 6, "caps #1.limit: Input should be greater", "1 to 20"),
    (with_policy(CAP.replace("3", "21")), 6, "caps #1.limit: Input should be less", "1 to 20"),
    (with_policy(CAP + CAP.replace("7 days", "1 week")), 10, 'caps #2.per: "1 week" is neither', "calendar day"),
    (with_policy(CAP.replace("7 days", "31 days")), 7, "not a time between 1 hour and 30 days", "calendar day"),
    (with_policy(CAP.replace("7 days", "0 hours")), 7, "not a time between 1 hour and 30 days", "calendar day"),
    (with_policy(CAP.replace('"7 days"', "7")), 7, "is neither a time", "calendar day"),
    (with_policy("[[caps]]\nlimit = 3"), 5, "caps #1.per is missing", "calendar day"),
    (with_policy(CAP + CAP + 'topic = "nwes"'), 11, '"nwes" is not a topic', "Use one of: news"),
    (with_policy(CAP + 'channel = "fax"'), 8, "caps #1.channel", "leave it out for all"),
    (with_policy(CAP + 'purpose = "spam"'), 8, "caps #1.purpose", "promotional"),
    (with_policy(NIGHT + '[[hours]]\ndays = ["sun"]'), 7, "hours #2: it needs either allowed or quiet", "[[hours]]"),
    (with_policy(NIGHT + "allowed = []"), 5, "hours #1: it needs either allowed or quiet", "[[hours]]"),
    (with_policy(NIGHT.replace("08:00", "21:00")), 6, "ends when it begins", "21:00-08:00"),
    (with_policy(NIGHT.replace("08:00", "25:00")), 6, "is not a window of time", "21:00-08:00"),
    (with_policy(NIGHT.replace("21:00", "24:00")), 6, "is not a window of time", "21:00-08:00"),
    (with_policy('[[hours]]\nquiet = "21:00-08:00"'), 6, "hours #1.quiet is not a list", "21:00-08:00"),
    (with_policy(NIGHT + 'days = ["sunday"]'), 7, "hours #1.days #1", "mon"),
    (with_policy(NIGHT + 'countries = ["DE", "UK"]'), 7, 'hours #1.countries #2: "UK" is not', "DE"),
    (with_policy(NIGHT + 'channels = ["fax"]'), 7, "hours #1.channels #1", "sms"),
    (with_policy(NIGHT + 'dates = ["2026-02-30"]'), 7, '"2026-02-30" is neither a date', "12-31"),
    (with_policy(NIGHT + 'dates = ["31.12."]'), 7, '"31.12." is neither a date', "12-31"),
    (with_policy(NIGHT + "holidays = true"), 7, "Public holidays differ", "countries"),
    (with_policy(NIGHT + "holiday = true"), 7, "hours #1.holiday is not a field", "holidays"),
    (with_policy("[[hours]]\nallowed = []"), 6, "closes every day", "Name days"),
    (with_policy('[quiet_hours.sms]\nstart = "21:00"'), 5, "quiet_hours is not a field", "hours"),
]


@pytest.mark.parametrize(("files", "line", "said", "remedy"), MISTAKES)
def test_a_mistake_in_the_policy_is_refused_at_its_line(
    tmp_path: Path, files: dict[str, str | None], line: int, said: str, remedy: str
) -> None:
    [found] = findings(tmp_path, files)
    assert (found.file, found.line, found.warning) == (POLICY, line, False)
    assert said in found.problem
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[[hours]]\nallowed = ["8-21"]', 2, "hours #1.allowed #1"),
        ('channels = ["sms"]', 0, "hours is missing"),
        ('countries = ["EU"]\n[[hours]]\nallowed = []', 1, '"EU" is not the code of a country'),
        ("[[hours]]\nholidays = true\nallowed = []", 2, "Public holidays differ"),
        ("[[hours]]\nallowed = ]", 2, "cannot be read"),
    ],
)
def test_a_mistake_in_a_file_of_hours_is_refused_at_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    [found] = findings(tmp_path, hours_file(text))
    assert (found.file, found.line) == ("hours/us.toml", line)
    assert said in found.problem


def test_several_mistakes_in_the_policy_are_reported_at_once(tmp_path: Path) -> None:
    wrong = CAP.replace("3", "99") + NIGHT.replace("21", "31") + '[enforcement.promotional]\nsms = "off"'
    assert len(findings(tmp_path, with_policy(wrong))) == 3


def test_the_hours_that_are_there_are_named_when_others_are_used(tmp_path: Path) -> None:
    [found] = findings(tmp_path, {"hours/eu.toml": NIGHT, **before('use_hours = ["uk"]')})
    assert found.remedy == "Add the file, or use one of: eu."


EVERYTHING = """
default_locale = "en"
default_timezone = "Europe/Berlin"
default_region = "DE"
channels = ["push", "sms"]
wait_at_most = "12 hours"
by_engagement = true
use_hours = ["us"]

[topics]
news = "News"

[topics.offers]
title = "Offers and sales"
double_opt_in = true

[enforcement.promotional]
email = "opt_out"

[enforcement.transactional]
push = "off"

[[caps]]
limit = 3
per = "7 days"

[[caps]]
limit = 1
per = "calendar day"
channel = "sms"

[[caps]]
limit = 20
per = "24 hours"
topic = "news"
purpose = "transactional"

[[hours]]
name = "lunch"
purpose = "transactional"
channels = ["push"]
days = ["fri", "mon"]
quiet = ["12:00-13:30", "22:00-24:00"]

[[hours]]
days = ["sun"]
dates = ["2026-12-24", "02-29", "12-31"]
allowed = []
"""
US = """
countries = ["US"]
channels = ["sms", "push"]

[[hours]]
allowed = ["08:00-21:00"]

[[hours]]
countries = ["DE"]
channels = ["email"]
holidays = true
dates = ["12-24"]
allowed = ["10:00-12:00"]
"""
GERMAN_2026 = ("01-01", "04-03", "04-06", "05-01", "05-14", "05-25", "10-03", "12-25", "12-26")
COMPILED = Policy(
    default_timezone="Europe/Berlin",
    default_region="DE",
    topics={"news": "News", "offers": "Offers and sales"},
    double_opt_in=("offers",),
    enforcement={
        Purpose.PROMOTIONAL: dict.fromkeys(CHANNELS, Enforcement.OPT_IN) | {EMAIL: Enforcement.OPT_OUT},
        Purpose.TRANSACTIONAL: dict.fromkeys(CHANNELS, Enforcement.OPT_OUT) | {PUSH: Enforcement.OFF},
    },
    caps=(
        Cap(limit=3, seconds=7 * 24 * 3600),
        Cap(limit=1, channel=SMS),
        Cap(limit=20, seconds=24 * 3600, topic="news", purpose=Purpose.TRANSACTIONAL),
    ),
    hours=(
        Hours(name="us #1", channels=(SMS, PUSH), countries=("US",), allowed=("08:00-21:00",)),
        Hours(
            name="us #2",
            channels=(EMAIL,),
            countries=("DE",),
            dates={"": ("2026-12-24",), "DE": tuple(f"2026-{day}" for day in GERMAN_2026)},
            allowed=("10:00-12:00",),
        ),
        Hours(
            name="lunch",
            purpose=Purpose.TRANSACTIONAL,
            channels=(PUSH,),
            days=(0, 4),
            quiet=("12:00-13:30", "22:00-24:00"),
        ),
        Hours(name="policy #2", days=(6,), allowed=()),
        Hours(name="policy #2", dates={"": ("2026-12-24", "2026-12-31")}, allowed=()),
    ),
    wait_at_most=12 * 3600,
    by_engagement=True,
)


def test_a_policy_with_everything_in_it_is_compiled_as_it_is_written(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, {POLICY: EVERYTHING, "hours/us.toml": US}, range(2026, 2027))
    assert msgspec.structs.replace(policy, version="") == COMPILED


def test_a_policy_with_the_least_in_it_is_strict_about_promotion_and_has_no_caps_and_no_hours(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, {})
    assert set(policy.enforcement[Purpose.PROMOTIONAL].values()) == {Enforcement.OPT_IN}
    assert set(policy.enforcement[Purpose.TRANSACTIONAL].values()) == {Enforcement.OPT_OUT}
    assert (policy.caps, policy.hours, policy.wait_at_most, policy.by_engagement) == ((), (), 3 * 24 * 3600, False)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("24 hours", 86400),
        ("1 day", 86400),
        ("7 days", 604800),
        ("30 days", 2592000),
        ("1 hour", 3600),
        ("calendar day", None),
    ],
)
def test_a_cap_is_over_a_rolling_window_or_a_calendar_day(tmp_path: Path, written: str, seconds: int | None) -> None:
    [cap] = policy_of(tmp_path, with_policy(CAP.replace("7 days", written))).caps
    assert cap.seconds == seconds


@pytest.mark.parametrize(
    ("written", "dates"),
    [
        ('"12-31"', ("2026-12-31", "2027-12-31", "2028-12-31", "2029-12-31")),
        ('"02-29"', ("2028-02-29",)),
        ('"2031-05-01"', ("2031-05-01",)),
        ("2027-05-01", ("2027-05-01",)),
    ],
)
def test_a_day_without_a_year_is_closed_every_year(tmp_path: Path, written: str, dates: tuple[str, ...]) -> None:
    [rule] = policy_of(tmp_path, with_policy(f"[[hours]]\ndates = [{written}]\nallowed = []")).hours
    assert rule.dates == {"": dates}


@pytest.mark.parametrize(
    ("country", "day"),
    [
        ("DE", "2026-12-25"),  # Christmas
        ("DE", "2026-04-06"),  # Easter Monday
        ("DE", "2027-03-29"),
        ("DE", "2028-04-17"),
        ("DE", "2029-04-02"),
        ("FR", "2027-07-14"),
        ("GR", "2027-05-03"),  # Orthodox Easter Monday
        ("US", "2027-07-04"),  # Independence Day, a Sunday
        ("US", "2027-07-05"),  # and its day off
    ],
)
def test_public_holidays_come_from_a_calendar_at_build_time(tmp_path: Path, country: str, day: str) -> None:
    text = f'[[hours]]\ncountries = ["{country}"]\nholidays = true\nallowed = []'
    [rule] = policy_of(tmp_path, with_policy(text)).hours
    assert rule.dates is not None
    assert day in rule.dates[country]


def test_a_build_knows_the_holidays_of_its_year_and_the_three_after_it(tmp_path: Path) -> None:
    this_year = datetime.now(UTC).year
    years = desk_of(a_desk(tmp_path)).years
    assert (years[0], years[-1], YEARS_AHEAD) == (this_year, this_year + 3, 3)


CHANGES: list[dict[str, str | None]] = [
    {POLICY: EVERYTHING.replace("limit = 20", "limit = 19")},
    {POLICY: EVERYTHING.replace('"News"', '"All news"')},
    {POLICY: EVERYTHING.replace("12 hours", "13 hours")},
    {POLICY: EVERYTHING.replace("lunch", "siesta")},
    {POLICY: EVERYTHING.replace('"off"', '"opt_in"')},
    {POLICY: EVERYTHING.replace("double_opt_in = true", "")},
    {"hours/us.toml": US.replace("21:00", "20:00")},
    {"hours/us.toml": US.replace("12-24", "12-23")},
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_policy_has_another_version_when_anything_in_it_or_its_hours_changes(
    tmp_path: Path, change: dict[str, str | None]
) -> None:
    files: dict[str, str | None] = {POLICY: EVERYTHING, "hours/us.toml": US}
    assert policy_of(tmp_path / "a", files).version != policy_of(tmp_path / "b", files | change).version


def test_the_policy_has_another_version_when_other_holidays_are_known(tmp_path: Path) -> None:
    files: dict[str, str | None] = {POLICY: EVERYTHING, "hours/us.toml": US}
    assert policy_of(tmp_path, files, range(2026, 2027)).version != policy_of(tmp_path, files).version


def test_the_policy_keeps_its_version_when_comments_and_unused_hours_change(tmp_path: Path) -> None:
    files: dict[str, str | None] = {POLICY: EVERYTHING, "hours/us.toml": US}
    other = {POLICY: f"# Ours\n{EVERYTHING}", "hours/us.toml": US, "hours/uk.toml": NIGHT}
    assert policy_of(tmp_path / "a", files).version == policy_of(tmp_path / "b", other).version


def test_a_message_without_channels_is_sent_by_those_it_has_words_for_in_the_order_of_the_policy(
    tmp_path: Path,
) -> None:
    without = SOUND[MESSAGE].partition("channels")[0]
    desk = desk_of(a_desk(tmp_path, {MESSAGE: without, **before('channels = ["push", "sms", "email"]')}))
    assert desk.drafts[0].channels == (SMS, EMAIL)


def test_only_the_capped_message_of_the_benchmarks_counts_against_a_cap(tmp_path: Path) -> None:
    compiled = place.compiled_messages(tmp_path) / "heliograph_templates/catalogue.json"
    catalogue = msgspec.json.decode(compiled.read_bytes(), type=Catalogue)
    counted = {name for name, message in catalogue.messages.items() if caps_on(message, catalogue.policy)}
    assert counted == {"bench_capped"}


# ---- the policy of the repository --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> Policy:
    proof = check(DESK)
    assert proof.desk is not None
    assert not proof.findings
    return compiled_policy(replace(proof.desk, years=YEARS))


def rules_in(policy: Policy, country: str, channel: Channel = SMS) -> list[Hours]:
    return [
        rule
        for rule in policy.hours
        if (not rule.channels or channel in rule.channels) and (not rule.countries or country in rule.countries)
    ]


@pytest.mark.parametrize(
    ("country", "local", "sent"),
    [
        ("US", "2026-07-04 08:00", "2026-07-04 08:00"),  # a holiday; the rule knows none
        ("US", "2026-11-23 07:59", "2026-11-23 08:00"),
        ("US", "2026-11-23 20:59", "2026-11-23 20:59"),
        ("US", "2026-11-23 21:00", "2026-11-24 08:00"),
        ("PR", "2026-11-23 21:00", "2026-11-24 08:00"),
        ("DE", "2026-11-23 19:59", "2026-11-23 19:59"),
        ("DE", "2026-11-23 20:00", "2026-11-24 08:00"),
        ("DE", "2026-11-21 20:00", "2026-11-23 08:00"),  # Saturday evening
        ("DE", "2026-12-24 20:00", "2026-12-28 08:00"),
        ("DE", "2026-04-05 12:00", "2026-04-07 08:00"),  # Easter
        ("JP", "2026-11-22 20:59", "2026-11-22 20:59"),  # a Sunday elsewhere
        ("", "2026-11-22 21:00", "2026-11-23 08:00"),
    ],
)
def test_the_shipped_hours_are_those_of_the_us_of_the_eu_and_of_everywhere(
    shipped: Policy, country: str, local: str, sent: str
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    moment = datetime.fromisoformat(local).replace(tzinfo=zone)
    found = next_permitted(rules_in(shipped, country), country, moment.astimezone(UTC), zone)
    assert found is not None
    assert f"{found.astimezone(zone):%Y-%m-%d %H:%M}" == sent


def test_mails_have_no_hours_in_the_shipped_policy(shipped: Policy) -> None:
    assert rules_in(shipped, "DE", EMAIL) == []


def test_no_holidays_are_so_long_that_the_shipped_policy_drops_what_waits_for_their_end(shipped: Policy) -> None:
    dates = {country: days for rule in shipped.hours for country, days in (rule.dates or {}).items()}
    assert len(dates) == 27
    for country, days in dates.items():
        rules = rules_in(shipped, country)
        for day in days:
            eve = datetime.combine(date.fromisoformat(day) - timedelta(days=1), time(20), tzinfo=UTC)
            sent = next_permitted(rules, country, eve, ZoneInfo("UTC"))
            assert sent is not None
            assert (sent - eve).total_seconds() <= shipped.wait_at_most, (country, day)
