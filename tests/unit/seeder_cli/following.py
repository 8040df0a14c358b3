"""An execution as Step Functions tells of it, scripted; for the tests of what follows one."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from botocore.exceptions import ClientError

RUN = {
    "run_id": "my-run",
    "account_id": "123456789012",
    "state_bucket": "state",
    "source": {"name": "src", "region": "us-east-1"},
    "destination": {"name": "dst", "region": "eu-west-1"},
    "request": {"source": "src", "destination": "dst", "confirm": False},
}
PAGE = 3


def job(**more: Any) -> dict[str, Any]:
    """A job's document, of the members that are looked at."""
    return {
        "id": "job-1",
        "region": "eu-west-1",
        "operation": "copy",
        "round": 0,
        "settled": 0,
        "status": "Active",
        "finished": False,
        "read": False,
        "total": None,
        "succeeded": None,
        "failed": None,
        "manifest": {"count": 836},
    } | more


def manifest(count: int, done: bool = True, **more: Any) -> dict[str, Any]:
    """A document of manifests."""
    file = {"bucket": "state", "key": "runs/my-run/manifests/copy.csv", "count": count}
    return {"copy_files": [file], "count": count, "done": done, "compared": None} | more


class States:
    """Answers as Step Functions: newest events first if asked, three a page; `looks` are the events by look.

    With `reverses` false the whole history comes in order, whatever is asked. `errors` are raised first, one a call.
    """

    def __init__(self, looks: list[list[dict[str, Any]]], reverses: bool = True) -> None:
        self._looks, self._at, self._reverses = looks, 0, reverses
        self.errors: list[str] = []
        self.calls: Counter[str] = Counter()
        self.returned = 0

    def describe_execution(self, executionArn: str) -> Any:  # noqa: N803
        self._called("describe")
        self._at = min(self._at + 1, len(self._looks))
        status = "RUNNING" if self._at < len(self._looks) else "SUCCEEDED"
        return {"name": executionArn.rpartition(":")[2], "status": status, "output": "{}"}

    def get_execution_history(self, executionArn: str, reverseOrder: bool, nextToken: str = "0") -> Any:  # noqa: N803
        self._called("history")
        told = [event for look in self._looks[: max(self._at, 1)] for event in look]
        events = [{"id": number, **event} for number, event in enumerate(told, 1)]
        if not self._reverses:
            return {"events": events}
        assert reverseOrder
        start = int(nextToken)
        page = events[::-1][start : start + PAGE]
        self.returned += len(page)
        more = {"nextToken": str(start + PAGE)} if start + PAGE < len(events) else {}
        return {"events": page, **more}

    def _called(self, name: str) -> None:
        if self.errors:
            answer: Any = {"Error": {"Code": self.errors.pop(0), "Message": ""}}
            raise ClientError(answer, name)
        self.calls[name] += 1


def entered(name: str, **document: Any) -> dict[str, Any]:
    return {"stateEnteredEventDetails": {"name": name, "input": json.dumps(document)}}


def left(name: str, **document: Any) -> dict[str, Any]:
    return {"stateExitedEventDetails": {"name": name, "output": json.dumps(document)}}
