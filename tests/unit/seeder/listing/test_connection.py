from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.listing.connection import Connection, Unusable

OK = b"HTTP/1.1 200 OK\r\n"
_BODIES = st.binary(max_size=300) | st.sampled_from([b"0\r\n\r\n", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Connection(ours), theirs


def taken(pieces: list[bytes], ends: bool = False) -> tuple[bytes, Connection]:
    """Return the body that comes of some pieces, each read by itself; b"?" where more is waited for."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = Connection(ours)
        for number, piece in enumerate(pieces):
            theirs.sendall(piece)
            body = connection.receive()
            if body is not None:
                assert number == len(pieces) - 1
                return body, connection
        if ends:
            theirs.close()
            connection.receive()
        return b"?", connection


def with_length(body: bytes, headers: bytes = b"") -> bytes:
    return OK + b"Content-Length: %d\r\n%b\r\n" % (len(body), headers) + body


@st.composite
def in_chunks(draw: st.DrawFn, body: bytes) -> bytes:
    cuts = sorted(draw(st.sets(st.integers(1, len(body) - 1), max_size=6))) if len(body) > 1 else []
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True) if a < b]
    extension = draw(st.sampled_from([b"", b";a", b' ; a="b c"', b"  "]))
    size = draw(st.sampled_from([b"%x", b"%X", b"0%x"]))
    data = b"".join(size % len(piece) + extension + b"\r\n" + piece + b"\r\n" for piece in pieces)
    trailers = draw(st.sampled_from([b"", b"x-amz-checksum: 0\r\n", b"a: b\r\nc: d\r\n"]))
    name = draw(st.sampled_from([b"Transfer-Encoding: chunked", b"TRANSFER-ENCODING:Chunked "]))
    return OK + name + b"\r\n\r\n" + data + b"0" + extension + b"\r\n" + trailers + b"\r\n"


def in_pieces(whole: bytes, cuts: set[int]) -> list[bytes]:
    at = sorted(cut for cut in cuts if 0 < cut < len(whole))
    return [whole[a:b] for a, b in zip([0, *at], [*at, len(whole)], strict=True)]


@settings(deadline=None, max_examples=300)
@given(st.data(), _BODIES, st.sets(st.integers(1, 600), max_size=12))
def test_the_body_is_what_was_sent_however_it_is_cut(
    data: st.DataObject, body: bytes, cuts: set[int]
) -> None:
    whole = data.draw(st.just(with_length(body)) | in_chunks(body))
    assert taken(in_pieces(whole, cuts))[0] == body


@settings(deadline=None, max_examples=300)
@given(st.data(), _BODIES, st.sets(st.integers(1, 600), max_size=6))
def test_a_body_that_ends_early_is_never_taken(data: st.DataObject, body: bytes, cuts: set[int]) -> None:
    whole = data.draw(st.just(with_length(body)) | in_chunks(body))
    short = whole[: data.draw(st.integers(1, len(whole) - 1))]
    with pytest.raises(Unusable):
        taken(in_pieces(short, cuts), ends=True)


@settings(deadline=None, max_examples=300)
@given(st.data(), _BODIES, st.binary(min_size=1, max_size=20) | st.just(b"a: b\r\n\r\n"))
def test_surplus_bytes_are_refused_with_the_body_or_noticed_after_it(
    data: st.DataObject, body: bytes, surplus: bytes
) -> None:
    whole = data.draw(st.just(with_length(body)) | in_chunks(body))
    with pytest.raises(Unusable):
        taken([whole + surplus])
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = Connection(ours)
        theirs.sendall(whole)
        assert connection.receive() == body
        theirs.sendall(surplus)
        assert not connection.is_quiet()


@settings(deadline=None, max_examples=300)
@given(st.data(), _BODIES, st.integers(0, 400), st.integers(0, 255))
def test_a_changed_byte_never_raises_anything_else(
    data: st.DataObject, body: bytes, at: int, byte: int
) -> None:
    whole = bytearray(data.draw(st.just(with_length(body)) | in_chunks(body)))
    whole[at % len(whole)] = byte
    with suppress(Unusable):
        taken([bytes(whole)])


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 301 Moved Permanently\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + with_length(b""),
        b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2 200 \r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        OK + b"\r\n",
        OK + b"Content-Length: 0\r\nContent-Encoding: gzip\r\n\r\n",
        OK + b"content-encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\na",
        OK + b"Content-Length: 1, 1\r\n\r\na",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: +1\r\n\r\na",
        OK + b"Content-Length: 1\r\n 2\r\n\r\na",
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 5000,
        OK + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"f" * 5000,
        OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 12_000,
        OK + b"a: b\r\n" * 12_000,
    ],
)
def test_what_is_not_understood_is_refused_at_once(head: bytes) -> None:
    with pytest.raises(Unusable):
        taken([head])


@pytest.mark.parametrize(
    ("status", "is_busy"),
    [
        ("503 Slow Down", True),
        ("500 ", True),
        ("429 Too Many", True),
        ("403 Forbidden", False),
        ("501 No", False),
    ],
)
def test_a_server_that_is_busy_is_told_from_one_that_refuses(status: str, is_busy: bool) -> None:
    with pytest.raises(Unusable) as raised:
        taken([f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()])
    assert raised.value.is_busy == is_busy


@pytest.mark.parametrize(
    ("header", "reusable"),
    [
        (b"", True),
        (b"Connection: keep-alive\r\n", True),
        (b"X-Connection: close\r\n", True),
        (b"Connection: close\r\n", False),
        (b"CONNECTION:Close\r\n", False),
        (b"Connection: TE, close\r\n", False),
    ],
)
def test_a_server_that_says_it_closes_is_not_asked_again(header: bytes, reusable: bool) -> None:
    body, connection = taken([with_length(b"abc", header)])
    assert (body, connection.reusable) == (b"abc", reusable)


def test_answers_follow_one_another_on_one_connection(pair: tuple[Connection, socket.socket]) -> None:
    connection, theirs = pair
    for body in (b"one", b"", b"three"):
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        assert theirs.recv(100) == b"GET / HTTP/1.1\r\n\r\n"
        assert connection.receive() is None
        theirs.sendall(with_length(body))
        assert connection.receive() == body
        assert connection.is_quiet()


def test_what_an_answer_left_is_not_part_of_the_next(pair: tuple[Connection, socket.socket]) -> None:
    connection, theirs = pair
    theirs.sendall(OK + b"Content-Length: 5\r\n\r\nab")
    assert connection.receive() is None
    connection.send(b"again")
    theirs.sendall(with_length(b"cd"))
    assert connection.receive() == b"cd"


def test_a_closed_connection_is_not_quiet(pair: tuple[Connection, socket.socket]) -> None:
    connection, theirs = pair
    theirs.close()
    assert not connection.is_quiet()
    with pytest.raises(Unusable):
        connection.receive()


def test_a_request_that_can_not_be_sent_whole_is_refused(pair: tuple[Connection, socket.socket]) -> None:
    connection, _ = pair
    with pytest.raises(Unusable):
        connection.send(b"x" * 50_000_000)


def test_a_reset_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
        with ours:
            connection = Connection(ours)
            connection.send(b"GET / HTTP/1.1\r\n\r\n")
            # A socket closed with bytes unread sends a reset.
            select.select([theirs], [], [], 1)
            theirs.close()
            select.select([ours], [], [], 1)
            with pytest.raises(Unusable):
                connection.receive()
