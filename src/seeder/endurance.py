"""How a run ends with a reason before its execution has too many events, however much it lists or long it waits.

Contract: Step Functions developer guide, "Service quotas" (25,000 events, a year), "Avoid reaching the history quota".
A call of a function has seven events with the choice after it, a look at what is waited for nine.
"""

from __future__ import annotations

from seeder.errors import InvalidRequest

# Of the functions that list the source, and of those that compare the buckets: 8 days of listing each.
MOST_TURNS = 800
# What was waited for so long is waited for a 48th longer: a year is over after some 250 looks more.
SHARE = 48


def next_turn(turns: int, bucket: str) -> int:
    """Return how often a function was called, this call included, which goes on with a bucket after `turns` others.

    Raises InvalidRequest where the bucket holds more than one run can list.
    """
    if turns < MOST_TURNS:
        return turns + 1
    problem = f"'{bucket}' holds more keys than one run can list, in {MOST_TURNS} calls of a function"
    raise InvalidRequest("source", f"{problem}; seed it by prefix, in several runs")


def wait_after(waited: int, growth: int, shortest: int, longest: int) -> int:
    """Return the seconds to wait after `waited`: that by `growth`, between two bounds, but a 48th of it at least."""
    return max(min(max(waited // growth, shortest), longest), waited // SHARE)
