"""Whatever AWS answers and whoever dies: each file is registered once, or verify reports it; no view is half one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from seeder.errors import SeederError
from seeder.lake import changelog, lake, lists, multipart, upkeep
from seeder.lake.lake import Lake, View
from tests.unit.seeder.lake.store import DEATHS, WRITTEN_AT, Died, Store, timeless
from tests.unit.seeder.lake.turns import LIVING, Turn, take_turns, turns

EVERY = settings(max_examples=60, deadline=None)
DAY = {"day": "1"}
# Small bounds, so that a few files make lists and lists of lists; turns are of one call at a time.
SMALL = (
    patch.object(changelog, "INLINE_BYTES", 400),
    patch.object(changelog, "FANOUT", 2),
    patch.object(lists, "READS_AT_ONCE", 1),
    patch.object(multipart, "PARTS_AT_ONCE", 1),
)


def of(s3: Any, deadline_seconds: float = 60) -> Lake:
    later = WRITTEN_AT + timedelta(days=1)
    return Lake(s3, "b", retry=timeless(deadline_seconds), now=lambda: later)


def small(test: Callable[..., None]) -> Callable[..., None]:
    for bound in SMALL:
        test = bound(test)
    return test


def added(store: Store) -> Counter[str]:
    changes = of(store).changes()
    assert [change.revision for change in changes] == list(range(1, len(changes) + 1))
    return Counter(change.entry.key for change in changes if change.is_added)


@EVERY
@given(turns([*LIVING, *DEATHS], most=60), st.integers(2, 4), st.sampled_from([0.0, 60.0]), st.booleans())
def test_a_file_is_registered_once_or_reported(
    drawn: list[Turn], writers: int, deadline_seconds: float, gives_up: bool
) -> None:
    store, done = Store(), set[str]()

    def run(number: int) -> Callable[[Any], None]:
        def write(s3: Any) -> None:
            for name in (str(number), "shared"):
                while True:
                    try:
                        entry = of(s3, deadline_seconds).add_file("events", DAY, name, name.encode(), 1)
                        done.add(entry.key)
                    except (Died, SeederError):
                        if not gives_up:
                            continue
                    break

        return write

    @small
    def check() -> None:
        take_turns(store, drawn, [run(number) for number in range(writers)])
        times = added(store)
        written = {key for key in store.objects if key.startswith("datasets/")}
        reported = {found.key for found in upkeep.verify(of(store)) if found.problem == "orphan"}
        assert set(times.values()) <= {1}
        assert done <= set(times)
        assert (written, reported) == (set(times) | reported, written - set(times))
        upkeep.repair(of(store))
        assert upkeep.verify(of(store)) == []
        assert added(store) == dict.fromkeys(written, 1)

    check()


@EVERY
@given(turns(LIVING, most=60))
def test_a_reader_sees_files_that_were_registered_together(drawn: list[Turn]) -> None:
    store, seen = Store(), list[View]()

    def write(s3: Any) -> None:
        for number in range(5):
            of(s3).add_file("events", DAY, str(number), b"1", 1)

    def read(s3: Any) -> None:
        seen.extend(of(s3).read() for _ in range(4))

    @small
    def check() -> None:
        take_turns(store, drawn, [write, read])
        for view in seen:
            assert view == of(store).read(revision=view.revision)
            assert len(view.entries) == view.revision
            assert all(store.objects[key].etag == entry.etag for key, entry in view.entries.items())

    check()


@EVERY
@given(turns([*LIVING, *DEATHS], most=40))
def test_a_file_that_is_added_and_removed_by_turns_ends_as_its_last_call_says(drawn: list[Turn]) -> None:
    store = Store()

    def until_done(call: Callable[[], Any]) -> None:
        while True:
            try:
                call()
            except (Died, SeederError):
                continue
            return

    def write(s3: Any) -> None:
        for number in range(3):
            key = f"datasets/events/day=1/{number}"
            until_done(lambda number=number: of(s3).add_file("events", DAY, str(number), b"1", 1))  # type: ignore[misc]  # a default binds
            until_done(lambda key=key: of(s3).remove_files([key]))  # type: ignore[misc]  # as above

    @small
    def check() -> None:
        take_turns(store, drawn, [write])
        upkeep.repair(of(store))
        assert upkeep.verify(of(store)) == []
        assert of(store).read().entries == {}
        assert not [key for key in store.objects if key.startswith("datasets/")]

    check()


def test_a_large_file_meets_the_same_fates(tmp_path: Any) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"0123456789")

    @EVERY
    @given(turns([*LIVING, *DEATHS]))
    def check(drawn: list[Turn]) -> None:
        store = Store()

        def write(s3: Any) -> None:
            while True:
                try:
                    of(s3).add_file("events", DAY, "large", path, 1)
                except (Died, SeederError):
                    continue
                return

        take_turns(store, drawn, [write, write])
        assert set(added(store).values()) == {1}
        assert upkeep.verify(of(store)) == []

    large = patch.object(lake, "LARGE_BYTES", 4)
    with large, patch.object(multipart, "PARTS_AT_ONCE", 1):
        check()
