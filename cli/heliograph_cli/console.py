"""What commands say: answers on standard output, progress and remarks on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
import msgspec
from rich.console import Console, Group, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from heliograph_cli.options import wants_json

PIPE_WIDTH = 160  # columns of a table that goes to a file or a pipe

out = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = Console(highlight=False, markup=False, stderr=True)


def answer(value: Any, shown: RenderableType = "", *, title: str = "") -> None:
    """Give the answer: the value as JSON where a machine asks, else the table or sentence."""
    if wants_json():
        click.echo(json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=2))
    elif not isinstance(shown, str):
        out.print(Group(*([Text(title, style="bold")] if title else []), shown), crop=False)
    elif shown:
        click.echo(shown)


def remark(text: str, *, style: str = "") -> None:
    """Say something that is not the answer."""
    err.print(text, style=style, soft_wrap=True)


def progress(amount: ProgressColumn | None = None) -> Progress:
    """A progress bar on standard error, silent where that is not a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        amount or MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    )


def byte_progress() -> Progress:
    """A progress bar that counts the bytes of a file."""
    return progress(DownloadColumn())


def table(*columns: str) -> Table:
    """An empty table in the house style; its first column never breaks."""
    made = Table(header_style="bold", box=None, pad_edge=False)
    for place, column in enumerate(columns):
        made.add_column(column, no_wrap=place == 0)
    return made
