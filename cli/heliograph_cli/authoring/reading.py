"""Read one file of the desk; what is wrong in it comes back as findings, all at once."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from heliograph_cli.authoring.findings import Finding

F = TypeVar("F", bound=BaseModel)
PROBLEMS = {
    "missing": "{field} is missing.",
    "extra_forbidden": "{field} is not a field that we know.",
    "value_error": "{field}: {error}.",
    "too_short": "{field} is empty.",
    "tuple_type": "{field} is not a list.",
    "time_delta_parsing": "{field} is not a length of time.",
    "time_delta_type": "{field} is not a length of time.",
}


def toml(path: Path, file: str, kind: type[F]) -> tuple[F | None, list[Finding]]:
    """Read a TOML file as facts of a kind."""
    return _facts(path, file, kind, tomllib.loads)


def sample(path: Path, file: str, kind: type[F]) -> tuple[F | None, list[Finding]]:
    """Read a JSON file as facts of a kind."""
    return _facts(path, file, kind, json.loads)


def read_text(path: Path) -> str:
    """The text of a file, with or without a byte order mark. What is not UTF-8 shows as U+FFFD."""
    return path.read_text(encoding="utf-8-sig", errors="replace")


def _facts(path: Path, file: str, kind: type[F], parse: Callable[[str], Any]) -> tuple[F | None, list[Finding]]:
    if not path.is_file():
        return None, [Finding(file, 0, "The file is missing.", "Add it.")]
    text = read_text(path)
    try:
        return kind.model_validate(parse(text)), []
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, [_finding(file, text, kind, detail) for detail in details if not _is_echo(detail, details)]
    except RecursionError:
        return None, [Finding(file, 0, "The file is nested too deeply.", "Write it more simply.")]
    except ValueError as error:
        return None, [
            Finding(file, _line_of_error(error, text), f"The file cannot be read: {error}.", "Correct the spelling.")
        ]


def _is_echo(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """A list is called too short when what is in it is wrong, which is said already."""
    position = detail["loc"]
    return detail["type"] == "too_short" and any(
        other["loc"][: len(position)] == position for other in details if len(other["loc"]) > len(position)
    )


def _line_of_error(error: ValueError, text: str) -> int:
    position = re.search(r"line (\d+)", str(error))
    at_the_end = text.count("\n") + 1 if "at end of document" in str(error) else 0
    return int(position[1]) if position else at_the_end


def _finding(file: str, text: str, kind: type[BaseModel], detail: ErrorDetails) -> Finding:
    field = _field(detail["loc"]) or "The file"
    problem = PROBLEMS.get(detail["type"], "{field}: {message}.")
    error = str(detail.get("ctx", {}).get("error", "")).removesuffix(".")
    problem = problem.format(field=field, message=detail["msg"].removesuffix("."), error=error)
    if detail["type"] == "extra_forbidden":
        remedy = f"Remove it, or use one of: {', '.join(_known(kind, detail['loc']))}."
    else:
        remedy = _description(kind, detail["loc"])
    position = detail["loc"][:-1] if detail["type"] == "missing" else detail["loc"]
    return Finding(file, line_of(text, position), problem, remedy)


def _field(position: Sequence[int | str]) -> str:
    """A field as people count: `hours #2.allowed #1`."""
    parts = (f" #{part + 1}" if isinstance(part, int) else f".{part}" for part in position if part != "[key]")
    return "".join(parts).removeprefix(".")


def _nested(annotation: object) -> type[BaseModel] | None:
    """The model inside an annotation such as `tuple[Link, ...]` or `Trigger | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner: Iterable[object] = getattr(annotation, "__args__", ())
    return next((found for part in inner if (found := _nested(part))), None)


def _known(kind: type[BaseModel], position: Sequence[int | str]) -> list[str]:
    """The fields that there are where an unknown one stands."""
    for part in position[:-1]:
        field = kind.model_fields.get(str(part))
        kind = (_nested(field.annotation) if field else None) or kind
    return list(kind.model_fields)


def _description(kind: type[BaseModel], position: Sequence[int | str]) -> str:
    """What to do about a field: the description of the innermost field that has one."""
    said = "Correct it."
    for part in position:
        field = kind.model_fields.get(str(part))
        if field is None:
            continue
        said = field.description or said
        kind = _nested(field.annotation) or kind
    return said


def line_of(text: str, position: Sequence[int | str]) -> int:
    """The line where a field stands, as far as can be seen: each part of its position is at or after the one before.

    A number counts the tables of a name, `[[hours]]`; what is not found stands where the table begins.
    """
    begin, found, name = 0, None, ""
    for part in position:
        if isinstance(part, int):
            tables = list(re.finditer(rf"^\s*\[\[{re.escape(name)}\]\]", text, re.MULTILINE))
            here = tables[part] if part < len(tables) else None
        else:
            name = part
            pattern = re.compile(rf'(?:^[ \t]*(?:\[.*)?|")"?{re.escape(name)}"?\b', re.MULTILINE)
            here = pattern.search(text, begin)
        if here:
            found = here
            begin = text.rfind("\n", 0, here.end()) + 1
    return text.count("\n", 0, found.end()) + 1 if found else 0
