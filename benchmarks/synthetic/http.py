"""HTTP/1.1 as S3 clients speak it, on asyncio: keep-alive, 100-continue, aws-chunked bodies, delayed answers."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from http import HTTPStatus

from benchmarks.synthetic.service import Service
from benchmarks.synthetic.uploads import Answer

STATS = "/-/stats"
COUNTERS = 4  # of a process: pages, bytes sent in them, refused with 503, CPU time in microseconds

_MOST = 6 * 1024**3
_REQUEST_ID = "x-amz-request-id: 4442587FB7D0A2F9\r\nx-amz-id-2: dGhpcyBpcyBub3QgYSBob3N0IGlk\r\n"


class Connection(asyncio.Protocol):
    """One client's connection: requests are answered in turn, pages after `latency` seconds.

    `counters` are this process's own, `total` gives those of all processes by name.
    """

    def __init__(self, service: Service, latency: float, counters: memoryview, total: StatsSource) -> None:
        self._service = service
        self._latency = latency
        self._counters = counters
        self._total = total
        self._received = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._is_waiting = False
        self._sending: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a TCP server gives
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what has arrived and answer what is complete."""
        self._received += data
        self._advance()

    def _advance(self) -> None:
        while not self._is_waiting and not self._transport.is_closing():
            if self._head is None and not self._take_head():
                return
            assert self._head is not None  # noqa: S101 - just taken
            method, target, headers = self._head
            length = int(headers.get("content-length", "0"))
            if length > _MOST or "transfer-encoding" in headers:
                self._send(Answer(411), method)
                self._transport.close()
                return
            if len(self._received) < length:
                return
            body = bytes(self._received[:length])
            del self._received[:length]
            self._head = None
            self._handle(method, target, headers, body)

    def _take_head(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        lines = self._received[:end].decode("latin-1").split("\r\n")
        del self._received[: end + 4]
        method, target, _ = lines[0].split(" ", 2)
        pairs = (line.partition(":") for line in lines[1:])
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        if headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._head = method, target, headers
        return True

    def _handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        if target == STATS:
            self._send(Answer(body=self._total()), method)
        elif self._service.is_listing(method, target):
            self._is_waiting = True
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._page, method, target, headers)
            else:
                self._page(method, target, headers)
        else:
            content = _unchunked(body) if "aws-chunked" in headers.get("content-encoding", "") else body
            self._send(self._service.answer(method, target, headers, content), method)

    def _page(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        self._is_waiting = False
        if self._transport.is_closing():
            return
        answer = self._service.answer(method, target, headers, b"")
        self._counters[0] += 1
        self._counters[1] += len(answer.body)
        self._counters[2] += answer.status == HTTPStatus.SERVICE_UNAVAILABLE
        self._counters[3] = time.process_time_ns() // 1000
        self._send(answer, method)
        if self._received:
            asyncio.get_running_loop().call_soon(self._advance)

    def _send(self, answer: Answer, method: str) -> None:
        length = len(answer.body) if answer.length is None else answer.length
        head = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\nServer: AmazonS3\r\n{_REQUEST_ID}"
        head += "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        head += "" if answer.status == HTTPStatus.NO_CONTENT else f"Content-Length: {length}\r\n"
        body = b"" if method == "HEAD" else answer.body
        self._transport.write(b"".join((head.encode(), b"\r\n", body)))
        if answer.path and method != "HEAD":
            self._is_waiting = True
            self._sending = asyncio.get_running_loop().create_task(self._send_file(answer))

    async def _send_file(self, answer: Answer) -> None:
        """Send a body from its file, at the client's pace; a client that has gone gets no more."""
        assert answer.path is not None  # noqa: S101 - asked for by `_send`
        with contextlib.suppress(ConnectionError), answer.path.open("rb") as file:
            await asyncio.get_running_loop().sendfile(self._transport, file, answer.offset, answer.length)
        self._is_waiting = False
        self._advance()


class StatsSource:
    """Sums the counters of all processes."""

    def __init__(self, counters: memoryview) -> None:
        self._counters = counters

    def __call__(self) -> bytes:
        """Return the sums as JSON: pages, bytes, refused, cpu_us."""
        sums = [sum(self._counters[place::COUNTERS]) for place in range(COUNTERS)]
        names = ("pages", "bytes", "refused", "cpu_us")
        return (
            "{" + ", ".join(f'"{name}": {value}' for name, value in zip(names, sums, strict=True)) + "}"
        ).encode()


def _unchunked(body: bytes) -> bytes:
    """Return what an `aws-chunked` body carries: chunks of `length;chunk-signature=…`, then trailers."""
    pieces: list[bytes] = []
    at = 0
    while True:
        end = body.index(b"\r\n", at)
        length = int(body[at:end].split(b";", 1)[0], 16)
        if not length:
            return b"".join(pieces)
        pieces.append(body[end + 2 : end + 2 + length])
        at = end + 4 + length
