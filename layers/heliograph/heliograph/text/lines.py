"""A file's bytes as lines of text: in the encoding that it certainly has, or not at all, and in bounded memory."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final, Literal, TypeVar, get_args

from heliograph.text.errors import Code, MalformedError

T = TypeVar("T")
Source = Callable[[], Iterable[bytes]]
"""Opens a file anew, in chunks."""

CHUNK: Final = 1 << 17  # bytes of a file that are read at a time
LINE_LIMIT: Final = 1 << 20
"""Characters of a line; a longer one is read as `OVERLONG`, in the memory of two chunks."""
OVERLONG: Final = "\0 longer than a line may be"

Encoding = Literal["utf-8", "utf-16", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1257", "mac-roman"]
ENCODINGS: Final[tuple[str, ...]] = get_args(Encoding)
HINT: Final = (
    'save it from Excel as "CSV UTF-8 (Comma delimited)", or say which encoding it has (docs/files.md), such as cp1252'
)
MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SURE: Final = "ÁÂÄÇÉËÍÎÓÔÖÚÜßáâäçéëíîóôöúü"
"""Letters that have the same byte on the code pages of Western and Central Europe and Turkey (cp1252, 1250, 1254)."""
APART: Final = "€‘“”–…«»°§"
"""Further characters with the same byte there, but not between letters: from a Mac they would be letters, too."""
_LETTERS: Final = re.escape(SURE.encode("cp1252"))
_APART: Final = re.escape(APART.encode("cp1252"))
_WORD: Final = b"[A-Za-z%s]" % _LETTERS
DOUBTFUL: Final = re.compile(
    b"[^\x00-\x7f\x92\xa0%s%s]" % (_LETTERS, _APART)  # beside those: the apostrophe and the no-break space
    + b"|[%s]{3}" % _LETTERS  # three of them in a row: words of another alphabet
    + b"|(?<=%s)[%s](?=%s)" % (_WORD, _APART, _WORD)
)
SEQUENCE: Final = re.compile(rb"[\xc3\xc2][\x80-\xbf]|\xe2\x80[\x80-\xbf]")
"""What umlauts, accents and typographic signs are in UTF-8: beside other bytes, a file has two encodings."""


SHIFTED: Final = "\u0a00"
"""No character: the end of a line in UTF-16 of which a byte was lost before."""


class EncodingError(MalformedError):
    """A file is not text in the encoding that it was read in."""


def file_chunks(path: Path) -> Iterator[bytes]:
    """A file's bytes, a chunk at a time."""
    with path.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            yield chunk


class Lines:
    """The lines of a file, ends included, `\\n`, `\\r` or `\\r\\n`; raises EncodingError on the way."""

    def __init__(self, chunks: Iterable[bytes], encoding: str = "") -> None:
        self._chunks = iter(chunks)
        self._encoding = encoding

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._blocks())

    def _blocks(self) -> Iterator[Iterable[str]]:
        """Text that ends where a line ends, a chunk at a time: csv.reader reads it without a step of ours a line."""
        head = next(self._chunks, b"")
        encoding = encoding_of(head, self._encoding)
        decoder = codecs.getincrementaldecoder(encoding)()
        rest, is_overlong = "", False
        for chunk in chain([head], self._chunks):
            text = rest + _decoded(decoder, chunk)
            end = _end(text)
            rest = text[end:]
            if is_overlong and end:
                text, end, is_overlong = text[text.find("\n") + 1 : end], end, False
                yield _lines(text)
            elif end:
                yield _lines(text[:end])
            if len(rest) > LINE_LIMIT:
                if not is_overlong:
                    yield [f"{OVERLONG}\n"]
                rest, is_overlong = "", True
        rest += _decoded(decoder, b"", final=True)
        if rest and not is_overlong:
            yield _lines(rest)


def encoding_of(head: bytes, said: str = "") -> str:
    """The encoding of a file by its first bytes: a byte order mark, the zeros of UTF-16, what is said, or UTF-8."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    if head[1:2] == head[3:4] == b"\0":
        return "utf-16-le"
    if head[:1] == head[2:3] == b"\0":
        return "utf-16-be"
    return said or "utf-8"


def legible(source: Source, read: Callable[[Lines], T], said: str = "") -> tuple[T, str]:
    """What `read` makes of a file's lines, and the encoding that was read; where a first try fails, a second one.

    `read` is called again from the start, so that what it does must be forgotten when it raises. Raises MalformedError
    with the first line that cannot be read when no encoding is certain.
    """
    try:
        return read(Lines(source(), said)), said
    except EncodingError:
        if said:
            raise MalformedError(Code.DOUBTFUL_ENCODING, "encoding", f"the file is not {said} text: {HINT}") from None
    _refuse_doubtful(source())
    return read(Lines(source(), "cp1252")), "cp1252"


def _refuse_doubtful(chunks: Iterable[bytes]) -> None:
    """Raise MalformedError unless every byte of a file certainly is what cp1252 says that it is."""
    rest, lines = b"", 0
    for chunk in chain(chunks, [b"\n"]):
        text = rest + chunk
        end = text.rfind(b"\n") + 1 or (len(text) if len(text) > LINE_LIMIT else 0)
        block, rest = text[:end], text[end:]
        found = b"\0" in block or SEQUENCE.search(block) or DOUBTFUL.search(block)
        if found:
            start = block.find(b"\0") if found is True else found.start()
            line = lines + block.count(b"\n", 0, start) + 1
            raise MalformedError(
                Code.DOUBTFUL_ENCODING, f"line {line}", f"is neither UTF-8 nor any other encoding for certain: {HINT}"
            )
        lines += block.count(b"\n")


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> str:
    try:
        text = decoder.decode(chunk, final)
    except UnicodeDecodeError:
        text = SHIFTED
    if SHIFTED in text:
        raise EncodingError(Code.DOUBTFUL_ENCODING, "encoding", f"the file is not text as it was expected: {HINT}")
    return text


def _lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


def _end(text: str) -> int:
    """Where the last line of a text ends; a `\\r` at its very end may be half of a line's end."""
    return text.rfind("\n") + 1 or text.rfind("\r", 0, len(text) - 1) + 1
