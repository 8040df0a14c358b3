"""The deployed definition of `seed`, walked step by step: the same functions and order as Step Functions runs them.

moto's interpreter takes a second for a run; this one takes what the functions take, and waits by leaps of the clock. It
knows what the definition uses, and refuses the rest.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localcloud import replication
from localcloud.batch_operations import wait_for_idle
from tests.e2e.deployed import ACCOUNT, Deployed, LeapingClock

MOST_STEPS = 400
_LAMBDA = "arn:aws:lambda:"

Invoke = Callable[[str, dict[str, Any]], dict[str, Any]]


class StateFailed(Exception):
    """What a state ended in: an error's name and cause, as Step Functions catches them."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


class Machine:
    """Runs executions of `seed` one at a time. `invoke` calls the function of an ARN with an input."""

    def __init__(self, deployed: Deployed, invoke: Invoke) -> None:
        arn = deployed.stack.outputs["SeedArn"]
        described = deployed.states.describe_state_machine(stateMachineArn=arn)
        self._definition: dict[str, Any] = json.loads(described["definition"])
        self._arn = arn.replace(":stateMachine:", ":execution:")
        self._clock = deployed.cloud.clock
        self._invoke = invoke
        self.visited: list[str] = []

    def run(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return how an execution ends: its `name`, `status`, `error` and `cause`, and the last `state`."""
        name = str(uuid.uuid4())
        execution = {"Id": f"{self._arn}:{name}", "Name": name, "StartTime": _now()}
        context: dict[str, Any] = {"Execution": execution}
        self.visited = []
        place, data = self._definition["StartAt"], document
        for _ in range(MOST_STEPS):
            state = self._definition["States"][place]
            self.visited.append(place)
            context["State"] = {"EnteredTime": _now()}
            if state["Type"] == "Succeed":
                return {"name": name, "status": "SUCCEEDED", "error": "", "cause": "", "state": data}
            if state["Type"] == "Fail":
                told = {"error": _at(data, state["ErrorPath"]), "cause": _at(data, state["CausePath"])}
                return {"name": name, "status": "FAILED", **told, "state": data}
            try:
                place, data = self._step(state, data, context)
            except StateFailed as failure:
                return {
                    "name": name,
                    "status": "FAILED",
                    "error": failure.error,
                    "cause": failure.cause,
                    "state": data,
                }
        raise AssertionError(f"{MOST_STEPS} steps, and no end: {self.visited[-20:]}")

    def _step(self, state: dict[str, Any], data: dict[str, Any], context: dict[str, Any]) -> tuple[str, Any]:
        if state["Type"] == "Wait":
            self._wait(_at(data, state["SecondsPath"]))
            return state["Next"], data
        if state["Type"] == "Choice":
            return _choose(state, data), data
        if state["Type"] != "Task":
            raise NotImplementedError(state["Type"])
        if not state["Resource"].startswith(_LAMBDA):
            return state["Next"], data
        given = _fill(state["Parameters"], data, context) if "Parameters" in state else data
        try:
            result = self._persist(state, given)
        except StateFailed as failure:
            for catcher in state.get("Catch", ()):
                if catcher["ErrorEquals"] == ["States.ALL"]:
                    told = {"Error": failure.error, "Cause": failure.cause}
                    return catcher["Next"], _put(data, catcher["ResultPath"], told)
            raise
        if "ResultSelector" in state:
            result = _fill(state["ResultSelector"], result, context)
        return state["Next"], _put(data, state.get("ResultPath", "$"), result)

    def _persist(self, state: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        """Invoke a state's function, as often as its retriers want."""
        tries = [0] * len(state["Retry"])
        while True:
            try:
                return self._invoke(state["Resource"], json.loads(json.dumps(given)))
            except StateFailed as failure:
                at = next(
                    (n for n, one in enumerate(state["Retry"]) if failure.error in one["ErrorEquals"]), -1
                )
                if at < 0 or tries[at] == state["Retry"][at]["MaxAttempts"]:
                    raise
                retrier = state["Retry"][at]
                wait = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** tries[at]
                tries[at] += 1
                self._wait(min(wait, retrier.get("MaxDelaySeconds", wait)))

    def _wait(self, seconds: float) -> None:
        """Let a wait pass: whatever S3 does meanwhile is done first."""
        assert isinstance(self._clock, LeapingClock)
        wait_for_idle()
        replication.drain()
        self._clock.leap(seconds)


def invoked(function: Any, event: dict[str, Any]) -> dict[str, Any]:
    """Return what moto's function answers. Raises StateFailed as Step Functions names its error."""
    payload, failed, _ = function._invoke_lambda(event)
    answer: dict[str, Any] = json.loads(payload)
    if failed:
        raise StateFailed(answer["errorType"], payload)
    return answer


def function_of(arn: str) -> Any:
    """Return moto's function of an ARN."""
    from moto.awslambda.models import lambda_backends

    return lambda_backends[ACCOUNT][arn.split(":")[3]].get_function(arn)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _at(data: Any, path: str) -> Any:
    """Return what a reference path, such as `$.work.next`, names."""
    assert re.fullmatch(r"\$(\.\w+)*", path), path
    for name in path.split(".")[1:]:
        data = data[name]
    return data


def _fill(template: dict[str, Any], data: Any, context: dict[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for name, value in template.items():
        if not name.endswith(".$"):
            filled[name] = value
        elif value.startswith("$$"):
            filled[name[:-2]] = _at(context, value[1:])
        else:
            filled[name[:-2]] = _at(data, value)
    return filled


def _put(data: dict[str, Any], path: str | None, result: Any) -> Any:
    if path == "$":
        return result
    if path is None:
        return data
    assert re.fullmatch(r"\$\.\w+", path), path
    return {**data, path[2:]: result}


def _choose(state: dict[str, Any], data: dict[str, Any]) -> str:
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "StringEquals": lambda value, wanted: bool(value == wanted),
        "BooleanEquals": lambda value, wanted: value is wanted,
        "NumericGreaterThan": lambda value, wanted: bool(value > wanted),
    }
    for choice in state["Choices"]:
        (name,) = set(choice) - {"Variable", "Next"}
        if tests[name](_at(data, choice["Variable"]), choice[name]):
            return str(choice["Next"])
    return str(state["Default"])
