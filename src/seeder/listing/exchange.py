"""Many requests at once for pages of a listing, or for tags, from one thread.

They go over connections of its own where a route is known, else by threads.

One thread that looks after all connections does several times the work of as many threads, which would wait for the
interpreter's lock at each byte. Whatever goes wrong on a connection is asked for again by a thread, through boto3.
"""

from __future__ import annotations

import re
import selectors
import socket
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from seeder.listing.connection import Connection, Unusable
from seeder.listing.wire import Wire

# So many new connections in a row that bring no page, and a wire's walk goes on through boto3. Those that brought one
# before do not count: one cut of the network ends all of them at once.
MOST_REFUSED = 16
_LOOK_SECONDS = 1.0
_SCRATCH_BYTES = 256 * 1024
_ANSWER = re.compile(rb"<(?:\w+:)?(?:List\w*Result|Tagging)\b")
_HEAD_BYTES = 256
_LEAVE_SECONDS = 5.0


class Ask(NamedTuple):
    """A page asked for: of which bucket, with which parameters, and for whom."""

    wire: Wire
    parameters: dict[str, Any]
    asker: Any


class Exchange:
    """Sends what is asked and collects the answers. `fetch` answers one by blocking; threads call it, one for each."""

    def __init__(self, fetch: Callable[[Ask], bytes]) -> None:
        self._fetch = fetch
        self._threads: set[threading.Thread] = set()
        self._closing = threading.Lock()
        self._closed = False
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._scratch = memoryview(bytearray(_SCRATCH_BYTES))
        self._idle: defaultdict[int, list[Connection]] = defaultdict(list)
        self._flying: dict[Connection, tuple[Ask, float]] = {}
        self._connected: deque[tuple[Ask, socket.socket]] = deque()
        self._answers: deque[tuple[Ask, bytes | BaseException]] = deque()
        self._refused: Counter[int] = Counter()

    def ask(self, ask: Ask) -> None:
        """Send a request; its answer is one of those that `answers` returns."""
        if ask.wire.route is None:
            self._start(self._by_thread, ask)
        elif connection := self._take_idle(ask.wire):
            self._send(connection, ask)
        else:
            self._start(self._connect, ask)

    def _take_idle(self, wire: Wire) -> Connection | None:
        idle = self._idle[id(wire)]
        while idle:
            connection = idle.pop()
            if connection.is_quiet():
                return connection
            self._close(connection)
        return None

    def answers(self) -> Iterator[tuple[Ask, bytes | BaseException]]:
        """Yield what has been answered, bodies or errors, waiting a second for it; may be nothing."""
        for key, _ in self._selector.select(0 if self._answers else _LOOK_SECONDS):
            if not isinstance(key.fileobj, Connection):
                self._woken.recv(_SCRATCH_BYTES)
            elif key.fileobj.fileno() >= 0:
                self._receive(key.fileobj)
            yield from self._ready()
        while self._connected:
            ask, connected = self._connected[0]
            connection = Connection(connected, self._scratch)
            self._selector.register(connection, selectors.EVENT_READ)
            # Only now, so that `close` finds it whenever Ctrl-C comes.
            self._connected.popleft()
            self._send(connection, ask)
        self._give_up_late()
        yield from self._ready()

    def _ready(self) -> Iterator[tuple[Ask, bytes | BaseException]]:
        for _ in range(len(self._answers)):
            yield self._answers.popleft()

    def close(self) -> None:
        """Close all connections. Threads are given some seconds to end; a server that hangs keeps nobody here."""
        with self._closing:
            self._closed = True
        opened = [key.fileobj for key in self._selector.get_map().values()]
        self._selector.close()
        for connection in opened:
            if isinstance(connection, Connection):
                connection.close()
        for _, connected in self._connected:
            connected.close()
        self._woken.close()
        self._waker.close()
        until = time.monotonic() + _LEAVE_SECONDS
        for thread in filter(threading.Thread.is_alive, list(self._threads)):
            thread.join(max(until - time.monotonic(), 0))

    def _send(self, connection: Connection, ask: Ask) -> None:
        """Send a request; one that can't be made or sent is left to boto3, which knows what it raises then."""
        route = ask.wire.route
        try:
            if route is None:
                raise Unusable("the route was given up")
            connection.send(route.message(ask.parameters))
        except Exception as problem:
            self._drop(connection, ask, problem)
        else:
            self._flying[connection] = (ask, time.monotonic() + route.seconds)

    def _receive(self, connection: Connection) -> None:
        if connection not in self._flying:
            if not connection.is_quiet():
                self._close_idle(connection)
            return
        ask, _ = self._flying[connection]
        try:
            body = connection.receive()
            if body is None:
                return
            if not _ANSWER.search(body, 0, _HEAD_BYTES):
                raise Unusable("neither a page of a listing nor tags")
        except Unusable as problem:
            del self._flying[connection]
            self._drop(connection, ask, problem)
            return
        del self._flying[connection]
        self._refused[id(ask.wire)] = 0
        connection.has_served = True
        ask.wire.count()
        self._answers.append((ask, body))
        if connection.reusable:
            self._idle[id(ask.wire)].append(connection)
        else:
            self._close(connection)

    def _drop(self, connection: Connection, ask: Ask, problem: Exception) -> None:
        """Ask again by a thread; where this way does not work, ask no more this way."""
        self._close(connection)
        is_busy = isinstance(problem, Unusable) and problem.is_busy
        self._refused[id(ask.wire)] += not (is_busy or connection.has_served)
        if self._refused[id(ask.wire)] >= MOST_REFUSED:
            ask.wire.route = None
        self._start(self._by_thread, ask)

    def _close(self, connection: Connection) -> None:
        try:
            self._selector.unregister(connection)
        finally:
            connection.close()

    def _close_idle(self, connection: Connection) -> None:
        """Close a connection that the server ended while nothing was asked."""
        for idle in self._idle.values():
            if connection in idle:
                idle.remove(connection)
        self._close(connection)

    def _give_up_late(self) -> None:
        """Ask again for what is not answered in time; the first asked stands first."""
        while self._flying:
            connection, (ask, until) = next(iter(self._flying.items()))
            if time.monotonic() < until:
                return
            del self._flying[connection]
            self._drop(connection, ask, Unusable("no answer in time"))

    def _start(self, work: Callable[[Ask], None], ask: Ask) -> None:
        def run() -> None:
            work(ask)
            self._threads.discard(thread)

        thread = threading.Thread(target=run, name="list", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _connect(self, ask: Ask) -> None:
        route, connected = ask.wire.route, None
        # Whatever goes wrong here, boto3 meets it as well, and raises what it should.
        with suppress(Exception):
            connected = route.connect() if route else None
        if connected is None:
            self._by_thread(ask)
            return
        with self._closing:
            if self._closed:
                connected.close()
            else:
                self._connected.append((ask, connected))
        self._wake()

    def _by_thread(self, ask: Ask) -> None:
        if self._closed:
            return
        try:
            self._answers.append((ask, self._fetch(ask)))
        except BaseException as error:
            self._answers.append((ask, error))
        self._wake()

    def _wake(self) -> None:
        with self._closing:
            if not self._closed:
                with suppress(BlockingIOError):
                    self._waker.send(b".")
