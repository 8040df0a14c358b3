"""The deployed definitions of `seed` and `fleet`, walked step by step: the functions and the order of Step Functions.

moto's interpreter takes a second for a run; this one takes what the functions take, runs any number of executions
between each other's steps, and waits by leaps of a simulated clock. It knows what the definitions use, and refuses the
rest.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.language import Document, Retries, StateFailed, catcher, chosen, filled, put, value
from tests.chaos.simulation import Rest, SimulatedClock

MOST_STEPS = 600
MOST_BYTES = 256 * 1024
_LAMBDA = "arn:aws:lambda:"
_STATES = "arn:aws:states:::states:startExecution"

Invoke = Callable[[str, Document, "Execution"], Document]
Walk = Generator["float | list[Execution]", None, None]


@dataclass(eq=False)
class Execution:
    """An execution, or one item of a Map. `walk` yields the seconds to wait, or the executions to wait for."""

    name: str
    arn: str
    started_at: datetime
    walk: Walk | None = None
    status: str = "RUNNING"
    error: str = ""
    cause: str = ""
    data: Any = None
    ended_at: datetime | None = None
    due: datetime | None = None
    awaits: list[Execution] = field(default_factory=list)
    visited: list[str] = field(default_factory=list)
    looked_at: datetime | None = None
    """When the last comparison of both buckets began."""

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended."""
        return self.status == "RUNNING"

    def can_step(self, now: datetime) -> bool:
        """Whether it waits for nothing."""
        return self.goes_on and not any(one.goes_on for one in self.awaits) and (self.due or now) <= now


class Conductor:
    """Runs executions, one step of one of them at a time, in an order that luck decides.

    `invoke` calls the function of an ARN with an input, for an execution; `on_start` may refuse that one is started.
    `meanwhile` is called between steps.
    """

    def __init__(
        self,
        definitions: dict[str, Document],
        clock: SimulatedClock,
        luck: random.Random,
        invoke: Invoke,
        on_start: Callable[[], None] = lambda: None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._definitions = definitions
        self._clock = clock
        self._luck = luck
        self._invoke = invoke
        self._on_start = on_start
        self._meanwhile = meanwhile
        self.rest = Rest(clock)
        self.executions: dict[str, Execution] = {}
        self._branches: list[Execution] = []

    def start(self, machine: str, document: Any, name: str) -> Execution:
        """Start an execution of the state machine of an ARN, as StartExecution does. Raises StateFailed."""
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        before = self.executions.get(arn)
        if before and before.goes_on and before.data == document:
            return before
        if before:
            raise StateFailed("StepFunctions.ExecutionAlreadyExistsException", f"{arn} exists already")
        made = Execution(name, arn, self._clock.now(), data=document)
        context = {"Execution": {"Id": arn, "Name": name, "StartTime": _iso(made.started_at)}}
        made.walk = self._walk(made, self._definitions[machine], json.loads(json.dumps(document)), context)
        self.executions[arn] = made
        return made

    def engage(self, walk: Iterator[float]) -> None:
        """Let somebody act beside the executions: `walk` yields the seconds until the next act."""
        self._branches.append(Execution("somebody", "", self._clock.now(), _acting(walk)))

    def play(self) -> None:
        """Let all go on until all have ended."""
        steps = 0
        while going := [one for one in self._all() if one.goes_on]:
            steps += 1
            assert steps < MOST_STEPS * len(going) + 4000, [one.visited[-20:] for one in going]
            self.rest.come()
            self._meanwhile()
            ready = [one for one in going if one.can_step(self._clock.now())]
            if ready:
                self._step(self._luck.choice(ready))
            else:
                dues = [one.due for one in going if one.due and one.due > self._clock.now()]
                self._clock.leap_to(min([*dues, *self.rest.next_due()]))
        self.rest.come()

    def _all(self) -> list[Execution]:
        return [*self.executions.values(), *self._branches]

    def _step(self, execution: Execution) -> None:
        assert execution.walk
        try:
            wanted = next(execution.walk)
        except StopIteration:
            execution.status = "SUCCEEDED"
        except StateFailed as failure:
            execution.status, execution.error, execution.cause = "FAILED", failure.error, failure.cause
        else:
            execution.due, execution.awaits = None, []
            if isinstance(wanted, list):
                execution.awaits = wanted
            else:
                execution.due = self._clock.now() + timedelta(seconds=wanted)
            return
        execution.ended_at = self._clock.now()

    def _walk(self, execution: Execution, definition: Document, data: Any, context: Document) -> Walk:
        place = definition["StartAt"]
        while True:
            state = definition["States"][place]
            execution.visited.append(place)
            context = {**context, "State": {"EnteredTime": _iso(self._clock.now())}}
            if state["Type"] == "Succeed":
                execution.data = data
                return
            if state["Type"] == "Fail":
                told = [
                    value(state[f"{name}Path"], data, context) if f"{name}Path" in state else state[name]
                    for name in ("Error", "Cause")
                ]
                execution.data = data
                raise StateFailed(*told)
            place, data = yield from self._state(execution, state, data, context)
            if len(json.dumps(data).encode()) > MOST_BYTES:
                raise AssertionError(f"the document after {execution.visited[-1]} is over 256 KiB")
            if not place:
                execution.data = data
                return
            yield 0

    def _state(
        self, execution: Execution, state: Document, data: Any, context: Document
    ) -> Generator[Any, None, tuple[str, Any]]:
        """Return the next state's name, "" at the end, and its input."""
        kind, following = state["Type"], state.get("Next", "")
        if kind == "Wait":
            yield float(value(state["SecondsPath"], data, context))
            return following, data
        if kind == "Choice":
            return chosen(state, data), data
        if kind == "Pass":
            result = filled(state["Parameters"], data, context) if "Parameters" in state else state["Result"]
            return following, put(data, state.get("ResultPath", "$"), result)
        given = filled(state["Parameters"], data, context) if "Parameters" in state else data
        try:
            if kind == "Map":
                result = yield from self._map(state, value(state["ItemsPath"], data, context), context)
            else:
                assert kind == "Task", kind
                result = yield from self._task(execution, state, given)
        except StateFailed as failure:
            caught = catcher(state, failure)
            if caught is None:
                raise
            told = {"Error": failure.error, "Cause": failure.cause}
            return caught["Next"], put(data, caught["ResultPath"], told)
        if "ResultSelector" in state:
            result = filled(state["ResultSelector"], result, context)
        return following, put(data, state.get("ResultPath", "$"), result)

    def _map(self, state: Document, items: list[Any], context: Document) -> Generator[Any, None, list[Any]]:
        most = int(state["MaxConcurrency"]) or len(items)
        branches = [Execution(f"item-{n}", "", self._clock.now()) for n in range(len(items))]
        for branch, item in zip(branches, items, strict=True):
            branch.walk = self._walk(branch, state["ItemProcessor"], item, context)
        for begun, branch in enumerate(branches):
            self._branches.append(branch)
            while sum(one.goes_on for one in branches[: begun + 1]) >= most:
                yield [next(one for one in branches if one.goes_on)]
        yield branches
        for branch in branches:
            if branch.status == "FAILED":
                raise StateFailed(branch.error, branch.cause)
        return [branch.data for branch in branches]

    def _task(self, execution: Execution, state: Document, given: Any) -> Generator[Any, None, Any]:
        """Carry a state's task out, as often as its retriers want."""
        retries = Retries(state)
        while True:
            try:
                if state["Resource"].startswith(_LAMBDA):
                    return self._invoke(state["Resource"], json.loads(json.dumps(given)), execution)
                if state["Resource"].startswith(_STATES):
                    return (yield from self._start_from(state["Resource"], given))
                return {}
            except StateFailed as failure:
                yield retries.wait(failure)

    def _start_from(self, resource: str, given: Document) -> Generator[Any, None, Document]:
        self._on_start()
        child = self.start(given["StateMachineArn"], given["Input"], given["Name"])
        if not resource.endswith(".sync:2"):
            return {"ExecutionArn": child.arn}
        yield [child]
        if child.status == "FAILED":
            raise StateFailed("States.TaskFailed", json.dumps({"Error": child.error, "Cause": child.cause}))
        return {"Output": child.data, "Status": child.status}


def _acting(walk: Iterator[float]) -> Walk:
    yield from walk


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
