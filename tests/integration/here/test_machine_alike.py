"""The same machine and the same results of its tasks, by the interpreter of `--here` and by moto's: one path."""

from __future__ import annotations

import copy
import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from moto.awslambda.models import LambdaFunction

from localcloud import stepfunctions
from localcloud.authorization import Authorization
from localcloud.aws import client
from localcloud.clock import ScaledClock
from localcloud.patching import Patches
from seeder_cli.here.application import load
from seeder_cli.here.execution import Execution
from seeder_cli.here.machine import Machine, StateError
from seeder_cli.project import application_folder

SPEED = 100_000
NOTICES = ("arn:aws:states:::sns:publish", "arn:aws:states:::events:putEvents")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}

Results = dict[str, list[Any]]


class Fails(Exception):
    """What a task raises, recorded."""

    def __init__(self, name: str, message: str = "why") -> None:
        super().__init__(message)
        self.document = {"errorMessage": message, "errorType": name}


class Recorded:
    """Recorded results of functions by their names, given in turn; the last one stays."""

    def __init__(self, results: Results) -> None:
        self._results = copy.deepcopy(results)
        self.inputs: list[tuple[str, Any]] = []

    def give(self, name: str, given: Any) -> Any:
        self.inputs.append((name, given))
        left = self._results[name]
        result = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(result, Fails):
            raise result
        return result


class Ended(dict[str, Any]):
    """How an execution ended: status, output, error, the cause's message, and the states it entered."""


@pytest.fixture(scope="module")
def moto_cloud() -> Iterator[Any]:
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        patches = Patches()
        stepfunctions.install(patches, ScaledClock(SPEED), Authorization(enforce=False))
        yield patches
        patches.undo()


def by_moto(
    patches: Patches, definition: dict[str, Any], document: Any, results: Results
) -> tuple[Ended, Any]:
    recorded = Recorded(results)

    def invoke(function: Any, event: Any = None) -> tuple[str, bool, str]:
        try:
            return json.dumps(recorded.give(function.function_name, event)), False, ""
        except Fails as error:
            return json.dumps(error.document), True, ""

    patches.replace(LambdaFunction, "_invoke_lambda", invoke)
    topic = client("sns").create_topic(Name="topic")["TopicArn"]
    placed = _placed(definition, {name: _function(name) for name in results} | {"Topic": topic})
    states = client("stepfunctions")
    name = f"machine-{time.monotonic_ns()}"
    role = "arn:aws:iam::123456789012:role/states"
    arn = states.create_state_machine(name=name, definition=json.dumps(placed), roleArn=role)[
        "stateMachineArn"
    ]
    execution = states.start_execution(stateMachineArn=arn, name="run", input=json.dumps(document))
    until = time.monotonic() + 30
    while (seen := states.describe_execution(executionArn=execution["executionArn"]))["status"] == "RUNNING":
        assert time.monotonic() < until
        time.sleep(0.02)
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution["executionArn"])
    return _ended(dict(seen), [event for page in pages for event in page["events"]]), recorded.inputs


def by_here(definition: dict[str, Any], document: Any, results: Results) -> tuple[Ended, Any]:
    recorded = Recorded(results)

    def resource(name: str) -> Any:
        def call(given: Any) -> Any:
            try:
                return recorded.give(name, given)
            except Fails as error:
                raise StateError(error.document["errorType"], json.dumps(error.document)) from error

        return call

    resources = {name: resource(name) for name in results} | dict.fromkeys(NOTICES, lambda given: {})
    execution = Execution("here:host:1:2:run", "run", document)
    Machine(definition, resources, sleep=lambda seconds: None).run(execution)
    return _ended(execution.describe(), execution.events), recorded.inputs


def alike(patches: Patches, definition: dict[str, Any], document: Any, results: Results) -> Ended:
    """Run both; return how both ended."""
    (theirs, their_inputs), (ours, our_inputs) = (
        by_moto(patches, definition, document, results),
        by_here(definition, document, results),
    )
    assert ours["entered"] == theirs["entered"]
    assert ours == theirs
    assert [_timeless(given) for _, given in our_inputs] == [_timeless(given) for _, given in their_inputs]
    return ours


def _placed(definition: Any, arns: dict[str, str]) -> Any:
    """Return a definition whose resources are ARNs instead of names."""
    if isinstance(definition, list):
        return [_placed(member, arns) for member in definition]
    if not isinstance(definition, dict):
        return definition
    return {
        name: arns.get(member, member) if name in {"Resource", "TopicArn"} else _placed(member, arns)
        for name, member in definition.items()
    }


def _function(name: str) -> str:
    functions, iam = client("lambda"), client("iam")
    if name not in {each["FunctionName"] for each in functions.list_functions(MaxItems=100)["Functions"]}:
        if "functions" not in {role["RoleName"] for role in iam.list_roles()["Roles"]}:
            iam.create_role(RoleName="functions", AssumeRolePolicyDocument=json.dumps(TRUST))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("app.py", "")
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role="arn:aws:iam::123456789012:role/functions",
            Handler="app.handler",
            Code={"ZipFile": packed.getvalue()},
        )
    return str(functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"])


def _ended(seen: dict[str, Any], events: list[Any]) -> Ended:
    entered = [
        event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event
    ]
    return Ended(
        status=seen["status"],
        output=_timeless(json.loads(seen.get("output") or "null")),
        error=seen.get("error", ""),
        cause=_message(seen.get("cause", "")),
        entered=entered,
    )


def _message(cause: str) -> str:
    try:
        return str(json.loads(cause)["errorMessage"])
    except ValueError:
        return cause


def _timeless(value: Any) -> Any:
    """Leave out what no two executions have in common; a cause is told by its message."""
    if not isinstance(value, dict):
        return value
    told = {name: _timeless(member) for name, member in value.items()}
    told |= {name: "" for name in ("started_at", "ended_at", "execution") if name in told}
    return told | ({"Cause": _message(told["Cause"])} if "Cause" in told else {})


TASK = {"Type": "Task", "Resource": "Work"}
CATCH = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}]
CAUGHT = {"Caught": {"Type": "Succeed"}}


@pytest.mark.parametrize(
    ("states", "document", "results"),
    [
        ({"S": {**TASK, "ResultPath": "$.deep.result", "End": True}}, {"deep": {"a": 1}}, [7]),
        ({"S": {**TASK, "ResultSelector": {"of.$": "$.a", "all.$": "$"}, "End": True}}, {}, [{"a": 1}]),
        ({"S": {**TASK, "ResultPath": None, "End": True}}, {"a": 1}, [{"b": 2}]),
        (
            {
                "S": {
                    **TASK,
                    "Parameters": {"t.$": "States.JsonToString($.a)", "n": {"m.$": "$.a"}},
                    "End": True,
                }
            },
            {"a": {"b": [1, "e", None]}},
            [1],
        ),
        ({"S": {**TASK, "Catch": CATCH, "End": True}, **CAUGHT}, {"a": 1}, [Fails("Mine")]),
        ({"S": {**TASK, "End": True}}, {}, [Fails("Mine")]),
        (
            {
                "S": {
                    **TASK,
                    "Retry": [
                        {
                            "ErrorEquals": ["Throttled"],
                            "MaxAttempts": 2,
                            "MaxDelaySeconds": 3,
                            "JitterStrategy": "FULL",
                        },
                        {"ErrorEquals": ["States.ALL"], "MaxAttempts": 1},
                    ],
                    "Catch": CATCH,
                    "End": True,
                },
                **CAUGHT,
            },
            {},
            [Fails("Throttled"), Fails("Other"), Fails("Throttled"), Fails("Throttled")],
        ),
        (
            {"S": {**TASK, "Retry": [{"ErrorEquals": ["States.TaskFailed"]}], "End": True}},
            {},
            [Fails("One"), Fails("Two"), Fails("Three"), {"done": True}],
        ),
        ({"S": {"Type": "Wait", "SecondsPath": "$.seconds", "End": True}}, {"seconds": 30}, [1]),
        (
            {"S": {"Type": "Pass", "Parameters": {"a.$": "$.b"}, "ResultPath": "$.c", "End": True}},
            {"b": 1},
            [1],
        ),
        (
            {
                "S": {
                    "Type": "Choice",
                    "Choices": [
                        {"Variable": "$.n", "NumericGreaterThan": 0, "Next": "Wrong"},
                        {"Variable": "$.flag", "BooleanEquals": False, "Next": "Caught"},
                    ],
                    "Default": "Wrong",
                },
                "Wrong": {"Type": "Fail", "Error": "Wrong", "Cause": "way"},
                **CAUGHT,
            },
            {"n": 0, "flag": False},
            [1],
        ),
        ({"S": {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "$.c"}}, {"e": "Mine", "c": "why"}, [1]),
    ],
)
def test_a_small_machine_takes_the_same_path(
    moto_cloud: Any, states: dict[str, Any], document: Any, results: list[Any]
) -> None:
    alike(moto_cloud, {"StartAt": "S", "States": states}, document, {"Work": results})


RUN = {"run": {"run_id": "run"}}
GO = {"next": "go", "wait_seconds": 0}
ROLES = {"job": "arn", "settle_seconds": 0}
RECORD = {"subject": "s", "event": "Seeding Completed", "state": "Complete", "error": "", "cause": ""}
FAILED = {
    "subject": "s",
    "event": "Seeding Failed",
    "state": "Failed",
    "error": "Differs",
    "cause": "3 differ",
}
USUAL: Results = {
    "ResolveRequest": [RUN],
    "ClaimPair": [GO],
    "EnsureRoles": [ROLES],
    "EnableReplication": [{"added": False}],
    "PaginateKeys": [{"done": False, "count": 1}, {"done": True, "count": 2}],
    "PlanJobs": [{"next": "create", "wait_seconds": 0}],
    "CreateJob": [{"next": "pause", "wait_seconds": 60}, {"next": "look", "wait_seconds": 30}],
    "DescribeJob": [{"next": "look", "wait_seconds": 30}, {"next": "report", "wait_seconds": 0}],
    "ParseReport": [{"next": "create", "wait_seconds": 0}, {"next": "verify", "wait_seconds": 0}],
    "VerifyReplica": [
        {"done": False, "next_look_seconds": 0},
        {"done": False, "next_look_seconds": 60},
        {"done": True, "next_look_seconds": 0},
    ],
    "RecordRun": [RECORD],
    "RecordFailure": [FAILED],
}


@pytest.mark.parametrize(
    ("given", "last", "status"),
    [
        ({}, "Complete", "SUCCEEDED"),
        ({"RecordRun": [FAILED]}, "Failed", "FAILED"),
        ({"ClaimPair": [{"next": "wait", "wait_seconds": 60}, GO]}, "Complete", "SUCCEEDED"),
        ({"ClaimPair": [{"next": "skip", "wait_seconds": 0}]}, "Skipped", "SUCCEEDED"),
        ({"EnsureRoles": [ROLES | {"settle_seconds": 15}]}, "Complete", "SUCCEEDED"),
        ({"ResolveRequest": [Fails("InvalidRequest", "source: no")]}, "Failed", "FAILED"),
        ({"PaginateKeys": [{"done": False}, Fails("AccessDenied")]}, "Failed", "FAILED"),
        (
            {"DescribeJob": [Fails("Throttled"), Fails("Throttled"), {"next": "report"}]},
            "Complete",
            "SUCCEEDED",
        ),
        ({"RecordRun": [Fails("Conflict")]}, "Failed", "FAILED"),
        ({"RecordFailure": [Fails("Broken")], "PlanJobs": [Fails("Mine")]}, "RecordFailure", "FAILED"),
    ],
)
def test_the_machine_of_the_stack_takes_the_same_path(
    moto_cloud: Any, given: Results, last: str, status: str
) -> None:
    definition = load(application_folder()).definition
    ended = alike(moto_cloud, definition, {"source": "a", "destination": "b"}, USUAL | given)
    assert (ended["entered"][-1], ended["status"]) == (last, status)
