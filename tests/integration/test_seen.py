"""What a change of a bucket's rules sets going, decided once."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seeder.errors import NotYetVisible
from seeder.fleet.seen import EXPECTED_FOR, Seen
from seeder.replication import Change, Rule
from tests.servers import Server

ALL = Rule("all", "replica", "", enabled=True)
LOGS = Rule("logs", "logs-replica", "logs/", enabled=True)
_names = itertools.count()


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    return server.buckets("state")


@pytest.fixture
def seen(s3: Any) -> Seen:
    return Seen(s3, "state", f"bucket-{next(_names)}")


def runs(changes: list[Change]) -> list[dict[str, Any]]:
    return [{"rule": change.rule.id, "reason": change.reason} for change in changes]


def handle(seen: Seen, event_id: str, *rules: Rule) -> list[tuple[str, str]]:
    made = seen.decide(event_id, lambda: rules, runs)
    return [(item["rule"], item["reason"]) for item in made]


def test_where_nothing_was_seen_before_all_that_is_enabled_may_be_new(seen: Seen) -> None:
    assert handle(seen, "e1", ALL, replace(LOGS, enabled=False)) == [("all", "unknown")]


def test_a_rule_that_is_added_is_new_and_the_others_are_not(seen: Seen) -> None:
    handle(seen, "e1", ALL)
    assert handle(seen, "e2", LOGS, ALL) == [("logs", "new")]


def test_the_same_rules_again_in_another_order_or_fewer_add_nothing(seen: Seen) -> None:
    handle(seen, "e1", ALL, LOGS)
    assert handle(seen, "e2", LOGS, ALL) == []
    assert handle(seen, "e3", ALL) == []


def test_a_rule_that_was_removed_and_is_put_again_is_new(seen: Seen) -> None:
    handle(seen, "e1", ALL, LOGS)
    handle(seen, "e2", ALL)
    assert handle(seen, "e3", ALL, LOGS) == [("logs", "new")]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (replace(LOGS, enabled=False), LOGS, "enabled"),
        (LOGS, replace(LOGS, destination="other"), "destination"),
        (LOGS, replace(LOGS, prefix="lo"), "wider"),
        (replace(LOGS, tags=(("k", "v"),)), LOGS, "wider"),
    ],
)
def test_a_rule_that_replicates_more_than_before_is_seeded(
    seen: Seen, before: Rule, after: Rule, reason: str
) -> None:
    handle(seen, "e1", before)
    assert handle(seen, "e2", after) == [("logs", reason)]


def test_an_event_delivered_again_gives_the_same_runs_whatever_came_since(seen: Seen) -> None:
    first = handle(seen, "e1", ALL)
    handle(seen, "e2", LOGS)
    assert handle(seen, "e1", LOGS) == first


def test_a_rule_that_a_run_adds_itself_is_not_seeded_again(seen: Seen) -> None:
    handle(seen, "e1", ALL)
    seen.expect("logs", "run", [ALL])
    assert handle(seen, "e2", ALL, LOGS) == []
    seen.take_in([LOGS])
    assert handle(seen, "e3", ALL, LOGS) == []


def test_the_event_of_an_expected_rule_may_come_after_the_rule_was_taken_in(seen: Seen) -> None:
    seen.expect("logs", "run", [])
    seen.take_in([LOGS])
    assert handle(seen, "e1", LOGS) == []


def test_what_others_add_together_with_an_expected_rule_is_seeded(seen: Seen) -> None:
    seen.expect("logs", "run", [])
    assert handle(seen, "e1", ALL, LOGS) == [("all", "new")]


def test_a_rule_that_was_expected_and_removed_again_is_new_when_it_is_back(seen: Seen) -> None:
    seen.expect("logs", "run", [ALL])
    handle(seen, "e1", ALL, LOGS)
    handle(seen, "e2", ALL)
    assert handle(seen, "e3", ALL, LOGS) == [("logs", "new")]


def test_a_run_that_died_before_it_added_its_rule_is_not_waited_for_for_ever(s3: Any) -> None:
    clock = [datetime(2026, 1, 31, tzinfo=UTC)]
    seen = Seen(s3, "state", "expects-in-vain", now=lambda: clock[0])
    seen.expect("logs", "run", [ALL])
    clock[0] += EXPECTED_FOR + timedelta(seconds=1)
    assert handle(seen, "e1", ALL, LOGS) == [("logs", "new")]


def test_while_a_run_adds_its_rule_no_other_run_adds_one(seen: Seen) -> None:
    seen.expect("logs", "first", [])
    with pytest.raises(NotYetVisible, match="the run 'first' is adding a rule"):
        seen.expect("all", "second", [])
    seen.expect("logs", "first", [])
    seen.take_in([LOGS])
    seen.expect("all", "second", [LOGS])
    seen.expect_no_more("all")
    seen.expect("more", "third", [LOGS])


def test_rules_that_are_adopted_are_seeded_by_who_adopts_them(seen: Seen) -> None:
    seen.take_in([LOGS])
    seen.take_in([ALL])
    assert seen.rules() == [LOGS, ALL]
    assert handle(seen, "e1", ALL, LOGS) == []


def test_nothing_is_known_of_a_bucket_that_was_never_looked_at(seen: Seen) -> None:
    assert seen.rules() is None


def at_once(count: int, call: Callable[[int], list[tuple[str, str]]]) -> list[list[tuple[str, str]]]:
    together = threading.Barrier(count)

    def one(number: int) -> list[tuple[str, str]]:
        together.wait()
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_twenty_deliveries_at_once_decide_the_same_runs(seen: Seen) -> None:
    handle(seen, "e0", ALL)
    assert at_once(20, lambda _: handle(seen, "e1", ALL, LOGS)) == [[("logs", "new")]] * 20


def test_two_changes_at_once_give_what_both_added_once(seen: Seen) -> None:
    handle(seen, "e0")
    states = [(ALL,), (ALL, LOGS)]
    made = at_once(2, lambda number: handle(seen, f"e{number + 1}", *states[-1]))
    assert sorted(item for items in made for item in items) == [("all", "new"), ("logs", "new")]
