"""An execution in this process, and its history in the shape of Step Functions.

Contract: Step Functions API reference, GetExecutionHistory (HistoryEvent) and DescribeExecution.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

_INTEGRATION = "arn:aws:states:::"


class Execution:
    """One execution, written by the thread that runs it and read by others. `input` is the machine's."""

    def __init__(
        self,
        arn: str,
        name: str,
        document: Any,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.arn = arn
        self.name = name
        self.input = document
        self.status = "RUNNING"
        self.ended = threading.Event()
        self._now = now
        self._started = now()
        self._events: list[dict[str, Any]] = []
        self._end: dict[str, Any] = {}
        self._add("ExecutionStarted", executionStartedEventDetails={"input": json.dumps(document)})

    @property
    def started_at(self) -> str:
        """When it began, as the context object has it."""
        return _text(self._started)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The history up to now, oldest first."""
        return list(self._events)

    def enter(self, kind: str, name: str, document: Any) -> dict[str, Any]:
        """Note that a state was entered; return the context object for it."""
        entered = self._add(
            f"{kind}StateEntered", stateEnteredEventDetails={"name": name, "input": json.dumps(document)}
        )
        return {
            "Execution": {
                "Id": self.arn,
                "Name": self.name,
                "StartTime": self.started_at,
                "Input": self.input,
            },
            "State": {"Name": name, "EnteredTime": _text(entered["timestamp"])},
        }

    def exit(self, kind: str, name: str, document: Any) -> None:
        """Note that a state was left with an output."""
        details = {"name": name, "output": json.dumps(document)}
        self._add(f"{kind}StateExited", stateExitedEventDetails=details)

    def schedule(self, resource: str, given: Any) -> None:
        """Note an attempt of a task."""
        self._task("Scheduled", resource, {"resource": resource, "input": json.dumps(given)})

    def task_succeeded(self, resource: str, result: Any) -> None:
        """Note what a task returned."""
        self._task("Succeeded", resource, {"output": json.dumps(result)})

    def task_failed(self, resource: str, error: str, cause: str) -> None:
        """Note the error of an attempt."""
        self._task("Failed", resource, {"error": error, "cause": cause})

    def succeed(self, document: Any) -> None:
        """End well."""
        output = json.dumps(document)
        self._finish("SUCCEEDED", "ExecutionSucceeded", "executionSucceededEventDetails", {"output": output})

    def fail(self, error: str, cause: str) -> None:
        """End with an error."""
        told = {"error": error, "cause": cause}
        self._finish("FAILED", "ExecutionFailed", "executionFailedEventDetails", told)

    def describe(self) -> dict[str, Any]:
        """Return it as DescribeExecution does."""
        return {
            "executionArn": self.arn,
            "name": self.name,
            "startDate": self._started,
            "input": json.dumps(self.input),
            "status": self.status,
            **self._end,
        }

    def _task(self, what: str, resource: str, details: dict[str, Any]) -> None:
        kind = "task" if resource.startswith(_INTEGRATION) else "lambdaFunction"
        event = f"{kind[0].upper()}{kind[1:]}{what}"
        self._add(event, **{f"{kind}{what}EventDetails": details})

    def _finish(self, status: str, event: str, field: str, details: dict[str, Any]) -> None:
        ended = self._add(event, **{field: details})
        self._end = {"stopDate": ended["timestamp"], **details}
        self.status = status
        self.ended.set()

    def _add(self, kind: str, **details: Any) -> dict[str, Any]:
        number = len(self._events) + 1
        event = {
            "timestamp": self._now(),
            "type": kind,
            "id": number,
            "previousEventId": number - 1,
            **details,
        }
        self._events.append(event)
        return event


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
