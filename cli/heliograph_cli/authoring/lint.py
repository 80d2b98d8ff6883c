"""Check the desk: everything that would make a message fail, mislead or cost more than it should."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from heliograph_cli.authoring.compiling import UNCOMPILABLE, Compiled, compiled, opened
from heliograph_cli.authoring.files import check_desk, check_draft
from heliograph_cli.authoring.findings import Finding
from heliograph_cli.authoring.folder import every_source, read
from heliograph_cli.authoring.leftovers import check_leftovers
from heliograph_cli.authoring.markup import check_markup
from heliograph_cli.authoring.pictures import check_logo
from heliograph_cli.authoring.policy_rules import check_policy
from heliograph_cli.authoring.proof import check_content
from heliograph_cli.authoring.sources import Desk, Draft
from heliograph_cli.authoring.wording import check_layouts, check_stylesheet, check_syntax, check_words

SHARED = ("layouts/", "components/")
"""What every mail is made of: a mistake there keeps all messages from being rendered."""


@dataclass(frozen=True)
class Proof:
    """What was read, what was found, and the messages that can be shown."""

    desk: Desk | None
    """None: the policy, the brand or the shared words cannot be read."""
    findings: tuple[Finding, ...]
    """In the order of files and lines."""
    messages: Mapping[str, Compiled]
    """By name; a message with a mistake is not among them, and hides no other."""

    @cached_property
    def errors(self) -> list[Finding]:
        """What keeps the templates from being built."""
        return [finding for finding in self.findings if not finding.warning]


def check(folder: Path) -> Proof:
    """Everything that can be found, at once. Messages without mistakes are rendered with their samples, too."""
    desk, findings = _read(folder)
    if desk is None:
        return Proof(None, tuple(sorted(set(findings))), {})
    sound: dict[str, Compiled] = {}
    for draft in _sound(desk, findings):
        try:
            sound[draft.name] = compiled(desk, draft)
        except UNCOMPILABLE as error:
            problem = f"It cannot be compiled: {str(error)[:200]}."
            findings.append(Finding(draft.folder, 0, problem, "Write it more simply."))
    findings += _rendered(desk, sound)
    return Proof(desk, tuple(sorted(set(findings))), sound)


def _read(folder: Path) -> tuple[Desk | None, list[Finding]]:
    """What can be found without rendering."""
    desk, findings = read(folder)
    sources = every_source(folder)
    unreadable = check_syntax(sources)
    findings += [*unreadable, *(finding for source in sources for finding in check_markup(source))]
    if desk is None:
        return None, findings
    findings += [*check_policy(desk), *check_desk(desk), *check_logo(desk), *check_leftovers(desk)]
    findings += [finding for draft in desk.drafts for finding in check_draft(desk, draft)]
    unusable = list(check_stylesheet(desk))
    findings += unusable
    broken = {finding.file for finding in [*unreadable, *unusable]}
    if not any(file.startswith(SHARED) for file in broken):
        findings += check_layouts(desk)
        for draft in desk.drafts:
            findings += check_words(desk, _readable(draft, broken))
    return desk, findings


def _readable(draft: Draft, broken: set[str]) -> Draft:
    """A message without the files that Jinja2 cannot read."""
    words = {
        file: {locale: source for locale, source in texts.items() if source.file not in broken}
        for file, texts in draft.words.items()
    }
    return replace(draft, words=words)


def _sound(desk: Desk, findings: Sequence[Finding]) -> list[Draft]:
    """The messages without mistakes."""
    errors = [finding for finding in findings if not finding.warning]
    if any(error.file.startswith(SHARED) for error in errors):
        return []
    return [draft for draft in desk.drafts if not any(draft.owns(error.file) for error in errors)]


def _rendered(desk: Desk, messages: Mapping[str, Compiled]) -> Iterator[Finding]:
    """What shows only in the content that people would get."""
    with opened(desk, list(messages.values())) as templates:
        for draft in desk.drafts:
            if draft.name in messages:
                yield from check_content(desk, draft, templates)
