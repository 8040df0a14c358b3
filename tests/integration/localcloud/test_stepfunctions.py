"""Each gap of moto's Step Functions that `localcloud.stepfunctions` closes.

Where a test also shows moto's own behaviour (`test_moto_…`), its failure means that the gap has been closed there.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.exceptions import JsonRESTError
from moto.events.models import EventsBackend

from localcloud import execution_history, stepfunctions
from localcloud.authorization import Authorization
from localcloud.aws import client
from localcloud.clock import ScaledClock
from localcloud.patching import Patches

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = "arn:aws:iam::123456789012:role/states"


@pytest.fixture
def moto_alone() -> Iterator[None]:
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield


@pytest.fixture
def states(moto_alone: None) -> Iterator[Any]:
    patches = Patches()
    stepfunctions.install(patches, ScaledClock(1000), Authorization(enforce=False))
    yield client("stepfunctions")
    patches.undo()


def machine(states: Any, name: str, definition: dict[str, Any]) -> str:
    return str(
        states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)[
            "stateMachineArn"
        ]
    )


def run(states: Any, arn: str, document: Any = None, **given: Any) -> dict[str, Any]:
    execution = states.start_execution(stateMachineArn=arn, input=json.dumps(document or {}), **given)[
        "executionArn"
    ]
    until = time.monotonic() + 20
    while time.monotonic() < until:
        seen: dict[str, Any] = states.describe_execution(executionArn=execution)
        if seen["status"] != "RUNNING":
            return seen
        time.sleep(0.01)
    raise AssertionError("still running")


def one_state(**state: Any) -> dict[str, Any]:
    return {"StartAt": "S", "States": {"S": {"End": True, **state}}}


ECHO = one_state(
    Type="Pass", Parameters={"name.$": "$$.Execution.Name", "started.$": "$$.Execution.StartTime"}
)


def test_an_execution_without_a_name_gets_one_of_its_own(states: Any) -> None:
    arn = machine(states, "echo", ECHO)
    first, second = run(states, arn), run(states, arn)
    assert first["name"] != second["name"]
    assert json.loads(first["output"])["name"] == first["name"]


def test_moto_leaves_such_executions_nameless(moto_alone: None) -> None:
    states = client("stepfunctions")
    arn = machine(states, "pass", one_state(Type="Pass"))
    assert "name" not in run(states, arn)


def test_the_start_time_is_text(states: Any) -> None:
    started = json.loads(run(states, machine(states, "echo", ECHO))["output"])["started"]
    assert started.endswith("Z")


@pytest.mark.parametrize("name", ["a b", "a/b", "a:b", "x" * 81])
def test_a_forbidden_name_is_refused(states: Any, name: str) -> None:
    arn = machine(states, "echo", ECHO)
    with pytest.raises(ClientError, match="InvalidName"):
        states.start_execution(stateMachineArn=arn, name=name)


def test_a_name_used_by_an_ended_execution_is_refused(states: Any) -> None:
    arn = machine(states, "echo", ECHO)
    run(states, arn, name="once")
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(stateMachineArn=arn, name="once")


def test_waiting_and_retrying_take_the_clocks_time(states: Any) -> None:
    failing = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:none", "Message": "m"},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 50, "MaxAttempts": 3, "BackoffRate": 1}],
    }
    waiting = {
        "StartAt": "W",
        "States": {"W": {"Type": "Wait", "Seconds": 300, "Next": "S"}, "S": {"End": True, **failing}},
    }
    began = time.monotonic()
    assert run(states, machine(states, "slow", waiting))["status"] == "FAILED"
    assert 0.4 < time.monotonic() - began < 10


CHILD = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2"}


def test_a_nested_execution_is_started_named_and_awaited(states: Any) -> None:
    child = machine(states, "child", one_state(Type="Pass", Parameters={"got.$": "$.given"}))
    parameters = {"StateMachineArn": child, "Name": "the-child", "Input": {"given": 7}}
    ended = run(states, machine(states, "parent", one_state(**CHILD, Parameters=parameters)))
    output = json.loads(ended["output"])
    assert (output["Name"], output["Status"], output["Output"]) == ("the-child", "SUCCEEDED", {"got": 7})
    assert isinstance(output["StartDate"], int)


def test_moto_can_not_start_a_nested_execution(moto_alone: None) -> None:
    states = client("stepfunctions")
    child = machine(states, "child", one_state(Type="Pass"))
    parent = machine(states, "parent", one_state(**CHILD, Parameters={"StateMachineArn": child, "Input": {}}))
    assert run(states, parent)["status"] == "FAILED"


def test_a_nested_execution_that_fails_fails_the_task(states: Any) -> None:
    child = machine(
        states, "child", {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Mine", "Cause": "c"}}}
    )
    ended = run(states, machine(states, "parent", one_state(**CHILD, Parameters={"StateMachineArn": child})))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")


def test_a_nested_name_that_is_taken_is_an_error_that_can_be_caught(states: Any) -> None:
    child = machine(states, "child", one_state(Type="Pass"))
    run(states, child, name="taken")
    caught = {
        "StartAt": "S",
        "States": {
            "S": {
                **CHILD,
                "Parameters": {"StateMachineArn": child, "Name": "taken"},
                "Catch": [
                    {"ErrorEquals": ["StepFunctions.ExecutionAlreadyExistsException"], "Next": "Caught"}
                ],
                "End": True,
            },
            "Caught": {"Type": "Pass", "Result": {"caught": True}, "End": True},
        },
    }
    assert json.loads(run(states, machine(states, "parent", caught))["output"]) == {"caught": True}


def test_states_all_does_not_catch_a_runtime_error(states: Any) -> None:
    choice = {
        "StartAt": "S",
        "States": {
            "S": {
                "Type": "Map",
                "ItemsPath": "$.missing",
                "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}},
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
                "End": True,
            },
            "Caught": {"Type": "Pass", "Result": "caught", "End": True},
        },
    }
    ended = run(states, machine(states, "runtime", choice))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")


PUT_EVENTS = {
    "Type": "Task",
    "Resource": "arn:aws:states:::events:putEvents",
    "Parameters": {"Entries": [{"Source": "s", "DetailType": "d", "Detail": {}}]},
}


def refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let EventBridge refuse every event."""

    def refuse(*_: Any) -> Any:
        raise JsonRESTError("InternalException", "not now")

    monkeypatch.setattr(EventsBackend, "put_events", refuse)


def test_an_event_that_is_refused_can_be_caught(states: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch)
    caught = {
        "StartAt": "S",
        "States": {
            "S": {**PUT_EVENTS, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}], "End": True},
            "Caught": {"Type": "Pass", "End": True},
        },
    }
    output = json.loads(run(states, machine(states, "events", caught))["output"])
    assert output["Error"] == "EventBridge.InternalException"
    assert output["Cause"].startswith("not now (Service: EventBridge")


def test_moto_fails_the_execution_where_an_event_is_refused(
    moto_alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch)
    states = client("stepfunctions")
    assert run(states, machine(states, "events", one_state(**PUT_EVENTS)))["error"] == "States.Runtime"


ENOUGH = 60
"""Events of a history in tests; a machine of one Pass has four."""


def passes(count: int) -> dict[str, Any]:
    """A machine of so many states, whose history has two events for each, and two more."""
    states: dict[str, Any] = {f"P{n}": {"Type": "Pass", "Next": f"P{n + 1}"} for n in range(count - 1)}
    return {"StartAt": "P0", "States": states | {f"P{count - 1}": {"Type": "Pass", "End": True}}}


def ending(states: Any, definition: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a machine; return its end and its history."""
    ended = run(states, machine(states, f"history-{time.monotonic_ns()}", definition))
    pages = states.get_paginator("get_execution_history").paginate(executionArn=ended["executionArn"])
    return ended, [event for page in pages for event in page["events"]]


def test_the_last_event_that_a_history_holds_may_be_its_success(
    states: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_history, "MOST_EVENTS", ENOUGH)
    ended, events = ending(states, passes(ENOUGH // 2 - 1))
    assert (ended["status"], len(events)) == ("SUCCEEDED", ENOUGH)


MAP = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "Parameters": {},
            "ItemProcessor": passes(ENOUGH),
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
            "End": True,
        },
        "Caught": {"Type": "Succeed"},
    },
}


@pytest.mark.parametrize("definition", [passes(ENOUGH // 2), MAP])
def test_an_execution_with_more_events_fails_and_nothing_catches_it(
    states: Any, monkeypatch: pytest.MonkeyPatch, definition: dict[str, Any]
) -> None:
    monkeypatch.setattr(execution_history, "MOST_EVENTS", ENOUGH)
    arn = machine(states, f"history-{time.monotonic_ns()}", definition)
    ended = run(states, arn, {"items": [1, 2]})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert ended["cause"] == f"The execution reached the maximum number of history events ({ENOUGH})."
    pages = states.get_paginator("get_execution_history").paginate(executionArn=ended["executionArn"])
    events = [event for page in pages for event in page["events"]]
    assert (len(events), events[-1]["type"]) == (ENOUGH, "ExecutionFailed")


@pytest.mark.parametrize(
    "definition",
    [
        {"QueryLanguage": "JSONata", **one_state(Type="Pass")},
        one_state(
            Type="Map",
            ItemProcessor={
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "P",
                "States": {"P": {"Type": "Pass", "End": True}},
            },
        ),
    ],
)
def test_what_would_run_wrongly_is_refused(states: Any, definition: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="not supported by the local cloud"):
        machine(states, "unsupported", definition)
