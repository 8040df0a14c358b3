from __future__ import annotations

import pytest

from seeder.endurance import MOST_TURNS, next_turn, wait_after
from seeder.errors import InvalidRequest
from seeder.fleet import claims
from seeder.work import LONGEST_TURN_SECONDS, SHORTEST_TURN_SECONDS, TURN_GROWTH

YEAR = 365 * 86_400
EVENTS_OF_A_CALL, EVENTS_OF_A_LOOK = 7, 9
MOST_EVENTS = 25_000
PAIR = (claims.WAIT_GROWTH, claims.FIRST_WAIT_SECONDS, claims.LONGEST_WAIT_SECONDS)
TURN = (TURN_GROWTH, SHORTEST_TURN_SECONDS, LONGEST_TURN_SECONDS)


def looks(longest: int, *how: int) -> list[int]:
    """Return the waits until so much was waited."""
    waits: list[int] = []
    while sum(waits) < longest:
        waits.append(wait_after(sum(waits), *how))
    return waits


def test_the_last_call_that_a_run_may_make_goes_on_and_the_next_is_refused_with_what_to_do() -> None:
    assert next_turn(0, "b") == 1
    assert next_turn(MOST_TURNS - 1, "b") == MOST_TURNS
    with pytest.raises(
        InvalidRequest, match=r"source: 'b' holds more keys than .* seed it by prefix, in several"
    ):
        next_turn(MOST_TURNS, "b")


@pytest.mark.parametrize("how", [PAIR, TURN])
def test_waits_of_a_day_are_as_planned_and_a_year_has_few(how: tuple[int, int, int]) -> None:
    _, shortest, longest = how
    assert looks(600, *how)[0] == shortest
    assert max(looks(86_400, *how)) == longest
    waits = looks(YEAR, *how)
    assert len(waits) < 400
    assert all(wait <= max(longest, sum(waits) / 47) for wait in waits)


def test_all_that_a_run_may_do_stays_below_the_events_of_a_history() -> None:
    listed = 2 * MOST_TURNS * EVENTS_OF_A_CALL
    waited = sum(len(looks(YEAR, *how)) for how in (PAIR, TURN)) * EVENTS_OF_A_LOOK
    assert listed + waited < 0.75 * MOST_EVENTS
