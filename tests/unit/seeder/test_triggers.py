from __future__ import annotations

import json
from typing import Any, cast

import pytest

from seeder.clients import Clients
from seeder.errors import InvalidRequest
from seeder.triggers import Pair
from seeder.triggers import resolve as resolve_with

# Step Functions developer guide, "Service quotas".
MOST_STATE_BYTES = 256 * 1024
NO_CLIENTS = cast("Clients", None)
PAIR = {"source": "source", "destination": "destination"}


def resolve(trigger: Any, execution_id: str, clients: Clients) -> list[Pair]:
    return resolve_with(trigger, execution_id, clients, "state")


def test_an_input_by_hand_is_one_run_named_after_its_execution() -> None:
    (first,), (again,), (other,) = (resolve(PAIR, name, NO_CLIENTS) for name in ("one", "one", "two"))
    assert first.run_id == again.run_id != other.run_id
    assert first.run_id.startswith("manual-source-to-destination-")


def test_a_list_is_one_run_for_each_pair_and_a_repeated_pair_is_one() -> None:
    pairs = resolve({"pairs": [PAIR, PAIR, PAIR | {"prefix": "p/"}]}, "x", NO_CLIENTS)
    assert [pair.request.get("prefix", "") for pair in pairs] == ["", "p/"]
    assert len({pair.run_id for pair in pairs}) == 2


def test_the_largest_fleet_passes_through_the_states_of_an_execution() -> None:
    names = [f"{number:03}{'n' * 60}" for number in range(500)]
    filled = [{"source": name, "destination": name[::-1], "prefix": "p" * 120} for name in names]
    pairs = resolve({"pairs": filled}, "x", NO_CLIENTS)
    resolved = {"pairs": [pair.model_dump() for pair in pairs], "count": len(pairs)}
    longest = {"state": "Complete", "error": "StepFunctions.ExecutionLimitExceededException"}
    ended = [
        {"run_id": pair.run_id, "source": pair.request["source"], "destination": pair.request["source"]}
        | longest
        for pair in pairs
    ]
    assert len(json.dumps(resolved)) < MOST_STATE_BYTES
    assert len(json.dumps({"runs": ended})) < MOST_STATE_BYTES


def test_run_ids_suit_step_functions() -> None:
    long = {"source": "a" * 63, "destination": "b" * 63}
    (pair,) = resolve({"pairs": [long], "trigger": "schedule"}, "x", NO_CLIENTS)
    assert len(pair.run_id) <= 80


@pytest.mark.parametrize(
    ("trigger", "field"),
    [
        (7, "input"),
        ({"pairs": {}}, "pairs"),
        ({}, "pairs"),
        ({"pairs": [], "parallel": 3}, "parallel"),
        ({"pairs": [], "csv": "s3://bucket/pairs.csv"}, "csv"),
        ({"buckets": "app-*", "destination": "one-for-all"}, "destination"),
        ({"csv": "pairs.csv"}, "csv"),
        ({"registry": {"name": "app-*"}}, "registry.name"),
        ({"registry": {"tags": ["team"]}}, "registry.tags"),
        ({"rules": "app-*"}, "rules"),
        ({"pairs": [PAIR], "options": {"prefx": "a"}}, "pairs[0].prefx"),
        ({"pairs": [PAIR] * 2 + [PAIR | {"prefix": str(n)} for n in range(500)]}, "pairs"),
        ({"pairs": [PAIR, 7]}, "pairs[1].input"),
        ({"pairs": [{"source": "abc"}]}, "pairs[0].destination"),
        ({"detail": None}, "detail.eventName"),
        ({"detail": {"eventName": "PutBucketReplication", "errorCode": "X"}}, "detail.errorCode"),
        ({"detail": {"eventName": "PutBucketReplication"}}, "detail.eventID"),
    ],
)
def test_a_wrong_trigger_names_its_field(trigger: Any, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        resolve(trigger, "x", NO_CLIENTS)
    assert caught.value.field == field


def test_what_a_pair_says_itself_goes_before_what_the_fleet_says_of_all() -> None:
    trigger = {"pairs": [PAIR, PAIR | {"prefix": "own/"}], "options": {"prefix": "all/", "rounds": 1}}
    pairs = resolve(trigger, "x", NO_CLIENTS)
    assert [(pair.request["prefix"], pair.request["rounds"]) for pair in pairs] == [("all/", 1), ("own/", 1)]


def test_a_fleets_pairs_are_skipped_where_another_run_has_them_unless_they_say_otherwise() -> None:
    pairs = resolve({"pairs": [PAIR, PAIR | {"overlap": "wait"}]}, "x", NO_CLIENTS)
    assert [pair.request["overlap"] for pair in pairs] == ["skip", "wait"]


def test_the_schedule_compares_first_and_a_list_by_hand_does_not() -> None:
    (scheduled,) = resolve({"pairs": [PAIR], "trigger": "schedule"}, "x", NO_CLIENTS)
    (by_hand,) = resolve({"pairs": [PAIR]}, "x", NO_CLIENTS)
    assert scheduled.request["resync"]
    assert "resync" not in by_hand.request
