from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from seeder_cli.history import History, Passage
from tests.unit.seeder_cli.following import States, entered, job, left

ARN = "arn:aws:states:us-east-1:123456789012:execution:seeder-seed:my-run"


def names(events: list[Any]) -> list[str]:
    return [event["stateEnteredEventDetails"]["name"] for event in events]


@pytest.mark.parametrize("reverses", [True, False])
def test_each_event_is_read_once_and_in_order(reverses: bool) -> None:
    script = [[entered(f"{look}-{n}") for n in range(5)] for look in range(4)]
    states: Any = States([*script, []], reverses)
    history = History(states, ARN)
    for look in script:
        states.describe_execution(ARN)
        assert names(history.fresh()) == names(look)
    assert history.fresh() == []


def test_a_look_at_a_long_history_takes_one_request() -> None:
    states: Any = States([[entered(str(n)) for n in range(100)], [entered("new")], []])
    history = History(states, ARN)
    history.fresh()
    states.describe_execution(ARN)
    states.describe_execution(ARN)
    states.calls.clear()
    assert names(history.fresh()) == ["new"]
    assert states.calls["history"] == 1


def test_a_call_that_fails_on_the_way_loses_no_event() -> None:
    states: Any = States([[entered(str(n)) for n in range(10)], []])
    history = History(states, ARN)
    real, calls = states.get_execution_history, 0

    def failing(**asked: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "GetExecutionHistory")
        return real(**asked)

    states.get_execution_history = failing
    with pytest.raises(ClientError):
        history.fresh()
    assert names(history.fresh()) == [str(n) for n in range(10)]


def test_a_passage_holds_what_all_states_have_put_together() -> None:
    passage = Passage()
    for event in (
        entered("ResolveRequest", source="src", destination="dst"),
        left("ResolveRequest", run={"run_id": "r"}),
        {"type": "LambdaFunctionScheduled"},
        entered("PlanJobs", run={"run_id": "r"}, manifest={"count": 1}),
        left("PlanJobs", run={"run_id": "r"}, manifest={"count": 1}, work={"jobs": [job()]}),
        entered("AwaitJob", run={"run_id": "r"}),
    ):
        passage.take(event)
    assert passage.state == "AwaitJob"
    assert passage.run == {"run_id": "r"}
    assert passage.job == job()
    assert passage.stages["manifest"] == {"count": 1}


@pytest.mark.parametrize("over", [job(finished=True), job(id="")])
def test_a_job_that_is_not_created_or_has_ended_is_not_looked_at(over: dict[str, Any]) -> None:
    assert Passage("AwaitJob", {"work": {"jobs": [over]}}).job is None
