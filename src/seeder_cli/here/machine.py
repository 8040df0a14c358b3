"""A small interpreter of the Amazon States Language: what statemachine/seed.asl.yaml uses, and no more.

moto has an interpreter too, by which the local cloud runs the same file; but it calls its tasks as services of AWS, so
that the whole of AWS would have to be mocked in a process that talks to a real S3. What both do is compared in tests.

Contract: Step Functions developer guide, "Discovering workflow states", "Handling errors in Step Functions workflows".
"""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Mapping
from typing import Any

from seeder_cli.here.definition import COMPARISONS, State, check
from seeder_cli.here.execution import Execution
from seeder_cli.here.paths import NotThere, fill, put, read

Resource = Callable[[Any], Any]

_NOT_BY_ALL = frozenset({"States.DataLimitExceeded", "States.Runtime"})
_INTERVAL_SECONDS, _BACKOFF_RATE, _MAX_ATTEMPTS = 1, 2.0, 3
_COMPARE = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
}
_TYPES: dict[str, Callable[[Any], bool]] = {
    "Boolean": lambda value: isinstance(value, bool),
    "Numeric": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "String": lambda value: isinstance(value, str),
}


class StateError(Exception):
    """An error as Step Functions names it, with its cause: of a task, or of the machine itself."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name}: {cause}")
        self.name = name
        self.cause = cause

    def is_one_of(self, names: list[str]) -> bool:
        """Tell whether ErrorEquals of Retry or Catch covers this."""
        if self.name in names:
            return True
        if "States.TaskFailed" in names and not self.name.startswith("States."):
            return True
        return "States.ALL" in names and self.name not in _NOT_BY_ALL


class Machine:
    """A state machine. `resources` are what its tasks call: given the task's input, they return its result.

    A resource raises StateError, or anything, whose class is then the error's name. `before_task` is called with the
    state's input before each attempt of a task that has a Catch and is not itself where others' Catch leads; the
    StateError it may raise is caught there, and not tried again. `sleep` takes seconds; `jitter` draws between two
    numbers. Raises UnsupportedDefinition.
    """

    def __init__(
        self,
        definition: dict[str, Any],
        resources: Mapping[str, Resource],
        *,
        sleep: Callable[[float], None],
        before_task: Callable[[Any], None] = lambda document: None,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        check(definition, resources)
        self._start: str = definition["StartAt"]
        self._states: dict[str, State] = definition["States"]
        self._resources = resources
        self._sleep = sleep
        self._before_task = before_task
        self._jitter = jitter
        caught = [item for state in self._states.values() for item in state.get("Catch", ())]
        self._rescues = {item["Next"] for item in caught}

    def run(self, execution: Execution) -> None:
        """Run an execution to its end, which it then tells; raises nothing."""
        name: str | None = self._start
        document = execution.input
        try:
            while name is not None:
                state = self._states[name]
                context = execution.enter(state["Type"], name, document)
                following, document = self._pass(state, document, context, execution)
                execution.exit(state["Type"], name, document)
                name = following
            execution.succeed(document)
        except StateError as error:
            execution.fail(error.name, error.cause)
        except NotThere as error:
            execution.fail("States.Runtime", str(error))
        except Exception as error:
            execution.fail("States.Runtime", f"{type(error).__name__}: {error}")

    def _pass(
        self, state: State, document: Any, context: Any, execution: Execution
    ) -> tuple[str | None, Any]:
        """Do what a state does; return the next state, None at the end, and the output."""
        kind = state["Type"]
        if kind == "Task":
            return self._task(state, document, context, execution)
        if kind == "Choice":
            return _choose(state, document, context), document
        if kind == "Wait":
            self._sleep(state["Seconds"] if "Seconds" in state else _seconds(state, document, context))
        elif kind == "Pass":
            result = state.get("Result", _filled(state, "Parameters", document, context))
            document = put(state.get("ResultPath", "$"), document, result)
        elif kind == "Fail":
            raise StateError(
                *(
                    str(read(state[f"{field}Path"], document, context))
                    if f"{field}Path" in state
                    else state.get(field, "")
                    for field in ("Error", "Cause")
                )
            )
        return state.get("Next"), document

    def _task(
        self, state: State, document: Any, context: Any, execution: Execution
    ) -> tuple[str | None, Any]:
        try:
            result = self._attempts(state, document, context, execution)
            result = _filled(state, "ResultSelector", result, context)
        except StateError as error:
            catchers = (item for item in state.get("Catch", ()) if error.is_one_of(item["ErrorEquals"]))
            catcher = next(catchers, None)
            if catcher is None:
                raise
            told = {"Error": error.name, "Cause": error.cause}
            return catcher["Next"], put(catcher.get("ResultPath", "$"), document, told)
        return state.get("Next"), put(state.get("ResultPath", "$"), document, result)

    def _attempts(self, state: State, document: Any, context: Any, execution: Execution) -> Any:
        """Return the task's result, after as many attempts as its retriers allow. Raises StateError."""
        given = _filled(state, "Parameters", document, context)
        retriers = state.get("Retry", [])
        used = [0] * len(retriers)
        while True:
            if "Catch" in state and context["State"]["Name"] not in self._rescues:
                self._before_task(document)
            try:
                return self._attempt(state["Resource"], given, execution)
            except StateError as error:
                place = next(
                    (place for place, item in enumerate(retriers) if error.is_one_of(item["ErrorEquals"])),
                    None,
                )
                if place is None or used[place] >= retriers[place].get("MaxAttempts", _MAX_ATTEMPTS):
                    raise
                self._sleep(self._delay(retriers[place], used[place]))
                used[place] += 1

    def _attempt(self, resource: str, given: Any, execution: Execution) -> Any:
        execution.schedule(resource, given)
        try:
            result = self._resources[resource](given)
        except StateError as error:
            execution.task_failed(resource, error.name, error.cause)
            raise
        except Exception as error:
            execution.task_failed(resource, type(error).__name__, str(error))
            raise StateError(type(error).__name__, str(error)) from error
        execution.task_succeeded(resource, result)
        return result

    def _delay(self, retrier: State, used: int) -> float:
        delay = (
            retrier.get("IntervalSeconds", _INTERVAL_SECONDS)
            * retrier.get("BackoffRate", _BACKOFF_RATE) ** used
        )
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        return self._jitter(0, delay) if retrier.get("JitterStrategy") == "FULL" else float(delay)


def _filled(state: State, field: str, document: Any, context: Any) -> Any:
    if state.get(field) is None:
        return document
    try:
        return fill(state[field], document, context)
    except NotThere as error:
        raise StateError("States.ParameterPathFailure", str(error)) from error


def _seconds(state: State, document: Any, context: Any) -> float:
    seconds = read(state["SecondsPath"], document, context)
    if not _TYPES["Numeric"](seconds) or seconds < 0:
        raise StateError("States.Runtime", f"SecondsPath {state['SecondsPath']} is not a number: {seconds!r}")
    return float(seconds)


def _choose(state: State, document: Any, context: Any) -> str:
    for rule in state["Choices"]:
        comparison = next(name for name in COMPARISONS if name in rule)
        if _holds(comparison, read(rule["Variable"], document, context), rule[comparison]):
            return str(rule["Next"])
    if "Default" not in state:
        raise StateError("States.NoChoiceMatched", "no choice matched, and there is no Default")
    return str(state["Default"])


def _holds(comparison: str, value: Any, with_what: Any) -> bool:
    kind = next(kind for kind in _TYPES if comparison.startswith(kind))
    return _TYPES[kind](value) and bool(_COMPARE[comparison.removeprefix(kind)](value, with_what))
