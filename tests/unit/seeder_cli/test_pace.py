from __future__ import annotations

import pytest

from seeder_cli.pace import Pace, duration, per_second


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def counted(*counts: tuple[float, int], what: str = "Copying") -> tuple[Pace, Clock]:
    clock = Clock()
    pace = Pace(clock)
    for seconds, done in counts:
        clock.now = 1000 + seconds
        pace.take(what, done)
    return pace, clock


def test_a_count_tells_its_rate_and_when_it_may_end() -> None:
    pace, _ = counted((0, 0), (10, 310), (20, 620))
    assert pace.told(836) == "620 of 836 (74 %), 31/s, about 6 s left"


def test_no_end_is_made_up_before_anything_has_moved() -> None:
    pace, _ = counted((0, 0), (20, 0), (600, 0))
    assert pace.told(836) == "0 of 836 (0 %)"


def test_no_rate_is_told_of_some_seconds_alone() -> None:
    pace, _ = counted((0, 0), (4, 400))
    assert pace.told(836) == "400 of 836 (47 %)"


def test_without_a_total_there_is_no_end() -> None:
    pace, _ = counted((0, 1000), (10, 401_000))
    assert pace.told(None) == "401,000, 40,000/s"


def test_an_estimate_is_marked_and_so_is_its_rate() -> None:
    pace, _ = counted((0, 1000), (10, 401_000))
    assert pace.told(None, about=True) == "~401,000, ~40,000/s"


def test_what_has_ended_has_nothing_left() -> None:
    pace, _ = counted((0, 0), (10, 836))
    assert pace.told(836) == "836 of 836 (100 %), 84/s"


def test_looks_that_see_nothing_new_do_not_slow_the_rate_at_once() -> None:
    pace, clock = counted((0, 0), (10, 400), (12, 400), (19, 400))
    assert pace.rate == 40
    clock.now = 1000 + 10 + 61
    assert pace.rate == pytest.approx(400 / 71)


def test_the_rate_is_that_of_the_last_minutes() -> None:
    slow = [(60.0 * minute, minute) for minute in range(60)]
    fast = [(3600 + 10.0 * step, 60 + 1000 * step) for step in range(60)]
    pace, _ = counted(*slow, *fast)
    assert pace.rate == pytest.approx(100, rel=0.05)


def test_another_count_or_one_that_begins_anew_has_no_rate_yet() -> None:
    pace, clock = counted((0, 0), (10, 400))
    pace.take("Copying, round 1", 401)
    assert pace.rate == 0
    clock.now += 10
    pace.take("Copying, round 1", 500)
    assert pace.rate > 0
    pace.take("Copying, round 1", 3)
    assert pace.rate == 0


@pytest.mark.parametrize(
    ("rate", "told"), [(41_234, "41,234/s"), (31.4, "31/s"), (2.5, "2.5/s"), (0.5, "30.0/min")]
)
def test_a_slow_rate_is_told_by_the_minute(rate: float, told: str) -> None:
    assert per_second(rate) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.2, "1 s"),
        (14.9, "14 s"),
        (119, "119 s"),
        (120, "2 min"),
        (3599, "59 min"),
        (8400, "2 h 20 min"),
        (442_800, "5 d 3 h"),
    ],
)
def test_a_time_span_has_two_units_at_most(seconds: float, told: str) -> None:
    assert duration(seconds) == told
