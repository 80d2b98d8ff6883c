"""What commands say: answers on standard output, progress and remarks on standard error.

Whatever comes from data passes through `printable` here, so that no command has to think of it. rich is imported by
the first table or bar: most calls never need it.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from heliograph_cli.options import wants_json
from heliograph_cli.printable import printable, printable_json

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType
    from rich.progress import Progress, ProgressColumn
    from rich.table import Table
    from rich.text import Text

PIPE_WIDTH = 160  # columns of a table that goes to a file or a pipe


def answer(value: Any, shown: RenderableType = "", *, title: str = "") -> None:
    """Give the answer: the value as JSON where a machine asks, else the table or sentence."""
    if wants_json():
        import msgspec

        text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=2)
        click.echo(printable_json(text))
    elif not isinstance(shown, str):
        console().print(stacked(*([bold(title)] if title else []), shown), crop=False)
    elif shown:
        click.echo(printable(shown))


def remark(text: str, *, style: str = "") -> None:
    """Say something that is not the answer; the style is `dim` or a colour."""
    how: dict[str, Any] = {"dim": True} if style == "dim" else {"fg": style or None}
    click.secho(printable(text), err=True, **how)


def console(*, stderr: bool = False) -> Console:
    """A terminal, file or pipe that takes words as they are, without the characters that would command it."""
    from rich.console import Console
    from rich.segment import Segment

    class Printable(Console):
        def render(self, *what: Any, **how: Any) -> Any:
            for part in super().render(*what, **how):
                yield part if part.control else Segment(printable(part.text), part.style)

    width = None if stderr or sys.stdout.isatty() else PIPE_WIDTH
    return Printable(highlight=False, markup=False, emoji=False, stderr=stderr, width=width)


def progress(amount: ProgressColumn | None = None) -> Progress:
    """A progress bar on standard error, silent where that is not a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    err = console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        amount or MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    )


def byte_progress() -> Progress:
    """A progress bar that counts the bytes of a file."""
    from rich.progress import DownloadColumn

    return progress(DownloadColumn())


class Terminal:
    """A text stream that is read by somebody, not by a program."""

    def write(self, text: str) -> None:
        """Write what may be shown of a text."""
        click.echo(printable(text), nl=False)


def table(*columns: str) -> Table:
    """An empty table in the house style; its first column never breaks. Without columns it has no header."""
    from rich.table import Table

    made = Table(header_style="bold", box=None, pad_edge=False, show_header=bool(columns))
    for place, column in enumerate(columns):
        made.add_column(column, no_wrap=place == 0)
    return made


def facts(pairs: dict[str, str]) -> Table:
    """Names and what is said of each, in two columns."""
    made = table()
    made.add_column(style="dim", no_wrap=True)
    made.add_column()
    for name, value in pairs.items():
        made.add_row(name, value)
    return made


def stacked(*parts: RenderableType) -> Group:
    """One below the other."""
    from rich.console import Group

    return Group(*parts)


def whole(text: str) -> Text:
    """A line that is not broken, because it is copied or clicked."""
    from rich.text import Text

    return Text(text, no_wrap=True, overflow="ignore")


def bold(text: str) -> Text:
    """A heading."""
    from rich.text import Text

    return Text(text, style="bold")
