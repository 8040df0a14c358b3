"""Whatever AWS answers and whoever dies: what a call tells of an object is true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.errors import AlreadyExists, Conflict, Gone, SeederError, ServiceUnavailable, Throttled, Undecided
from seeder.lake import objects
from seeder.lake.objects import Written
from tests.unit.seeder.lake.store import DEATHS, Died, Store, timeless
from tests.unit.seeder.lake.turns import LIVING, Turn, take_turns, turns

EVERY = settings(max_examples=60, deadline=None)
deadlines = st.sampled_from([0.0, 0.05, 60.0])
TEMPORARY = (Throttled, ServiceUnavailable)


@EVERY
@given(turns(LIVING), st.lists(st.sampled_from([b"a", b"b", b"cc"]), min_size=2, max_size=4), deadlines)
def test_an_object_is_created_by_one_and_all_others_learn_what_stands_there(
    drawn: list[Turn], bodies: list[bytes], deadline_seconds: float
) -> None:
    store, told = Store(), dict[int, Written | SeederError]()

    def run(number: int) -> Callable[[Any], None]:
        def write(s3: Any) -> None:
            retry = timeless(deadline_seconds)
            try:
                told[number] = objects.create(s3, "b", "k", bodies[number], retry=retry)
            except (AlreadyExists, *TEMPORARY) as error:
                told[number] = error

        return write

    take_turns(store, drawn, [run(number) for number in range(len(bodies))])
    assert len(store.history) <= 1
    for number, outcome in told.items():
        if isinstance(outcome, Written):
            assert (store.objects["k"].body, store.objects["k"].etag) == (bodies[number], outcome.etag)
        elif isinstance(outcome, AlreadyExists):
            assert store.objects["k"].body != bodies[number]
    new = [outcome for outcome in told.values() if isinstance(outcome, Written) and outcome.is_new]
    may = [outcome for outcome in told.values() if isinstance(outcome, Undecided)]
    assert len(new) <= len(store.history) <= len(new) + len(may)


@EVERY
@given(turns([*LIVING, *DEATHS]), st.integers(2, 4))
def test_a_creation_repeated_after_any_death_leaves_one_object(drawn: list[Turn], writers: int) -> None:
    store = Store()

    def write(s3: Any) -> None:
        while True:
            try:
                objects.create(s3, "b", "k", b"same", retry=timeless())
            except (Died, Undecided):
                continue
            return

    take_turns(store, drawn, [write] * writers)
    assert store.bodies("k") == [b"same"]


@EVERY
@given(turns(LIVING), st.integers(2, 4), deadlines)
def test_what_is_told_to_be_replaced_is_what_was_read(
    drawn: list[Turn], writers: int, deadline_seconds: float
) -> None:
    store, told = Store(), dict[bytes, tuple[bytes, SeederError | None]]()
    objects.create(store, "b", "k", b"first", retry=timeless())  # type: ignore[arg-type]  # a store is no client

    def run(number: int) -> Callable[[Any], None]:
        def write(s3: Any) -> None:
            for turn in range(2):
                body, held = f"{number}-{turn}".encode(), objects.read(s3, "b", "k", retry=timeless())
                assert held is not None
                told[body] = (held.body, None)
                try:
                    objects.replace(s3, "b", "k", body, held.etag, retry=timeless(deadline_seconds))
                except (Conflict, *TEMPORARY) as error:
                    told[body] = (held.body, error)

        return write

    take_turns(store, drawn, [run(number) for number in range(writers)])
    history = store.bodies("k")
    for body, (before, error) in told.items():
        assert history.count(body) in (
            {1} if error is None else {0, 1} if isinstance(error, Undecided) else {0}
        )
        if body in history:
            assert history[history.index(body) - 1] == before


@EVERY
@given(turns(LIVING), st.integers(2, 4), deadlines)
def test_an_object_is_deleted_once_and_who_is_told_so_finds_it_gone(
    drawn: list[Turn], writers: int, deadline_seconds: float
) -> None:
    store, told = Store(), list[SeederError | None]()
    etag = objects.create(store, "b", "k", b"first", retry=timeless()).etag  # type: ignore[arg-type]  # as above

    def remove(s3: Any) -> None:
        try:
            objects.delete(s3, "b", "k", etag, retry=timeless(deadline_seconds))
        except (Gone, *TEMPORARY) as error:
            told.append(error)
        else:
            told.append(None)

    take_turns(store, drawn, [remove] * writers)
    assert store.bodies("k") in ([b"first"], [b"first", None])
    if any(error is None or isinstance(error, Gone) for error in told):
        assert "k" not in store.objects
    elif not any(isinstance(error, Undecided) for error in told):
        assert "k" in store.objects
