from __future__ import annotations

from datetime import UTC, datetime

from seeder.timeline import seconds_by_state


def entered(name: str, second: int) -> dict[str, object]:
    return {
        "timestamp": datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC),
        "stateEnteredEventDetails": {"name": name},
    }


def test_times_of_a_state_are_added_and_end_with_the_history() -> None:
    events = [
        entered("List", 0),
        {"timestamp": None},
        entered("Wait", 10),
        entered("List", 15),
        entered("Record", 20),
    ]
    assert seconds_by_state(events, "2026-01-01T00:00:30.500000+00:00") == {
        "List": 15,
        "Wait": 5,
        "Record": 10.5,
    }


def test_what_is_later_than_the_end_is_not_counted() -> None:
    assert seconds_by_state([entered("A", 5), entered("B", 9)], "2026-01-01T00:00:07Z") == {"A": 2, "B": 0}
