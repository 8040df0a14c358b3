from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seeder.jobs import LONGEST_LOOK_SECONDS, SHORTEST_LOOK_SECONDS, next_look, request_token


def test_the_token_is_derived_from_run_manifest_operation_and_round() -> None:
    token = request_token("run", '"etag"', "copy", 0)
    assert token == request_token("run", "etag", "copy", 0)
    assert 1 <= len(token) <= 64
    others = [
        ("run2", "etag", "copy", 0),
        ("run", "etag2", "copy", 0),
        ("run", "etag", "x", 0),
        ("run", "etag", "copy", 1),
    ]
    assert len({token, *(request_token(*other) for other in others)}) == 5


def test_a_look_is_planned_for_a_third_of_what_remains() -> None:
    assert next_look(elapsed=900, done=100, total=400) == 900
    assert next_look(elapsed=1, done=1, total=1) == SHORTEST_LOOK_SECONDS
    assert next_look(elapsed=90_000, done=1, total=400) == LONGEST_LOOK_SECONDS
    assert next_look(elapsed=600, done=0, total=0) == 200


@given(st.floats(0, 1e8), st.integers(0, 10**10), st.integers(0, 10**10))
def test_a_look_is_never_sooner_than_allowed_nor_later_than_an_hour(
    elapsed: float, done: int, total: int
) -> None:
    assert SHORTEST_LOOK_SECONDS <= next_look(elapsed, min(done, total), total) <= LONGEST_LOOK_SECONDS


def test_a_job_of_thirty_days_is_looked_at_seldom() -> None:
    length, now, looks = 30 * 86400, 30, 0
    while now < length:
        now += next_look(now, now, length)
        looks += 1
    assert looks < 800
