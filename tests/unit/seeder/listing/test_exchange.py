from __future__ import annotations

import gc
import signal
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.listing import exchange as exchange_module
from seeder.listing.exchange import MOST_REFUSED, Ask, Exchange
from tests.raw_server import CLOSE, RawServer, Request, Step, chunked, closed_down_to, ok, open_files

_LIMIT_SECONDS = 10.0


class Route:
    """Stands for `seeder.listing.wire.Route`: plain requests that name who asks."""

    def __init__(self, port: int, seconds: float = 5.0) -> None:
        self._port = port
        self.seconds = seconds

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), timeout=5)

    def message(self, parameters: dict[str, Any]) -> bytes:
        return f"GET /{parameters['name']} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


class Wire:
    """Stands for `seeder.listing.wire.Wire`, of which an exchange needs the route and the count."""

    def __init__(self, route: Any) -> None:
        self.route = route
        self.calls = 0

    def count(self) -> None:
        self.calls += 1


def page(name: str) -> bytes:
    return f"<ListBucketResult><Name>{name}</Name></ListBucketResult>".encode()


def by_name(request: Request) -> bytes:
    return ok(page(request.target[1:]))


class Asked:
    """Asks an exchange for pages, of which each must come once, and as it should; what boto3 fetched is noted."""

    def __init__(self, fetch: Callable[[str], bytes] = page) -> None:
        self.fetched: list[str] = []
        self.most_at_once = 0
        self._at_once: set[str] = set()
        self._answer = fetch
        self.exchange = Exchange(self._fetch)

    def _fetch(self, ask: Ask) -> bytes:
        name = ask.parameters["name"]
        self.fetched.append(name)
        self._at_once.add(name)
        self.most_at_once = max(self.most_at_once, len(self._at_once))
        try:
            return self._answer(name)
        finally:
            self._at_once.remove(name)

    def ask(self, wire: Wire, name: str) -> None:
        self.exchange.ask(Ask(cast("Any", wire), {"name": name}, name))

    def get(self, *asks: tuple[Wire, str]) -> dict[str, bytes | BaseException]:
        """Ask at once, and return all answers by name."""
        for wire, name in asks:
            self.ask(wire, name)
        return self.rest(len(asks))

    def rest(self, count: int) -> dict[str, bytes | BaseException]:
        found: dict[str, bytes | BaseException] = {}
        until = time.monotonic() + _LIMIT_SECONDS
        while len(found) < count:
            assert time.monotonic() < until, f"only {len(found)} of {count} came"
            for ask, answer in self.exchange.answers():
                assert ask.asker not in found
                found[ask.asker] = answer
        return found


def list_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "list" and thread.is_alive()]


@contextmanager
def asking(fetch: Callable[[str], bytes] = page) -> Iterator[Asked]:
    """Give an exchange, and see that it leaves no thread behind."""
    asked = Asked(fetch)
    with closing(asked.exchange):
        yield asked
    assert list_threads() == []


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """See that no socket is left open when all servers are gone."""
    before = open_files()
    yield
    assert closed_down_to(before)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_module, "_LOOK_SECONDS", 0.02)
    monkeypatch.setattr(exchange_module, "_LEAVE_SECONDS", 0.3)


def named(wire: Wire, count: int, name: str = "") -> list[tuple[Wire, str]]:
    return [(wire, f"{name}{number}") for number in range(count)]


def test_one_connection_serves_one_asker_after_another() -> None:
    with RawServer(lambda request: [by_name(request)]) as server:
        wire = Wire(Route(server.port))
        with asking() as asked:
            for number in range(20):
                assert asked.get((wire, str(number))) == {str(number): page(str(number))}
        assert (asked.fetched, wire.calls, server.connections) == ([], 20, 1)


def test_many_requests_are_under_way_at_once() -> None:
    together = threading.Barrier(8, timeout=5)

    def answer(request: Request) -> list[Step]:
        together.wait()
        return [by_name(request)]

    with RawServer(answer) as server, asking() as asked:
        found = asked.get(*named(Wire(Route(server.port)), 8))
        assert found == {str(number): page(str(number)) for number in range(8)}
        assert asked.fetched == []


FAULTS: dict[str, Callable[[Request], list[Step]]] = {
    "well": lambda request: [by_name(request)],
    "in chunks": lambda request: [chunked(page(request.target[1:]), 7)],
    "drop by drop": lambda request: [bytes([byte]) for byte in by_name(request)],
    "late": lambda request: [0.01, by_name(request)],
    "well, then closed": lambda request: [by_name(request), CLOSE],
    "well, and said to close": lambda request: [
        ok(page(request.target[1:]), headers="Connection: close\r\n"),
        CLOSE,
    ],
    "nothing, then closed": lambda request: [CLOSE],
    "half of it": lambda request: [by_name(request)[:-20], CLOSE],
    "half of its chunks": lambda request: [chunked(page(request.target[1:]), 7)[:-20], CLOSE],
    "too much": lambda request: [by_name(request) + b"more"],
    "another answer after it": lambda request: [by_name(request) + ok(page("wrong"))],
    "garbage": lambda request: [b"\x00\xff" * 100 + b"\r\n\r\n"],
    "busy": lambda request: [ok(b"<Error/>", "503 Slow Down")],
    "a 200 with an error": lambda request: [ok(b"<Error><Message>No Result</Message></Error>")],
    "another way": lambda request: [ok(b"", "307 Temporary Redirect", "Location: http://127.0.0.1:1/\r\n")],
    "an old answer": lambda request: [b"HTTP/1.0 200 OK\r\n\r\n" + page("wrong"), CLOSE],
    "never": lambda request: [60.0],
}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(FAULTS)), max_size=30), st.integers(1, 6))
def test_each_page_comes_once_and_right_whatever_the_server_does(faults: list[str], workers: int) -> None:
    drawn = dict(enumerate(faults))

    def answer(request: Request) -> list[Step]:
        return FAULTS[drawn.get(request.number, "well")](request)

    with RawServer(answer) as server:
        wire = Wire(Route(server.port, seconds=0.1))
        with asking() as asked:
            for turn in range(6):
                names = named(wire, workers, f"{turn}-")
                assert asked.get(*names) == {name: page(name) for _, name in names}
                assert asked.most_at_once <= workers


@pytest.mark.parametrize(
    "fault", ["nothing, then closed", "garbage", "another way", "a 200 with an error", "an old answer"]
)
def test_a_server_that_is_not_understood_is_left_to_boto3(fault: str) -> None:
    with RawServer(FAULTS[fault]) as server:
        wire = Wire(Route(server.port))
        with asking() as asked:
            for number in range(MOST_REFUSED + 5):
                asked.get((wire, str(number)))
        assert (len(server.requests), wire.route) == (MOST_REFUSED, None)
        assert len(asked.fetched) == MOST_REFUSED + 5


def test_failures_at_once_do_not_stop_the_walk_where_the_route_is_given_up() -> None:
    with RawServer(FAULTS["nothing, then closed"]) as server:
        wire = Wire(Route(server.port))
        with asking() as asked:
            assert len(asked.get(*named(wire, 4 * MOST_REFUSED))) == 4 * MOST_REFUSED
        assert wire.route is None


def test_a_busy_server_keeps_its_route() -> None:
    with RawServer(FAULTS["busy"]) as server:
        wire = Wire(Route(server.port))
        with asking() as asked:
            asked.get(*named(wire, 2 * MOST_REFUSED))
        assert wire.route is not None


def test_failures_between_successes_keep_the_route() -> None:
    def answer(request: Request) -> list[Step]:
        return FAULTS["garbage" if request.number % 2 else "well, then closed"](request)

    with RawServer(answer) as server:
        wire = Wire(Route(server.port))
        with asking() as asked:
            for number in range(4 * MOST_REFUSED):
                asked.get((wire, str(number)))
                while server.live:
                    time.sleep(0.001)
        assert wire.route is not None


def test_a_server_that_says_it_closes_is_not_asked_again() -> None:
    with RawServer(lambda request: [ok(page("a"), headers="Connection: close\r\n")]) as server:
        wire = Wire(Route(server.port))
        with asking() as asked:
            asked.get((wire, "a"))
            asked.get((wire, "b"))
        assert (server.connections, asked.fetched) == (2, [])


def test_a_cut_of_all_connections_keeps_the_route() -> None:
    count = 2 * MOST_REFUSED
    with RawServer(lambda request: [by_name(request)] if request.nth == 0 else [CLOSE]) as server:
        wire = Wire(Route(server.port))
        with asking() as asked:
            asked.get(*named(wire, count, "first"))
            asked.get(*named(wire, count, "cut"))
            asked.fetched.clear()
            asked.get(*named(wire, count, "third"))
        assert (wire.route is not None, asked.fetched) == (True, [])


def test_one_wire_that_fails_does_not_hide_behind_another() -> None:
    with RawServer(FAULTS["well"]) as good, RawServer(FAULTS["garbage"]) as bad:
        well, ill = Wire(Route(good.port)), Wire(Route(bad.port))
        with asking() as asked:
            for number in range(MOST_REFUSED):
                asked.get((well, f"well{number}"), (ill, f"ill{number}"))
        assert (well.route is not None, ill.route) == (True, None)


def test_idle_connections_that_the_server_ended_are_not_asked() -> None:
    with RawServer(FAULTS["well, then closed"]) as server:
        wire = Wire(Route(server.port))
        with asking() as asked:
            for number in range(5):
                asked.get((wire, str(number)))
                while server.live:
                    time.sleep(0.001)
        assert (asked.fetched, server.connections) == ([], 5)


def test_ended_idle_connections_are_closed_while_others_are_waited_for() -> None:
    with RawServer(FAULTS["well, then closed"]) as server, asking() as asked:
        before = open_files()
        asked.get(*named(Wire(Route(server.port)), 8))
        until = time.monotonic() + _LIMIT_SECONDS
        while open_files() > before:
            assert time.monotonic() < until
            list(asked.exchange.answers())


TICKET = b"\0"


class Ticketed(socket.socket):
    """Swallows tickets, as TLS does: they can be read, and are nothing."""

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        found = super().recv(size, flags)
        if found == TICKET:
            raise ssl.SSLWantReadError
        return found


class TicketedRoute(Route):
    def connect(self) -> socket.socket:
        return Ticketed(fileno=super().connect().detach())


def test_a_session_ticket_does_not_end_an_idle_connection() -> None:
    with RawServer(lambda request: [by_name(request), 0.05, TICKET]) as server, asking() as asked:
        wire = Wire(TicketedRoute(server.port))
        asked.get((wire, "a"))
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            assert list(asked.exchange.answers()) == []
        assert asked.get((wire, "b")) == {"b": page("b")}
        assert (server.connections, asked.fetched) == (1, [])


def test_no_answer_in_time_is_asked_for_by_boto3() -> None:
    with RawServer(FAULTS["never"]) as server, asking() as asked:
        wire = Wire(Route(server.port, seconds=0.05))
        assert asked.get((wire, "a")) == {"a": page("a")}
        assert asked.fetched == ["a"]


def test_nothing_is_waited_for_without_sleep() -> None:
    with RawServer(FAULTS["never"]) as server, asking() as asked:
        asked.ask(Wire(Route(server.port)), "a")
        began = time.process_time()
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            assert list(asked.exchange.answers()) == []
        assert time.process_time() - began < 0.1


def test_an_error_of_boto3_is_an_answer() -> None:
    def fetch(name: str) -> bytes:
        raise ValueError(name)

    with asking(fetch) as asked:
        error = asked.get((Wire(None), "a"))["a"]
        assert isinstance(error, ValueError)


class Odd(Route):
    """A route that fails where nobody expects it."""

    def __init__(self, port: int, at: str) -> None:
        super().__init__(port)
        self._at = at

    def connect(self) -> socket.socket:
        if self._at == "connect":
            raise KeyError("odd")
        return super().connect()

    def message(self, parameters: dict[str, Any]) -> bytes:
        if self._at == "message":
            raise KeyError("odd")
        return super().message(parameters)


@pytest.mark.parametrize("at", ["connect", "message"])
def test_whatever_a_route_raises_boto3_is_asked(at: str) -> None:
    with RawServer(FAULTS["well"]) as server, asking() as asked:
        assert asked.get((Wire(Odd(server.port, at)), "a")) == {"a": page("a")}
        assert asked.fetched == ["a"]


def test_a_server_that_can_not_be_reached_is_left_to_boto3() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with asking() as asked:
        assert asked.get((Wire(Route(port)), "a")) == {"a": page("a")}


class Slow(Route):
    """A route whose connections are made late."""

    def __init__(self, port: int, may_go: threading.Event) -> None:
        super().__init__(port)
        self._may_go = may_go

    def connect(self) -> socket.socket:
        self._may_go.wait(_LIMIT_SECONDS)
        return super().connect()


def test_a_connection_made_after_the_end_is_closed() -> None:
    may_go = threading.Event()
    with RawServer(FAULTS["well"]) as server:
        asked = Asked()
        asked.ask(Wire(Slow(server.port, may_go)), "a")
        asked.exchange.close()
        may_go.set()
        for thread in list_threads():
            thread.join(_LIMIT_SECONDS)
        assert (asked.fetched, server.requests) == ([], [])


def test_nothing_is_asked_after_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    asked, may_go = Asked(), threading.Event()
    asked.ask(Wire(Slow(port, may_go)), "a")
    asked.exchange.close()
    may_go.set()
    for thread in list_threads():
        thread.join(_LIMIT_SECONDS)
    assert asked.fetched == []


def test_connections_made_when_the_route_is_given_up_are_not_lost() -> None:
    may_go = threading.Event()
    with RawServer(FAULTS["well"]) as server, asking() as asked:
        wire = Wire(Slow(server.port, may_go))
        asked.ask(wire, "a")
        may_go.set()
        for thread in list_threads():
            thread.join(_LIMIT_SECONDS)
        wire.route = None
        assert asked.rest(1) == {"a": page("a")}


def test_a_server_that_hangs_keeps_nobody_from_leaving() -> None:
    may_go = threading.Event()

    def fetch(name: str) -> bytes:
        may_go.wait(_LIMIT_SECONDS)
        return page(name)

    with RawServer(FAULTS["never"]) as server:
        asked = Asked(fetch)
        wire = Wire(Route(server.port))
        for name in "abc":
            asked.ask(wire, name)
        for name in "def":
            asked.ask(Wire(None), name)
        list(asked.exchange.answers())
        began = time.monotonic()
        asked.exchange.close()
        assert time.monotonic() - began < 2
        may_go.set()
        for thread in list_threads():
            thread.join(_LIMIT_SECONDS)


@pytest.mark.parametrize("after", [number / 500 for number in range(1, 26)])
def test_ctrl_c_at_any_moment_leaks_nothing(after: float) -> None:
    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    # What is raised within a callback of the collector, such as hypothesis has, is lost.
    gc.disable()
    try:
        with RawServer(lambda request: [0.001, *FAULTS["well"](request)]) as server:
            wire = Wire(Route(server.port))
            with pytest.raises(KeyboardInterrupt):
                _ask_until_interrupted(wire, after)
            for thread in list_threads():
                thread.join(_LIMIT_SECONDS)
            assert list_threads() == []
    finally:
        gc.enable()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _ask_until_interrupted(wire: Wire, after: float) -> None:
    asked = Asked()
    with closing(asked.exchange):
        signal.setitimer(signal.ITIMER_REAL, after)
        for turn in range(10_000):
            asked.get(*named(wire, 8, f"{turn}-"))


def test_answers_do_not_mix_up_askers() -> None:
    with RawServer(FAULTS["well"]) as one, RawServer(FAULTS["in chunks"]) as other:
        wires = [Wire(Route(server.port)) for server in (one, other)]
        with asking() as asked:
            seen: Counter[str] = Counter()
            for turn in range(20):
                found = asked.get(*named(wires[0], 3, f"{turn}a"), *named(wires[1], 3, f"{turn}b"))
                assert all(found[name] == page(name) for name in found)
                seen.update(found.keys())
        assert set(seen.values()) == {1}
        assert [wire.calls for wire in wires] == [60, 60]
        assert {request.target[-2] for request in one.requests} == {"a"}
