from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from seeder.errors import InvalidRequest, Throttled
from seeder.lake.group import GroupCommit
from seeder.lake.registry import Function, Registry, Snapshot
from tests.unit.seeder.lake.store import Client, Fate, Store, timeless


class Gate:
    """Lets no call through while it is closed."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.fate = Fate.GOOD

    def __call__(self, _: str) -> Fate:
        self.reached.set()
        assert self.opened.wait(10)
        return self.fate


def grouped(s3: Any, deadline_seconds: float = 60) -> GroupCommit:
    retry = timeless(deadline_seconds)
    return GroupCommit(
        Registry(s3, "b", "r", deadline_seconds=deadline_seconds, sleep=retry.sleep, clock=retry.clock)
    )


def appending(name: Any) -> Function:
    def append(body: dict[str, Any]) -> dict[str, Any]:
        body.setdefault("names", []).append(name)
        return body

    return append


@pytest.fixture
def gate() -> Iterator[Gate]:
    one = Gate()
    yield one
    one.opened.set()


def together(group: GroupCommit, gate: Gate, functions: list[Function]) -> list[Snapshot | BaseException]:
    """Call all while a first write is held up, so that they are written together."""

    def call(function: Function) -> Snapshot | BaseException:
        try:
            return group.update(function)
        except BaseException as error:
            return error

    with ThreadPoolExecutor(len(functions) + 1) as pool:
        first = pool.submit(call, lambda body: {})
        assert gate.reached.wait(10)
        futures = [pool.submit(call, function) for function in functions]
        while len(group._waiting) < len(functions):
            time.sleep(0.001)
        gate.opened.set()
        assert isinstance(first.result(), Snapshot)
        return [future.result() for future in futures]


def test_updates_that_wait_are_written_together_and_each_is_in(gate: Gate) -> None:
    store = Store()
    with grouped(Client(store, gate)) as group:
        told = together(group, gate, [appending(number) for number in range(20)])
        assert sorted(group.read().body["names"]) == list(range(20))
    assert len(store.history) == 2
    assert {one.revision for one in told if isinstance(one, Snapshot)} == {2}


def test_what_one_function_raises_or_leaves_touches_no_other(gate: Gate) -> None:
    store = Store()

    def spoil(body: dict[str, Any]) -> dict[str, Any] | None:
        body["names"] = "spoiled"
        return None

    def fail(body: dict[str, Any]) -> dict[str, Any]:
        spoil(body)
        raise ValueError("mine")

    with grouped(Client(store, gate)) as group:
        told = together(group, gate, [appending(1), fail, spoil, appending(2)])
        assert sorted(group.read().body["names"]) == [1, 2]
    assert [type(one) for one in told] == [Snapshot, ValueError, Snapshot, Snapshot]


def test_a_body_that_can_not_be_written_touches_no_other(gate: Gate) -> None:
    store = Store()
    with grouped(Client(store, gate)) as group:
        told = together(group, gate, [appending(1), appending(object()), appending(2)])
        assert sorted(group.read().body["names"]) == [1, 2]
    assert isinstance(told[1], InvalidRequest)


def test_none_is_acknowledged_that_was_not_written() -> None:
    store = Store()
    with (
        grouped(Client(store, lambda _: Fate.SLOW_DOWN), deadline_seconds=0) as group,
        pytest.raises(Throttled),
    ):
        group.update(appending(1))
    assert store.history == []


def test_nothing_is_written_where_no_function_does_anything() -> None:
    store = Store()
    with grouped(store) as group:
        assert group.update(lambda body: None).revision == 0
    assert store.history == []


def test_closing_writes_what_waits_and_refuses_what_comes(gate: Gate) -> None:
    store = Store()
    group = grouped(Client(store, gate))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(group.update, appending(1))
        gate.opened.set()
        assert waiting.result().revision == 1
    group.close()
    with pytest.raises(InvalidRequest, match="closed"):
        group.update(appending(2))
    group.close()
