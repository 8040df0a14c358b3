"""Whatever AWS answers and whoever dies: no update is lost, none is made twice, no reader sees half of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.errors import ServiceUnavailable, Throttled, Undecided
from seeder.lake.registry import Registry, Snapshot
from tests.unit.seeder.lake.store import DEATHS, Died, Store, timeless
from tests.unit.seeder.lake.turns import LIVING, Turn, take_turns, turns

KEY = "metastore/registry.json"
EVERY = settings(max_examples=60, deadline=None)
deadlines = st.sampled_from([0.0, 0.05, 60.0])


def registry(s3: Any, deadline_seconds: float = 60) -> Registry:
    retry = timeless(deadline_seconds)
    return Registry(
        s3,
        "state",
        KEY,
        deadline_seconds=deadline_seconds,
        sleep=retry.sleep,
        clock=retry.clock,
        uniform=retry.uniform,
        new_id=retry.new_id,
    )


def appending(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return an update that does it again when it is made again."""
    return lambda body: {"count": body.get("count", 0) + 1, "names": [*body.get("names", []), name]}


def stood(store: Store) -> list[dict[str, Any]]:
    """Return the bodies that stood there, oldest first."""
    return [json.loads(body or b"")["body"] for body in store.bodies(KEY)]


@EVERY
@given(turns(LIVING), st.integers(2, 4), deadlines)
def test_an_update_is_in_once_or_said_not_to_be_or_said_to_be_unknown(
    drawn: list[Turn], writers: int, deadline_seconds: float
) -> None:
    store, told = Store(), dict[str, Snapshot | type[Exception]]()

    def run(number: int) -> Callable[[Any], None]:
        def write(s3: Any) -> None:
            for turn in range(2):
                name = f"{number}-{turn}"
                try:
                    told[name] = registry(s3, deadline_seconds).update(appending(name))
                except (Throttled, ServiceUnavailable) as error:
                    told[name] = type(error)

        return write

    take_turns(store, drawn, [run(number) for number in range(writers)])
    states = stood(store)
    names: list[str] = states[-1]["names"] if states else []
    for name, outcome in told.items():
        if isinstance(outcome, Snapshot):
            assert names.count(name) == 1
            assert outcome.body == states[outcome.revision - 1]
            assert outcome.body["names"][-1] == name
        else:
            assert names.count(name) <= (1 if outcome is Undecided else 0)
    assert [state["names"] for state in states] == [names[: end + 1] for end in range(len(names))]
    assert [state["count"] for state in states] == list(range(1, len(names) + 1))
    assert registry(store).read().revision == len(names)


@EVERY
@given(turns([*LIVING, *DEATHS]), st.integers(2, 4))
def test_an_update_that_looks_first_is_in_once_however_often_its_writer_dies(
    drawn: list[Turn], writers: int
) -> None:
    store = Store()

    def adding(name: str) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
        return lambda body: None if name in body.get("names", []) else appending(name)(body)

    def run(number: int) -> Callable[[Any], None]:
        def write(s3: Any) -> None:
            while True:
                try:
                    standing = registry(s3).update(adding(str(number)))
                except (Died, Undecided):
                    continue
                assert str(number) in standing.body["names"]
                return

        return write

    take_turns(store, drawn, [run(number) for number in range(writers)])
    assert sorted(stood(store)[-1]["names"]) == [str(number) for number in range(writers)]


@EVERY
@given(turns(LIVING))
def test_a_reader_sees_a_revision_that_stood(drawn: list[Turn]) -> None:
    store, seen = Store(), list[Snapshot]()

    def write(s3: Any) -> None:
        for turn in range(3):
            registry(s3).update(appending(str(turn)))

    def read(s3: Any) -> None:
        seen.extend(registry(s3).read() for _ in range(4))

    take_turns(store, drawn, [write, read])
    states = stood(store)
    assert all(one.body == (states[one.revision - 1] if one.revision else {}) for one in seen)
    assert [one.revision for one in seen] == sorted(one.revision for one in seen)
