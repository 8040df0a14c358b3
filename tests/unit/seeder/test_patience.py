"""The plan of looks: days of waiting, on numbers alone."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from seeder.patience import (
    IDLE_LOOKS,
    IDLE_SECONDS,
    LONGEST_IN_ALL_SECONDS,
    LONGEST_WAIT_SECONDS,
    Patience,
    begin_look,
    end_look,
)


def looks_of(missing_at: Callable[[int], int]) -> list[Patience]:
    """Look again until the plan ends, where so much is missing after so many seconds."""
    looks: list[Patience] = []
    now = Patience()
    while not looks or now.next_look_seconds:
        now = begin_look(now)
        now = end_look(now, missing_at(now.waited_seconds))
        looks.append(now)
        assert len(looks) < 100
    return looks


def test_nothing_missing_needs_no_second_look() -> None:
    assert [look.next_look_seconds for look in looks_of(lambda _: 0)] == [0]


def test_waits_double_up_to_an_hour() -> None:
    waits = [look.next_look_seconds for look in looks_of(lambda seconds: 200_000 - seconds)]
    assert waits[:9] == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_it_ends_at_the_first_look_that_finds_nothing_missing() -> None:
    last = looks_of(lambda seconds: max(1000 - seconds, 0))[-1]
    assert (last.looks, last.waited_seconds, last.fewest_missing) == (7, 1890, 0)


def test_without_any_progress_it_ends_after_an_hour() -> None:
    last = looks_of(lambda _: 5)[-1]
    assert (last.looks, last.waited_seconds) == (8, 3810)


def test_a_replica_that_stands_still_late_is_given_three_more_looks() -> None:
    """Looks are an hour apart by then, so an hour alone would be one look."""
    last = looks_of(lambda seconds: max(30_000 - seconds, 7))[-1]
    assert last.looks - last.progress_look == IDLE_LOOKS
    assert last.waited_seconds - last.progress_seconds == 3 * LONGEST_WAIT_SECONDS


def test_more_missing_than_before_is_no_progress() -> None:
    last = looks_of(lambda seconds: 5 + seconds)[-1]
    assert (last.fewest_missing, last.progress_look) == (5, 1)


def test_a_day_is_the_longest() -> None:
    looks = looks_of(lambda seconds: 10**6 - seconds)
    assert looks[-1].waited_seconds == LONGEST_IN_ALL_SECONDS
    assert len(looks) == 31


@given(st.lists(st.integers(0, 5), min_size=1), st.integers(0, 5))
def test_it_ends_for_a_reason_whatever_is_seen(seen: list[int], then: int) -> None:
    numbers = iter(seen)
    looks = looks_of(lambda _: next(numbers, then))
    last = looks[-1]
    found_all = last.fewest_missing == 0
    is_idle = (
        last.looks - last.progress_look >= IDLE_LOOKS
        and last.waited_seconds - last.progress_seconds >= IDLE_SECONDS
    )
    assert found_all or is_idle or last.waited_seconds == LONGEST_IN_ALL_SECONDS
    assert last.waited_seconds == sum(look.next_look_seconds for look in looks) <= LONGEST_IN_ALL_SECONDS
