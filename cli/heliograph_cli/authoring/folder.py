"""Read the templates folder: facts, layouts, components and words, with every mistake in how they are written."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from babel import Locale, UnknownLocaleError

from heliograph.channels.registry import CHANNELS
from heliograph.model.channels import Channel
from heliograph.text.locales import canonical
from heliograph_cli.authoring import reading
from heliograph_cli.authoring.facts import BrandFacts, MessageFacts, Sample, Words
from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.policy_facts import HoursFile, PolicyFacts
from heliograph_cli.authoring.sources import FILES, Desk, Draft, Source

MESSAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
WORDS = ("*.html", "*.txt", *(f"{Path(file).stem}*.json" for file in sorted(FILES) if file.endswith(".json")))
"""The files of words; `sample.json` is none."""
YEARS_AHEAD = 3  # for which a build knows the public holidays


def read(folder: Path) -> tuple[Desk | None, list[Finding]]:
    """Read everything that can be read. No desk: the policy, the brand or the shared words cannot be read at all."""
    policy, findings = reading.toml(folder / "policy.toml", "policy.toml", PolicyFacts)
    hours, wrong = _hours(folder)
    findings += wrong
    brand, wrong = reading.toml(folder / "brand/brand.toml", "brand/brand.toml", BrandFacts)
    findings += wrong
    default = policy.default_locale if policy else "en"
    words, wrong = _shared_words(folder, default)
    findings += wrong
    drafts, wrong = _drafts(folder, default, policy.channels if policy else CHANNELS)
    findings += wrong
    if policy is None or brand is None or default not in words:
        return None, findings
    this_year = datetime.now(UTC).year
    css = folder / "layouts/email.css"
    desk = Desk(
        folder=folder,
        policy=policy,
        hours=hours,
        years=range(this_year, this_year + YEARS_AHEAD + 1),
        brand=brand,
        css=reading.read_text(css) if css.is_file() else "",
        layouts={path.name: _source(folder, path) for path in _files(folder / "layouts", *WORDS)},
        components=tuple(_source(folder, path) for path in _files(folder / "components", *WORDS)),
        words=words,
        drafts=tuple(drafts),
    )
    return desk, findings


def every_source(folder: Path) -> list[Source]:
    """Every file of words and markup, whether or not what belongs to it can be read."""
    places = [folder / "layouts", folder / "components", *sorted((folder / "messages").glob("*"))]
    return [_source(folder, path) for place in places for path in _files(place, *WORDS)]


def _files(folder: Path, *patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in folder.glob(pattern) if path.is_file())


def _source(folder: Path, path: Path) -> Source:
    return Source(file=path.relative_to(folder).as_posix(), text=reading.read_text(path))


def _hours(folder: Path) -> tuple[dict[str, HoursFile], list[Finding]]:
    hours: dict[str, HoursFile] = {}
    findings: list[Finding] = []
    for path in _files(folder / "hours", "*.toml"):
        facts, wrong = reading.toml(path, path.relative_to(folder).as_posix(), HoursFile)
        hours |= {path.stem: facts} if facts else {}
        findings += wrong
    return hours, findings


def _shared_words(folder: Path, default: str) -> tuple[dict[str, Words], list[Finding]]:
    words: dict[str, Words] = {}
    findings: list[Finding] = []
    for path in _files(folder / "layouts", "words*.toml"):
        file = path.relative_to(folder).as_posix()
        locale, wrong = _locale(file, path.name.removeprefix("words").removesuffix("toml").strip("."), default)
        facts, errors = reading.toml(path, file, Words)
        findings += wrong + errors
        if facts and locale:
            words[locale] = facts
    if default not in words and not findings:
        findings = [Finding("layouts/words.toml", 0, "The words that all messages share are missing.", "Add the file.")]
    return words, findings


def _locale(file: str, suffix: str, default: str) -> tuple[str, list[Finding]]:
    """The language that a suffix names; none is the default."""
    if not suffix:
        return default, []
    try:
        locale = canonical(suffix)
        Locale.parse(locale, sep="-")
    except (ValueError, UnknownLocaleError):
        remedy = 'Name it by a language tag such as "de" or "pt-BR", or correct the rest of the file name.'
        return "", [Finding(file, 0, f'"{suffix}" is not a language that we know.', remedy)]
    return locale, []


def _drafts(folder: Path, default: str, order: Sequence[Channel]) -> tuple[list[Draft], list[Finding]]:
    drafts: list[Draft] = []
    findings: list[Finding] = []
    for place in sorted(path for path in (folder / "messages").glob("*") if path.is_dir()):
        draft, wrong = _draft(folder, place, default, order)
        drafts += [draft] if draft else []
        findings += wrong
    return drafts, findings


def _draft(folder: Path, place: Path, default: str, order: Sequence[Channel]) -> tuple[Draft | None, list[Finding]]:
    file = place.relative_to(folder).as_posix()
    facts, findings = reading.toml(place / "message.toml", f"{file}/message.toml", MessageFacts)
    if not MESSAGE_NAME.fullmatch(place.name):
        remedy = "Use letters, digits, _ and - only, at most 128."
        findings.append(Finding(file, 0, "The name of the folder cannot be the name of a message.", remedy))
    words, wrong = _words(folder, place, default)
    findings += wrong
    samples, sample_texts, wrong = _samples(folder, place, default)
    findings += wrong
    if facts is None or "" not in samples:
        return None, findings
    channels = facts.channels or _worded(facts, words, order)
    draft = Draft(
        name=place.name, facts=facts, channels=channels, words=words, samples=samples, sample_texts=sample_texts
    )
    return draft, findings


def _worded(facts: MessageFacts, words: dict[str, dict[str, Source]], order: Sequence[Channel]) -> tuple[Channel, ...]:
    """The channels that there are words for and that are no fallback, in the policy's order."""
    spoken = {FILES[file] for file in words}
    later = {channel for fallback in facts.fallback for channel in fallback.channels}
    return tuple(channel for channel in order if channel in spoken - later)


def _words(folder: Path, place: Path, default: str) -> tuple[dict[str, dict[str, Source]], list[Finding]]:
    words: dict[str, dict[str, Source]] = {}
    findings: list[Finding] = []
    for path in _files(place, *WORDS):
        source = _source(folder, path)
        name, suffix = _split(path.name)
        if not name:
            known = ", ".join(sorted(FILES))
            findings.append(Finding(source.file, 0, "This is not a part that we know.", f"Parts are: {known}."))
            continue
        locale, wrong = _locale(source.file, suffix, default)
        findings += wrong
        if locale:
            words.setdefault(name, {})[locale] = source
    return words, findings


def _split(name: str) -> tuple[str, str]:
    """`email.subject.de.txt` is `email.subject.txt` in `de`; the longest name of a part wins."""
    for file in sorted(FILES, key=len, reverse=True):
        stem, _, extension = file.rpartition(".")
        if name == file:
            return file, ""
        if name.startswith(f"{stem}.") and name.endswith(f".{extension}"):
            return file, name.removeprefix(f"{stem}.").removesuffix(f".{extension}")
    return "", ""


def _samples(folder: Path, place: Path, default: str) -> tuple[dict[str, Sample], dict[str, Source], list[Finding]]:
    samples: dict[str, Sample] = {}
    texts: dict[str, Source] = {}
    findings: list[Finding] = []
    for path in dict.fromkeys([place / "sample.json", *_files(place, "sample.*.json")]):
        file = path.relative_to(folder).as_posix()
        suffix = path.name.removeprefix("sample").removesuffix("json").strip(".")
        locale, wrong = _locale(file, suffix, default)
        facts, errors = reading.sample(path, file, Sample)
        findings += wrong + errors
        if facts and locale:
            samples[locale if suffix else ""] = facts
            texts[locale if suffix else ""] = _source(folder, path)
    return samples, texts, findings
