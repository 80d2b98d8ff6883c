"""Check the desk: everything that would make a message fail, mislead or cost more than it should."""

from pathlib import Path

from heliograph_cli.desk.compiling import opened
from heliograph_cli.desk.files import check_desk, check_draft
from heliograph_cli.desk.findings import Finding
from heliograph_cli.desk.folder import read
from heliograph_cli.desk.policy_rules import check_policy
from heliograph_cli.desk.proof import check_content
from heliograph_cli.desk.sources import Desk
from heliograph_cli.desk.wording import check_layouts, check_syntax, check_words


def check(folder: Path) -> tuple[Desk | None, list[Finding]]:
    """Every finding, in the order of files and lines. Only what is sound is rendered."""
    desk, findings = check_sources(folder)
    if desk and all(finding.warning for finding in findings):
        findings += _rendered(desk)
    return desk, sorted(set(findings))


def check_sources(folder: Path) -> tuple[Desk | None, list[Finding]]:
    """What can be found without rendering."""
    desk, findings = read(folder)
    if desk is None:
        return None, findings
    findings += [*check_policy(desk), *check_desk(desk)]
    for draft in desk.drafts:
        findings += check_draft(desk, draft)
    unreadable = check_syntax(desk)
    findings += unreadable
    if not unreadable:
        findings += check_layouts(desk)
        findings += [finding for draft in desk.drafts for finding in check_words(desk, draft)]
    return desk, findings


def _rendered(desk: Desk) -> list[Finding]:
    """What shows only in the content that people would get."""
    with opened(desk) as templates:
        return [finding for draft in desk.drafts for finding in check_content(desk, draft, templates)]
