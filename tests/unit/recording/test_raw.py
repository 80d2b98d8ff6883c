"""Rules of an object that a provider's events were collected in: its lines, in bounded memory, and its limits."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.recording import raw
from heliograph.recording.raw import Line, lines
from heliograph.text.errors import MalformedError

CONTENT = st.lists(st.binary(max_size=20) | st.sampled_from([b"", b"  ", b"\r", b'{"a":1}']), max_size=12)


def in_chunks(packed: bytes, size: int) -> Iterator[bytes]:
    return (packed[start : start + size] for start in range(0, len(packed), size))


def refusal_of(*chunks: bytes) -> MalformedError:
    with pytest.raises(MalformedError) as refused:
        list(lines(chunks, "raw/email/a.gz"))
    assert refused.value.position == "raw/email/a.gz"
    return refused.value


@given(st.lists(CONTENT, min_size=1, max_size=4), st.integers(1, 40), st.booleans())
def test_every_line_is_given_once_with_its_number_however_it_was_packed(
    parts: list[list[bytes]], size: int, ends_with_a_line: bool
) -> None:
    """Firehose may end a gzip and begin another in the same object."""
    content = [b"\n".join(part) + b"\n" for part in parts]
    content[-1] = content[-1] if ends_with_a_line else content[-1][:-1]
    packed = b"".join(map(gzip.compress, content))
    expected = [Line(at, text) for at, text in enumerate(b"".join(content).split(b"\n"), 1) if text.strip()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw, "PIECE", 7)
        assert list(lines(in_chunks(packed, size), "")) == expected


def test_a_line_that_is_too_long_is_given_cut_and_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "LINE_LIMIT", 10)
    monkeypatch.setattr(raw, "PIECE", 4)
    packed = gzip.compress(b"one\n" + b"x" * 100 + b"\nthree\n")
    assert list(lines([packed], "")) == [Line(1, b"one"), Line(2, b"x" * 11), Line(3, b"three")]


def test_a_bomb_is_refused_before_it_takes_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten million zeros in ten kilobytes: no piece is larger than it may be."""
    monkeypatch.setattr(raw, "UNPACKED_LIMIT", 3_000_000)
    seen: list[int] = []
    pieces = raw._unpacked([gzip.compress(b"\0" * 10_000_000)], "raw/email/a.gz")
    with pytest.raises(MalformedError) as refused:
        seen.extend(len(piece) for piece in pieces)
    assert refused.value.reason == "takes more than 3000000 bytes unpacked"
    assert max(seen) <= raw.PIECE
    assert sum(seen) <= 3_000_000


def test_a_bomb_of_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "LINES_LIMIT", 1_000)
    assert refusal_of(gzip.compress(b"\n" * 2_000)).reason == "holds more than 1000 lines"


def test_a_bomb_of_empty_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them copies what comes after it."""
    monkeypatch.setattr(raw, "MEMBERS_LIMIT", 10)
    assert list(lines([gzip.compress(b"") * 9 + gzip.compress(b"one")], "")) == [Line(1, b"one")]
    assert refusal_of(gzip.compress(b"") * 11).reason == "holds more than 10 parts"


def test_an_object_that_is_too_large_is_refused_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "PACKED_LIMIT", 50)
    packed = gzip.compress(bytes(range(256)))
    assert refusal_of(*in_chunks(packed, 20)).reason == "takes more than 50 bytes"


@pytest.mark.parametrize("content", [b"{}\n", b"\x1f\x8b but no more", b"PK\x03\x04"])
def test_what_is_no_gzip_is_refused(content: bytes) -> None:
    assert refusal_of(content).reason == "is no gzip"


@given(st.binary(min_size=1, max_size=50), st.data())
def test_what_ends_too_early_is_refused(content: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(content)
    assert refusal_of(packed[: data.draw(st.integers(1, len(packed) - 1))]).reason == "ends too early"
