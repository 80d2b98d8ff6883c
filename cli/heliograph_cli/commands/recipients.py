"""`heliograph recipients`: bring people in, look at one, take everybody out."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from heliograph.text.errors import MalformedError
from heliograph.text.lines import ENCODINGS
from heliograph.text.quantities import counted
from heliograph_cli import adapters
from heliograph_cli.compiled import catalogue, double_opt_in, policy
from heliograph_cli.console import Terminal, answer, byte_progress, remark, table
from heliograph_cli.failures import No, Trouble
from heliograph_cli.options import common_options, example
from heliograph_cli.people import one, whom
from heliograph_cli.stack import Stack, connect

if TYPE_CHECKING:
    from rich.table import Table

    from heliograph.model.people import Recipient
    from heliograph.people.importing.work import Summary


@click.group(epilog=example("heliograph recipients import people.csv"))
@common_options
def recipients() -> None:
    """Import, show, erase and export people."""


@recipients.command(
    "import",
    short_help="Save the people of a CSV.",
    epilog=example("heliograph recipients import people.csv --country DE"),
)
@common_options
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--country", metavar="CODE", help="Country of phone numbers without a country code (default: the policy's)."
)
@click.option("--encoding", type=click.Choice(ENCODINGS), help="Encoding of a file that is not UTF-8.")
@click.option("--allow", is_flag=True, help="Take columns almost like known ones as attributes.")
def import_(file: Path, country: str | None, encoding: str | None, *, allow: bool) -> None:
    """Save the people of FILE, a CSV with a column recipient_id.

    A blank cell changes nothing. Rows that are refused are listed unchanged in FILE.rejected.csv, to be corrected and
    imported; the others are saved. A file that cannot be read with certainty, or that has columns almost like known
    ones (Email, OptOut), is refused as a whole.
    """
    summary = import_people(connect(), file, country=country or "", encoding=encoding or "", allow=allow)
    answer(asdict(summary), told(summary))
    if summary.rejected:
        remark(
            f"Refused: {counted(summary.refused_rows, 'row')} and {counted(summary.refused_fields, 'field')}, "
            f"listed in {summary.rejected}"
        )


def import_people(stack: Stack, file: Path, *, country: str, encoding: str, allow: bool) -> Summary:
    """Import a file into a stack, with a progress bar."""
    from heliograph.people.importing.work import Terms, import_file

    if not catalogue():
        raise Trouble("Which topics need a confirmation is not known here.", "`make build` compiles the policy.")
    terms = Terms(
        name=file.name, policy=policy(), at=datetime.now(UTC), region=country.upper(), encoding=encoding, allow=allow
    )
    with byte_progress() as bar:
        task = bar.add_task(file.name, total=file.stat().st_size)
        try:
            return import_file(
                file,
                adapters.recipients(stack).save_many,
                terms,
                advance=lambda position: bar.update(task, completed=position),
            )
        except MalformedError as error:
            raise MalformedError(error.code, f"{file.name}, {error.position}", error.reason) from error


def told(summary: Summary) -> str:
    """An import in a sentence."""
    return f"{summary.saved:,} of {counted(summary.rows, 'row')} saved."


@recipients.command(short_help="Show what is known of a person.", epilog=example("heliograph recipients show anna-1"))
@common_options
@click.argument("recipient", callback=whom)
def show(recipient: str) -> None:
    """Show what is known of RECIPIENT (an id, or an address), addresses included."""
    stack = connect()
    recipient_id = one(stack, recipient)
    person = adapters.recipients(stack).get_many([recipient_id], consistent=True).get(recipient_id)
    if person is None:
        raise No(f"Nobody is known as {recipient_id}.", "`heliograph recipients export` lists everybody.")
    facts = _facts(person)
    answer(facts, _shown(facts), title=recipient_id)


@recipients.command(short_help="Write everybody to a CSV.", epilog=example("heliograph recipients export people.csv"))
@common_options
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def export(file: Path | None) -> None:
    """Write everybody to FILE (or to standard output) with the columns that an import reads."""
    from heliograph.people.exporting.work import export_to

    everyone = adapters.recipients(connect()).everyone()
    if file is None:
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]  # always a text stream here
        export_to(Terminal() if sys.stdout.isatty() else sys.stdout, everyone, double_opt_in=double_opt_in())
        return
    try:
        with file.open("w", encoding="utf-8", newline="") as written:
            people = export_to(written, everyone, double_opt_in=double_opt_in())
    except OSError as error:
        raise Trouble(f"{file} cannot be written: {error.strerror}.", "Name another file.") from error
    answer({"file": str(file), "people": people}, f"{counted(people, 'person', 'people')} written to {file}.")


@recipients.command(
    short_help="Erase a person, and say what stays.", epilog=example("heliograph recipients erase anna-1 --yes")
)
@common_options
@click.argument("recipient", callback=whom)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def erase(recipient: str, yes: bool) -> None:
    """Erase RECIPIENT (an id, or an address): addresses, devices, attributes, consents, preferences, and their page.

    What stays names them by their id only: decisions, proofs of consent, events, and what they refused.
    """
    from heliograph.people.erasing.work import STAYS, erase_person

    stack = connect()
    recipient_id = one(stack, recipient)
    if not yes:
        click.confirm(f"Erase what is known of {recipient_id}, for good?", abort=True, err=True)
    done = erase_person(adapters.recipients(stack), adapters.bucket(stack), recipient_id)
    if done is None:
        raise No(f"Nobody is known as {recipient_id}.", "`heliograph recipients export` lists everybody.")
    answer({**done._asdict(), "stays": STAYS}, f"{recipient_id} was erased.")
    remark("What stays:\n" + "\n".join(f"- {each}" for each in STAYS))


def _facts(person: Recipient) -> dict[str, Any]:
    """Every field, those with nothing in them included."""
    facts = {name: msgspec.to_builtins(getattr(person, name)) for name in person.__struct_fields__}
    wishes = msgspec.structs.asdict(person.preferences)
    return facts | {"preferences": msgspec.to_builtins(wishes)}


def _shown(facts: dict[str, Any]) -> Table:
    shown = table("field", "value")
    for name, value in facts.items():
        if isinstance(value, dict):
            for key, inner in value.items():
                shown.add_row(f"{name} {key}", _words(inner))
        elif name != "recipient_id":
            shown.add_row(name, _words(value))
    return shown


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list | tuple) else str(value or "")
