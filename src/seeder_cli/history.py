"""The history of a run's execution, each event read once, and what it says of the run.

Contract: Step Functions API reference, GetExecutionHistory.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class History:
    """The events of one execution, each read once."""

    def __init__(self, states: SFNClient, execution_arn: str) -> None:
        self._states = states
        self._arn = execution_arn
        self._last = 0

    def fresh(self) -> list[Any]:
        """Return the events since the last call, oldest first. Raises ClientError, and then none is lost.

        The newest come first, so that a look at a long history takes one request, and no token that expires is kept.
        """
        found: dict[int, Any] = {}
        asked: Any = {"executionArn": self._arn, "reverseOrder": True}
        while True:
            page = self._states.get_execution_history(**asked)
            found |= {event["id"]: event for event in page["events"] if event["id"] > self._last}
            reached = any(event["id"] <= self._last + 1 for event in page["events"])
            if reached or not page.get("nextToken"):
                break
            asked["nextToken"] = page["nextToken"]
        self._last = max(found, default=self._last)
        return [found[number] for number in sorted(found)]


@dataclass
class Passage:
    """How far a run is: the state it is in, "" before the first, and what its states have put together so far."""

    state: str = ""
    stages: dict[str, Any] = field(default_factory=dict)

    def take(self, event: Any) -> None:
        """Take the next event. What is not about a state is passed over."""
        if entered := event.get("stateEnteredEventDetails"):
            self.state = entered["name"]
            self.stages.update(_document(entered.get("input")))
        elif left := event.get("stateExitedEventDetails"):
            self.stages.update(_document(left.get("output")))

    @property
    def run(self) -> dict[str, Any]:
        """The resolved run; empty before that."""
        found = self.stages.get("run")
        return found if isinstance(found, dict) else {}

    @property
    def job(self) -> dict[str, Any] | None:
        """The job that is created and not done with."""
        jobs = (self.stages.get("work") or {}).get("jobs", [])
        return next((job for job in jobs if job["id"] and not job["finished"]), None)


def _document(text: str | None) -> dict[str, Any]:
    found = json.loads(text or "{}")
    return found if isinstance(found, dict) else {}
