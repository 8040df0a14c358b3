"""A loopback HTTP/1.1 server of raw bytes: it sends exactly what a test has it send, also what no server should."""

from __future__ import annotations

import gc
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tests.listed import ListedBucket

_PARAMETERS = {
    "continuation-token": "ContinuationToken",
    "encoding-type": "EncodingType",
    "key-marker": "KeyMarker",
    "max-keys": "MaxKeys",
    "prefix": "Prefix",
    "start-after": "StartAfter",
    "version-id-marker": "VersionIdMarker",
}
_LIFE_SECONDS = 20.0
_LEAVE_SECONDS = 3.0


class Request(NamedTuple):
    """A request as it came: its number on the server and on its connection, both from 0."""

    number: int
    nth: int
    raw: bytes

    @property
    def line(self) -> tuple[str, str, str]:
        method, target, version = self.raw.partition(b"\r\n")[0].decode().split(" ")
        return method, target, version

    @property
    def target(self) -> str:
        return self.line[1]

    @property
    def headers(self) -> dict[str, str]:
        lines = self.raw.decode().split("\r\n")[1:-2]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def parameters(self) -> dict[str, str]:
        found = parse_qsl(urlsplit(self.target).query)
        return {_PARAMETERS[name]: value for name, value in found if name in _PARAMETERS}


def open_files() -> int:
    """Return how many files and sockets this process has open."""
    return len(os.listdir("/dev/fd"))


def closed_down_to(before: int) -> bool:
    """Tell whether no more is open than before, once garbage is collected and threads that were let go have ended."""
    until = time.monotonic() + _LEAVE_SECONDS
    while open_files() > before and time.monotonic() < until:
        gc.collect()
        time.sleep(0.01)
    return open_files() <= before


# What is sent, or how many seconds are waited; the connection is closed after an answer that ends with CLOSE.
Step = bytes | float | None
CLOSE = None
Answer = Callable[[Request], Iterable[Step]]


class RawServer:
    """Serves while it is entered, and 20 seconds at most; what `answer` and `tls` are may be changed meanwhile.

    With `tunnels`, it is a proxy to itself: after a CONNECT, its connections speak TLS.
    """

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None, tunnels: bool = False) -> None:
        self.answer = answer
        self.tls = tls
        self.tunnels = tunnels
        self.requests: list[Request] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def live(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def __enter__(self) -> RawServer:
        self._listener.settimeout(_LIFE_SECONDS)
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        with self._lock:
            for connected in self._open:
                with suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_LIFE_SECONDS)
        self._listener.close()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="raw server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            if self._stopped.is_set():
                connected.close()
                return
            with self._lock:
                self.connections += 1
                self._open.add(connected)
            self._start(partial(self._serve, connected))

    def _serve(self, connected: socket.socket) -> None:
        stream = connected
        stream.settimeout(_LIFE_SECONDS)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.tls and not self.tunnels:
                stream = self._handshake(stream)
            nth = 0
            while raw := _read(stream):
                if raw.startswith(b"CONNECT "):
                    self._note(raw, nth)
                    stream.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    stream = self._handshake(stream)
                elif not self._answer(stream, self._note(raw, nth)):
                    return
                nth += 1
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(connected)
            stream.close()
            connected.close()

    def _handshake(self, stream: socket.socket) -> socket.socket:
        assert self.tls is not None
        wrapped = self.tls.wrap_socket(stream, server_side=True)
        with self._lock:
            self._open.add(wrapped)
        return wrapped

    def _note(self, raw: bytes, nth: int) -> Request:
        with self._lock:
            request = Request(len(self.requests), nth, raw)
            self.requests.append(request)
            return request

    def _answer(self, stream: socket.socket, request: Request) -> bool:
        for step in self.answer(request):
            if step is None:
                return False
            if isinstance(step, bytes):
                stream.sendall(step)
            elif self._stopped.wait(step):
                return False
        return True


def _read(stream: socket.socket) -> bytes:
    raw = b""
    while not raw.endswith(b"\r\n\r\n"):
        piece = stream.recv(65536)
        if not piece:
            return b""
        raw += piece
    return raw


def ok(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """Return a response with a Content-Length, that calls itself AWS's."""
    head = f"HTTP/1.1 {status}\r\nServer: AmazonS3\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def chunked(body: bytes, size: int) -> bytes:
    """Return a response in chunks of some size."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    data = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nServer: AmazonS3\r\nTransfer-Encoding: chunked\r\n\r\n" + data + b"0\r\n\r\n"


def error(code: str, status: str, headers: str = "") -> bytes:
    """Return an error as S3 writes it."""
    return ok(f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode(), status, headers)


def listing(bucket: ListedBucket) -> Callable[[Request], bytes]:
    """Return what answers requests with the pages of a bucket."""
    return lambda request: bucket.fetch(**request.parameters)
