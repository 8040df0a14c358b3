"""How long a run was in each of its states, from the events of its history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any


def seconds_by_state(events: Iterable[Any], until: str) -> dict[str, float]:
    """Return seconds by state, up to `until` (ISO 8601); `events` as GetExecutionHistory returns them, in order.

    A state that was entered several times has its times added. What follows `until` is not counted.
    """
    entered = [
        (event["stateEnteredEventDetails"]["name"], event["timestamp"])
        for event in events
        if "stateEnteredEventDetails" in event
    ]
    end = datetime.fromisoformat(until)
    spent: dict[str, float] = defaultdict(float)
    for (name, began), (_, ended) in zip(entered, [*entered[1:], ("", end)], strict=False):
        spent[name] += max((min(ended, end) - began).total_seconds(), 0)
    return {name: round(seconds, 3) for name, seconds in spent.items()}
