from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.jobs import Job, next_look
from seeder.sink import Upload

DAY = 86_400
TOTAL = 1_000_000


def looks(length: float, done: Callable[[float], float]) -> tuple[int, float]:
    """Return how often a job of `length` seconds is looked at, and how late its end is seen; `done` by elapsed time."""
    job = Job(operation="copy", region="r", manifest=Upload(bucket="b", key="k"), fields=[], wait_seconds=30)
    count = 0
    while True:
        elapsed = job.waited_seconds + job.wait_seconds
        count += 1
        if elapsed >= length:
            return count, elapsed - length
        ended = int(done(elapsed) * TOTAL)
        now = job.model_copy(
            update={
                "waited_seconds": elapsed,
                "total": TOTAL,
                "succeeded": ended,
                "failed": 0,
                "status": "Active",
            }
        )
        job = now.model_copy(update={"wait_seconds": next_look(now, job)})


@pytest.mark.parametrize("length", [1, 29, 31, 600, 3600, 7 * 3600, DAY, 7 * DAY, 30 * DAY])
def test_a_steady_job_is_looked_at_seldom_and_its_end_seen_in_time(length: float) -> None:
    count, late = looks(length, lambda elapsed: elapsed / length)
    assert count < 60
    assert late <= max(30, 0.05 * length)


@given(st.floats(60, 30 * DAY), st.floats(0, 0.5))
def test_so_is_one_that_had_to_wait_before_its_first_task(length: float, idle: float) -> None:
    count, late = looks(length, lambda elapsed: max(elapsed / length - idle, 0) / (1 - idle))
    assert count < 70
    assert late <= max(30, 0.08 * length)


@given(st.floats(60, 30 * DAY), st.floats(0.3, 3))
def test_one_that_gets_faster_or_slower_is_seen_to_end_before_a_third_more_time(
    length: float, bend: float
) -> None:
    count, late = looks(length, lambda elapsed: (elapsed / length) ** bend)
    assert count < 80
    assert late <= max(31, length / 3)


def test_one_that_tells_no_progress_is_looked_at_less_and_less() -> None:
    count, late = looks(30 * DAY, lambda elapsed: 0)
    assert count < 60
    assert late <= 30 * DAY / 3
