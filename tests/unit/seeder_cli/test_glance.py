"""What executions tell of pairs, from the answers of Step Functions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from seeder.fleet.overview import Sighting
from seeder.fleet.pairs import Known, LastRun
from seeder_cli.glance import Executions

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
SEED, FLEET = "arn:aws:states:us-east-1:1:stateMachine:seed", "arn:aws:states:us-east-1:1:stateMachine:fleet"


class States:
    """Answers as Step Functions does, in pages of two, and counts the calls."""

    def __init__(self) -> None:
        self.executions: dict[str, list[dict[str, Any]]] = {SEED: [], FLEET: []}
        self.described: dict[str, dict[str, Any]] = {}
        self.histories: dict[str, list[dict[str, Any]]] = {}
        self.calls: Counter[str] = Counter()

    def add(
        self, name: str, status: str = "RUNNING", machine: str = SEED, minutes: int = 1, **told: Any
    ) -> str:
        arn = f"{machine.replace('stateMachine', 'execution')}:{name}"
        began = NOW - timedelta(minutes=minutes)
        item = {"executionArn": arn, "name": name, "status": status, "startDate": began}
        self.executions[machine].append(item)
        self.executions[machine].sort(key=lambda each: each["startDate"], reverse=True)
        pair = {"source": name, "destination": "replica"}
        self.described[arn] = {"status": status, "input": json.dumps(pair), **told}
        return arn

    def get_paginator(self, operation: str) -> Any:
        return _Pages(self, operation)

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        self.calls["describe_execution"] += 1
        return self.described[executionArn]


class _Pages:
    def __init__(self, states: States, operation: str) -> None:
        self._states, self._operation = states, operation

    def paginate(self, PaginationConfig: Any, **asked: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        if self._operation == "get_execution_history":
            name, items = "events", self._states.histories.get(asked["executionArn"], [])
        else:
            wanted = asked.get("statusFilter")
            everything = self._states.executions[asked["stateMachineArn"]]
            name, items = "executions", [item for item in everything if wanted in (None, item["status"])]
        for at in range(0, max(len(items), 1), 2):
            self._states.calls[self._operation] += 1
            yield {name: items[at : at + 2]}


def resolved(*pairs: str) -> list[dict[str, Any]]:
    asked = [{"run_id": pair, "request": {"source": pair, "destination": "replica"}} for pair in pairs]
    output = json.dumps({"pairs": asked, "count": len(asked)})
    return [{}, {"stateExitedEventDetails": {"name": "ResolvePairs", "output": output}}]


def known(run_id: str) -> Known:
    return Known(request={"source": "x", "destination": "y"}, last_run=LastRun(run_id=run_id, state="Failed"))


def executions(states: States) -> Executions:
    return Executions(cast(Any, states), SEED, FLEET, now=lambda: NOW)


def look(looking: Executions, *recorded: str) -> list[Sighting]:
    return looking.seen(looking.listed(), [known(run_id) for run_id in recorded])


def told(sightings: list[Sighting]) -> dict[str, str]:
    return {item.run_id: item.state for item in sightings}


def test_a_run_that_goes_on_is_read_once() -> None:
    states = States()
    states.add("a")
    looking = executions(states)
    for _ in range(3):
        (seen,) = look(looking)
    assert seen == Sighting(
        "a", {"source": "a", "destination": "replica"}, "Running", "2026-01-31T11:59:00.000Z"
    )
    assert states.calls["describe_execution"] == 1


def test_an_idle_look_makes_three_calls() -> None:
    states = States()
    look(executions(states))
    assert states.calls == {"list_executions": 3}


def test_the_pairs_of_a_fleet_that_have_not_begun_wait_and_those_that_have_are_not_described() -> None:
    states = States()
    fleet = states.add("fleet", machine=FLEET, minutes=9)
    states.histories[fleet] = resolved("ended", "begun", "waits", "recorded")
    states.add("ended", "SUCCEEDED", minutes=8)
    states.add("begun", minutes=7)
    looking = executions(states)
    for _ in range(2):
        assert told(look(looking, "recorded")) == {"begun": "Running", "waits": "Waiting"}
    assert states.calls["describe_execution"] == 0
    assert states.calls["get_execution_history"] == 1


def test_a_fleet_that_has_not_resolved_its_pairs_is_asked_again() -> None:
    states = States()
    fleet = states.add("fleet", machine=FLEET)
    looking = executions(states)
    assert look(looking) == []
    states.histories[fleet] = resolved("a")
    assert told(look(looking)) == {"a": "Waiting"}


def test_runs_are_listed_back_to_the_oldest_fleet_that_goes_on() -> None:
    states = States()
    fleet = states.add("fleet", machine=FLEET, minutes=50)
    names = [f"run-{number}" for number in range(7)]
    states.histories[fleet] = resolved(*names)
    for number, name in enumerate(names[:6]):
        states.add(name, "SUCCEEDED", minutes=49 - number)
    assert told(look(executions(states))) == {"run-6": "Waiting"}


def test_a_run_that_failed_without_a_record_says_why() -> None:
    states = States()
    ended = NOW - timedelta(seconds=30)
    states.add("refused", "FAILED", error="InvalidRequest", cause="source: no such bucket", stopDate=ended)
    states.add("stopped", "ABORTED", stopDate=ended)
    found = {item.run_id: (item.state, item.at, item.cause) for item in look(executions(states))}
    assert found == {
        "refused": ("Failed", "2026-01-31T11:59:30.000Z", "source: no such bucket"),
        "stopped": ("Failed", "2026-01-31T11:59:30.000Z", "the execution was stopped and left no record"),
    }


def test_a_run_that_failed_long_ago_without_a_record_is_not_read_again() -> None:
    states = States()
    states.add("old", "FAILED", minutes=60 * 24 * 8)
    assert look(executions(states)) == []
    assert states.calls["describe_execution"] == 0


def test_a_run_that_failed_is_not_told_of_if_it_is_recorded_or_never_had_its_pair() -> None:
    states = States()
    states.add("recorded", "FAILED")
    states.add("busy", "FAILED", error="PairBusy", cause="the run 'x' is seeding 'y'")
    looking = executions(states)
    assert look(looking, "recorded") == []
    assert look(looking, "recorded") == []
    assert states.calls["describe_execution"] == 1


def test_a_run_that_was_seen_going_on_is_read_again_when_it_has_failed() -> None:
    states = States()
    arn = states.add("a")
    looking = executions(states)
    assert told(look(looking)) == {"a": "Running"}
    states.executions[SEED][0]["status"] = "FAILED"
    states.described[arn] |= {"status": "FAILED", "cause": "why"}
    assert [item.cause for item in look(looking)] == ["why"]
