"""The interpreter of state machines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seeder_cli.here.definition import UnsupportedDefinition
from seeder_cli.here.execution import Execution
from seeder_cli.here.machine import Machine, Resource, StateError


def ended(
    states: dict[str, Any], document: Any = None, sleeps: list[float] | None = None, **resources: Resource
) -> Execution:
    """Run a machine that starts at `S`."""
    execution = Execution("here:host:1:2:run", "run", document if document is not None else {})
    machine = Machine(
        {"StartAt": "S", "States": states},
        resources,
        sleep=(sleeps if sleeps is not None else []).append,
        jitter=lambda least, most: most / 2,
    )
    machine.run(execution)
    return execution


def output(execution: Execution) -> Any:
    told = execution.describe()
    assert told["status"] == "SUCCEEDED", told
    return json.loads(told["output"])


def end(**state: Any) -> dict[str, Any]:
    return {"S": {"End": True, **state}}


def failing(times: int, name: str = "Throttled") -> Resource:
    left = [times]

    def call(given: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise StateError(name, "slowly")
        return "done"

    return call


def echo(given: Any) -> Any:
    return given


def test_parameters_are_filled_from_input_and_context() -> None:
    state = end(
        Type="Task",
        Resource="echo",
        Parameters={
            "run.$": "$$.Execution.Name",
            "id.$": "$$.Execution.Id",
            "deep": [{"of.$": "$.a.b"}, 7],
            "text.$": "States.JsonToString($.a)",
            "parsed.$": "States.StringToJson($.json)",
            "all.$": "$",
        },
    )
    document = {"a": {"b": "é"}, "json": '{"x": 1}'}
    assert output(ended(state, document, echo=echo)) == {
        "run": "run",
        "id": "here:host:1:2:run",
        "deep": [{"of": "é"}, 7],
        "text": '{"b":"é"}',
        "parsed": {"x": 1},
        "all": document,
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", "result"),
        ("$.a", {"a": "result", "c": 2}),
        ("$.a.b", {"a": {"b": "result"}, "c": 2}),
        ("$.new.deep", {"a": 1, "c": 2, "new": {"deep": "result"}}),
        (None, {"a": 1, "c": 2}),
    ],
)
def test_a_result_goes_where_its_path_says(path: str | None, expected: Any) -> None:
    states = end(Type="Pass", Result="result", ResultPath=path)
    assert output(ended(states, {"a": 1, "c": 2})) == expected


def test_a_retrier_waits_longer_each_time_up_to_its_most_with_jitter() -> None:
    sleeps: list[float] = []
    retry = {"ErrorEquals": ["Throttled"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxDelaySeconds": 10}
    states = end(Type="Task", Resource="work", Retry=[{**retry, "MaxAttempts": 4}])
    assert output(ended(states, sleeps=sleeps, work=failing(4))) == "done"
    assert sleeps == [2, 6, 10, 10]
    sleeps.clear()
    states = end(Type="Task", Resource="work", Retry=[{**retry, "JitterStrategy": "FULL"}])
    ended(states, sleeps=sleeps, work=failing(2))
    assert sleeps == [1, 3]


def test_attempts_are_counted_for_each_retrier_and_spent_ones_fail() -> None:
    errors = iter(["A", "B", "A", "B"])

    def call(given: Any) -> Any:
        raise StateError(next(errors), "")

    retries = [{"ErrorEquals": ["A"], "MaxAttempts": 2}, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    execution = ended(end(Type="Task", Resource="work", Retry=retries), work=call)
    assert (execution.status, execution.describe()["error"]) == ("FAILED", "B")
    assert next(errors, None) is None


def test_the_first_catcher_that_fits_takes_an_error_with_the_input() -> None:
    states = {
        "S": {
            "Type": "Task",
            "Resource": "work",
            "Catch": [
                {"ErrorEquals": ["Other"], "Next": "Wrong"},
                {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Right"},
            ],
            "End": True,
        },
        "Wrong": {"Type": "Fail"},
        "Right": {"Type": "Succeed"},
    }
    caught = output(ended(states, {"a": 1}, work=failing(1, "Mine")))
    assert caught == {"a": 1, "error": {"Error": "Mine", "Cause": "slowly"}}


def test_states_all_does_not_catch_what_it_must_not() -> None:
    states = {
        "S": {
            "Type": "Task",
            "Resource": "work",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
            "End": True,
        },
        "Caught": {"Type": "Succeed"},
    }
    assert ended(states, work=failing(1, "States.DataLimitExceeded")).status == "FAILED"
    assert ended(states, work=failing(1, "Anything")).status == "SUCCEEDED"


def test_an_exception_of_a_resource_is_an_error_of_its_name() -> None:
    def work(given: Any) -> Any:
        raise KeyError("key")

    told = ended(end(Type="Task", Resource="work"), work=work).describe()
    assert (told["status"], told["error"], told["cause"]) == ("FAILED", "KeyError", "'key'")


@pytest.mark.parametrize(
    ("rule", "value", "chosen"),
    [
        ({"StringEquals": "a"}, "a", True),
        ({"StringEquals": "1"}, 1, False),
        ({"NumericGreaterThan": 0}, 1, True),
        ({"NumericGreaterThan": 0}, 0, False),
        ({"NumericGreaterThan": 0}, True, False),
        ({"NumericLessThanEquals": 2}, 2.0, True),
        ({"BooleanEquals": False}, False, True),
        ({"BooleanEquals": False}, 0, False),
    ],
)
def test_a_choice_compares_values_of_its_own_type(rule: dict[str, Any], value: Any, chosen: bool) -> None:
    states = {
        "S": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.value", **rule, "Next": "Yes"}],
            "Default": "No",
        },
        "Yes": {"Type": "Pass", "Result": True, "End": True},
        "No": {"Type": "Pass", "Result": False, "End": True},
    }
    assert output(ended(states, {"value": value})) is chosen


def test_a_choice_without_a_match_and_a_path_to_nothing_end_the_execution() -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.value", "StringEquals": "a", "Next": "S"}]}
    assert ended({"S": choice}, {"value": "b"}).describe()["error"] == "States.NoChoiceMatched"
    assert ended({"S": choice}, {}).describe()["error"] == "States.Runtime"


def test_a_wait_takes_its_seconds_from_the_document() -> None:
    sleeps: list[float] = []
    ended(end(Type="Wait", SecondsPath="$.wait"), {"wait": 42}, sleeps)
    ended(end(Type="Wait", Seconds=7), {}, sleeps)
    assert sleeps == [42, 7]
    assert ended(end(Type="Wait", SecondsPath="$.wait"), {"wait": "long"}).status == "FAILED"


def test_a_failure_says_what_its_paths_name() -> None:
    states = {"S": {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "$.c"}}
    told = ended(states, {"e": "Mine", "c": "why"}).describe()
    assert (told["error"], told["cause"]) == ("Mine", "why")


def test_an_interruption_strikes_before_an_attempt_but_not_where_catchers_lead() -> None:
    struck = [True]

    def strike(document: Any) -> None:
        if struck.pop():
            raise StateError("Interrupted", "now")

    states = {
        "S": {
            "Type": "Task",
            "Resource": "work",
            "Retry": [{"ErrorEquals": ["States.ALL"]}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Rescue"}],
            "End": True,
        },
        "Rescue": {
            "Type": "Task",
            "Resource": "work",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Rescue"}],
            "End": True,
        },
    }
    execution = Execution("arn", "run", {"a": 1})
    called: list[Any] = []

    def work(given: Any) -> Any:
        called.append(given)
        return given

    Machine({"StartAt": "S", "States": states}, {"work": work}, sleep=called.append, before_task=strike).run(
        execution
    )
    expected = {"a": 1, "error": {"Error": "Interrupted", "Cause": "now"}}
    assert (output(execution), called) == (expected, [expected])


TASK = {"Type": "Task", "Resource": "work", "End": True}


@pytest.mark.parametrize(
    ("states", "problem"),
    [
        ({"S": {"Type": "Map", "End": True}}, "S: the type Map is not known"),
        ({"S": {**TASK, "Resource": "other"}}, "the resource other is not known"),
        ({"S": {**TASK, "TimeoutSeconds": 3}}, "the field TimeoutSeconds of the state is not known"),
        ({"S": {**TASK, "Next": "S"}}, "either Next or End"),
        ({"S": {"Type": "Pass", "Next": "T"}}, "there is no state T"),
        ({"S": {**TASK, "Parameters": {"a": {"b.$": "$.c[0]"}}}}, "b.$: '$.c[0]' is neither a path"),
        ({"S": {**TASK, "Parameters": {"b.$": "States.UUID()"}}}, "nor a known intrinsic function"),
        ({"S": {**TASK, "ResultPath": "$['a']"}}, "is not a path of names"),
        ({"S": {**TASK, "Retry": [{"ErrorEquals": ["A"], "JitterStrategy": "HALF"}]}}, "jitter HALF"),
        ({"S": {**TASK, "Catch": [{"ErrorEquals": ["A"], "Next": "T"}]}}, "there is no state T"),
        ({"S": {**TASK, "Catch": [{"ErrorEquals": ["A"], "Next": "S", "Assign": {}}]}}, "Assign of Catch"),
        ({"S": {"Type": "Wait", "Timestamp": "x", "End": True}}, "Timestamp of the state"),
        (
            {"S": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "S"}]}},
            "not by ['IsPresent']",
        ),
        ({"S": {"Type": "Choice", "Choices": [{"And": [], "Next": "S"}]}}, "not by ['And']"),
    ],
)
def test_what_it_does_not_know_is_refused_when_it_is_loaded(states: dict[str, Any], problem: str) -> None:
    with pytest.raises(UnsupportedDefinition) as refused:
        Machine({"StartAt": "S", "States": states}, {"work": echo}, sleep=lambda seconds: None)
    assert problem in str(refused.value)


def test_a_machine_of_another_language_is_refused() -> None:
    definition = {"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": TASK}}
    with pytest.raises(UnsupportedDefinition, match="QueryLanguage"):
        Machine(definition, {"work": echo}, sleep=lambda seconds: None)


def test_the_history_tells_states_attempts_and_times() -> None:
    retry = [{"ErrorEquals": ["Throttled"]}]
    states = {
        "S": {"Type": "Task", "Resource": "work", "Retry": retry, "Next": "E"},
        "E": {"Type": "Succeed"},
    }
    events = ended(states, {"a": 1}, work=failing(1)).events
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionFailed",
        "LambdaFunctionScheduled",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "SucceedStateEntered",
        "SucceedStateExited",
        "ExecutionSucceeded",
    ]
    assert [(event["id"], event["previousEventId"]) for event in events[:3]] == [(1, 0), (2, 1), (3, 2)]
    assert events[1]["stateEnteredEventDetails"] == {"name": "S", "input": '{"a": 1}'}
    assert events[6]["stateExitedEventDetails"] == {"name": "S", "output": '"done"'}
    assert events[3]["lambdaFunctionFailedEventDetails"] == {"error": "Throttled", "cause": "slowly"}
