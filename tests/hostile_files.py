"""CSV files as people make them, in all dialects and encodings, and what happens to them on their way."""

from __future__ import annotations

import csv
import io
from random import Random
from typing import NamedTuple

from heliograph.text.csv import Refused

CELLS = (
    *("", "Ana", "O'Brien", "=1+1", "＝x", "'=1", "two\nlines", "a, b; c\td", 'say "hi"', "55\" TV", " led", "x" * 300),
    *("Zoë", "Иванов", "山田", "😀", "\ufffe", "\x01\x02", "-5", "@me", "\t=tab", "one\r\ntwo, three"),
)  # fmt: skip
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "cp1251", "utf-16-le", "mac-roman")
BYTES = (b'"', b'"', b",", b";", b"\n", b"\r", b"\0", b"\xff", b"\xe9", b"\xc3", b"'", b" ", b"=", b"\x9d", b"\xfe\xff")


class File(NamedTuple):
    """A file, and the people whose rows nobody has touched."""

    content: bytes
    untouched: list[str]


def a_file(rng: Random, columns: list[str]) -> File:
    """A file with some damage in it; one in fifty is nothing but bytes."""
    if rng.random() < 0.02:
        return File(rng.randbytes(rng.randrange(200)), [])
    encoding, delimiter, end = rng.choice(ENCODINGS), rng.choice(",;\t"), rng.choice(["\n", "\r\n"])
    people = [f"p{number}" for number in range(rng.randint(1, 12))]
    rows = [[each, *(rng.choice(CELLS) for _ in columns)] for each in people]
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    lines = [_line(row, delimiter, quoting, end) for row in [["recipient_id", *columns], *rows]]
    separator = f"sep={delimiter}{end}" if rng.random() < 0.1 else ""
    encoded = [(separator + lines[0]).encode(encoding, "replace")]
    bare = "utf-16-le" if encoding == "utf-16" else encoding.removesuffix("-sig")
    encoded += [line.encode(bare, "replace") for line in lines[1:]]
    untouched = dict(enumerate(people, start=1))
    damages = rng.choice([0, 1, 1, 2, 3])
    for _ in range(min(damages, 1) if "16" in encoding else damages):  # a second lost byte puts UTF-16 back in step
        place = rng.randrange(len(encoded))
        encoded[place] = _damaged(rng, encoded[place])
        untouched.pop(place, None)
    return File(b"".join(encoded), list(untouched.values()))


def is_told(person: str, refused: list[Refused]) -> bool:
    """Whether a refusal shows the row of a person."""
    return any(person in shown for each in refused for shown in (*each.cells, each.text))


def _line(row: list[str], delimiter: str, quoting: int, end: str) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end).writerow(row)  # type: ignore[arg-type]
    return file.getvalue()


def _damaged(rng: Random, line: bytes) -> bytes:
    """The line with something put in, taken out or cut off; it still ends where it ended."""
    end = len(line.rstrip(b"\r\n\0"))
    start = rng.randrange(end + 1)
    match rng.randrange(4):
        case 0 | 1:
            return line[:start] + rng.choice(BYTES) + line[start:]
        case 2:
            return line[:start] + line[min(end, start + rng.randint(1, 3)) :]
        case _:
            return line[:start] + rng.randbytes(rng.randint(1, 4)) + line[min(end, start + 1) :]
