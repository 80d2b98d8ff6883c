"""`heliograph build`, `heliograph lint` and `heliograph preview`: the marketer's desk on the command line."""

from collections.abc import Sequence
from pathlib import Path

import click

from heliograph_cli.authoring.findings import DeskError, Finding, counted
from heliograph_cli.console import answer, remark
from heliograph_cli.failures import No
from heliograph_cli.options import common_options, example

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
TEMPLATES = click.option(
    "--templates", type=FOLDER, default="templates", show_default=True, help="The folder of the templates."
)


@click.command(epilog=example("heliograph build"))
@TEMPLATES
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    default="build/templates",
    show_default=True,
    help="Where to write it.",
)
@common_options
def build(templates: Path, target: Path) -> None:
    """Compile the templates for deployment."""
    from heliograph_cli.authoring.build import build as build_templates

    try:
        catalogue = build_templates(templates, target)
    except DeskError as error:
        _show(error.findings)
        raise No(_summary(error.findings), "Nothing was built.") from error
    versions = {name: message.version for name, message in catalogue.messages.items()}
    said = f"Compiled {counted(len(versions), 'message')} to {target}."
    answer({"messages": versions, "target": str(target)}, said)


@click.command(epilog=example("heliograph lint --templates templates"))
@TEMPLATES
@common_options
def lint(templates: Path) -> None:
    """Check the policy and every message: words, variables, languages, links, length of texts."""
    from heliograph_cli.authoring.lint import check

    proof = check(templates)
    answer({"findings": proof.findings}, "" if proof.findings else "Nothing to correct.")
    _show(proof.findings)
    if proof.errors:
        raise No(_summary(proof.errors))


@click.command(epilog=example("heliograph preview --message order_shipped"))
@TEMPLATES
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    default="build/preview",
    show_default=True,
    help="Where to write it.",
)
@click.option("--message", "only", metavar="NAME", help="Show this message only.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@common_options
def preview(templates: Path, target: Path, only: str, show: bool) -> None:
    """Show every message in every channel and language, with its sample, on one page."""
    from heliograph_cli.authoring.preview import write

    try:
        shown = write(templates, target, only=only or "")
    except DeskError as error:
        _show(error.findings)
        raise No(_summary(error.findings), "There is nothing to show yet.") from error
    page = target / "index.html"
    _show([finding for finding in shown.findings if not finding.warning])
    broken = f" {counted(len(shown.broken), 'message')} cannot be shown." if shown.broken else ""
    said = f"Open {page}: {counted(len(shown.messages), 'message')}.{broken}"
    answer({"page": str(page), "messages": shown.messages, "broken": shown.broken}, said)
    if show:
        click.launch(page.resolve().as_uri())


def _show(findings: Sequence[Finding]) -> None:
    for finding in findings:
        mark = "warning: " if finding.warning else ""
        remark(f"{mark}{finding}", style="yellow" if finding.warning else "red")


def _summary(findings: Sequence[Finding]) -> str:
    return f"{counted(sum(not finding.warning for finding in findings), 'thing')} to correct."
