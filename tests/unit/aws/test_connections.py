"""Rules about answers of HTTP: each is read as it was sent, or called broken, whatever came."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.aws import connections
from heliograph.aws.connections import (
    BODY_LIMIT,
    LINE_LIMIT,
    LINES_LIMIT,
    Answer,
    BrokenAnswerError,
    Reader,
    read_answer,
)

OK = b"HTTP/1.1 200 OK\r\n"
MANY = b"".join(b"X-%d: x\r\n" % number for number in range(LINES_LIMIT + 1))


def read(answer: bytes) -> Answer:
    """Read an answer, after which the connection is closed."""
    return read_answer(Reader(io.BytesIO(answer).read))


@pytest.mark.parametrize(
    ("answer", "body", "is_last"),
    [
        (OK + b"Content-Length: 2\r\n\r\n{}", b"{}", False),
        (OK + b"Content-Length: 2\r\n\r\n{}HTTP/1.1 200", b"{}", True),
        (OK + b"Content-Length: 2\r\n\r\n{}\r\n", b"{}", True),
        (OK + b"content-length:2\n\n{}", b"{}", False),
        (OK + b"Content-Length: 0\r\n\r\n", b"", False),
        (OK + b"Content-Length: 2\r\nConnection: Close\r\n\r\n{}", b"{}", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}", True),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", b"{}", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc", b"", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}", b"{}", False),
        (OK + b"\r\n{}", b"{}", True),
        (
            OK + b"Transfer-Encoding: chunked\r\n\r\n1;a=b\r\n{\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
            None,
            False,
        ),
    ],
)
def test_a_body_ends_where_its_head_says(answer: bytes, body: bytes | None, is_last: bool) -> None:
    found = read(answer)
    assert found.body == (b"{0123456789" if body is None else body)
    assert found.is_last is is_last


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n",
        b"HTTP/1.1",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 twohundred OK\r\n\r\n",
        b"SMTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        OK,
        OK + b"Content-Length: 2\r\n",
        OK + b"Content-Length: 2\r\n\r\n{",
        OK + b"Content-Length: two\r\n\r\n{}",
        OK + b"Content-Length: -2\r\n\r\n{}",
        OK + b"Content-Length: %d\r\n\r\n{}" % (BODY_LIMIT + 1),
        OK + b"a header that has no name\r\n\r\n",
        OK + MANY + b"\r\n",
        OK + b"X: " + b"x" * LINE_LIMIT + b"\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{",
        OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n{}\r\n0\r\n\r\n" % (BODY_LIMIT + 1),
    ],
)
def test_what_is_no_whole_answer_is_broken(answer: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        read(answer)


def test_a_body_without_an_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BODY_LIMIT", 100)
    with pytest.raises(BrokenAnswerError, match="more than 100 bytes"):
        read(OK + b"\r\n" + b"x" * 101)


PIECES = st.lists(st.sampled_from([OK, b"\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"1\r\n"]))


@given(pieces=PIECES, noise=st.binary(max_size=40))
def test_nothing_but_an_answer_or_a_broken_one_ever_comes(pieces: list[bytes], noise: bytes) -> None:
    for answer in (b"".join([*pieces, noise]), b"".join([OK, noise, *pieces])):
        try:
            assert read(answer).status >= 200
        except BrokenAnswerError as error:
            assert str(error), "it says why"


@given(chunks=st.lists(st.binary(min_size=1, max_size=300)))
def test_chunks_are_one_body(chunks: list[bytes]) -> None:
    sent = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    answer = read(OK + b"Transfer-Encoding: chunked\r\n\r\n" + sent + b"0\r\n\r\n")
    assert answer.body == b"".join(chunks)


@given(
    sent=st.lists(st.sampled_from([b"abc\n", b"\n", b"x" * 9, b"\r\n"]), max_size=6).map(b"".join),
    cuts=st.lists(st.integers(1, 7)),
    asked=st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=8),
)
def test_what_comes_is_read_alike_however_it_is_cut(
    sent: bytes, cuts: list[int], asked: list[tuple[bool, int]]
) -> None:
    whole, sizes = io.BytesIO(sent), iter(cuts)
    came = io.BytesIO(sent)
    reader = Reader(lambda _: came.read(next(sizes, 100)))
    for is_line, size in asked:
        expected = whole.readline(size) if is_line else whole.read(size)
        assert (reader.readline(size) if is_line else reader.read(size)) == expected
        assert reader.has_more is (came.tell() > whole.tell())
