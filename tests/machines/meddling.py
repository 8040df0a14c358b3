"""What goes wrong in an execution that is recorded: functions that fail or answer otherwise, services that refuse."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.exceptions import JsonRESTError
from moto.events.models import EventsBackend
from moto.sns.exceptions import InternalError
from moto.sns.models import SNSBackend
from moto.stepfunctions.exceptions import AWSError
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from localcloud.patching import Patches
from tests.chaos.strikes import short

SERVICES: dict[str, tuple[Any, str, Exception]] = {
    "sns": (SNSBackend, "publish", InternalError("refused, as it was recorded")),
    "events": (
        EventsBackend,
        "put_events",
        JsonRESTError("InternalException", "refused, as it was recorded"),
    ),
    "states": (
        StepFunctionsParserBackend,
        "start_execution",
        AWSError("refused, as it was recorded", "ExecutionLimitExceeded", 400),
    ),
}
"""Where a service is called, and what it refuses with."""


@dataclass(frozen=True)
class Failing:
    """An error that a function ends in, by its name and message."""

    error: str
    message: str = "as it was recorded"


Answer = Failing | Callable[[dict[str, Any]], dict[str, Any]]
"""What becomes of an invocation: an error, or another answer than the function gave."""


@dataclass
class Meddling:
    """What to do, once each. `functions` has what befalls the invocations of a function, in order, None for nothing.

    `services` says which calls of a service are refused. `waits` collects the seconds of Wait states by the
    ARNs of executions.
    """

    functions: dict[str, list[Answer | None]] = field(default_factory=dict)
    services: dict[str, range] = field(default_factory=dict)
    waits: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._invoked: Counter[str] = Counter()
        self._called: Counter[str] = Counter()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Meddle within the block."""
        patches = Patches()
        invoke: Any = LambdaFunction._invoke_lambda
        wait: Any = WaitFunction._wait_interval

        def answer(function: Any, event: Any = None) -> tuple[str, bool, str]:
            return self._answer(short(function.function_name), lambda: invoke(function, event))

        def waited(state: Any, env: Any, wait_seconds: float) -> None:
            execution = env.states.context_object.context_object_data["Execution"]["Id"]
            self.waits.setdefault(execution, []).append(wait_seconds)
            wait(state, env, wait_seconds)

        patches.replace(LambdaFunction, "_invoke_lambda", answer)
        patches.replace(WaitFunction, "_wait_interval", waited)
        for service in self.services:
            self._refuse(patches, service)
        try:
            yield
        finally:
            patches.undo()

    def _answer(self, name: str, invoke: Callable[[], tuple[str, bool, str]]) -> tuple[str, bool, str]:
        planned, place = self.functions.get(name, []), self._invoked[name]
        self._invoked[name] += 1
        change = planned[place] if place < len(planned) else None
        if isinstance(change, Failing):
            return json.dumps({"errorMessage": change.message, "errorType": change.error}), True, ""
        payload, failed, logs = invoke()
        document = json.loads(payload)
        if failed:
            # Where a function failed is no part of what machines do, and tells of the place that recorded it.
            document.pop("stackTrace", None)
        elif change:
            document = change(document)
        return json.dumps(document), failed, logs

    def _refuse(self, patches: Patches, service: str) -> None:
        owner, method, refusal = SERVICES[service]

        def call(*args: Any, **kwargs: Any) -> Any:
            self._called[service] += 1
            if self._called[service] - 1 in self.services[service]:
                raise refusal
            return original(*args, **kwargs)

        original = patches.replace(owner, method, call)
