from __future__ import annotations

from typing import Any

import pytest

from seeder_cli.cancelling import _error
from seeder_cli.history import Passage

STOPPED = "stopped by arn:aws:iam::123456789012:user/me with seeder cancel"


def why(status: str, is_stopped_here: bool, **execution: str) -> dict[str, str]:
    described: dict[str, Any] = {"status": status, **execution}
    return _error(described, Passage("PaginateKeys"), STOPPED, is_stopped_here)


def test_a_run_that_is_stopped_here_tells_by_whom_and_where() -> None:
    assert why("ABORTED", True, cause=STOPPED) == {
        "Error": "Cancelled",
        "Cause": f"{STOPPED}, in the state PaginateKeys",
    }


def test_a_run_that_somebody_stopped_before_tells_by_whom_if_they_said() -> None:
    assert why("ABORTED", False, cause="by hand, for the change window")["Cause"].startswith("by hand, for")
    assert why("ABORTED", False)["Cause"].startswith(STOPPED)


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT"])
def test_a_run_that_nobody_stopped_is_not_called_cancelled(status: str) -> None:
    assert why(status, False, error="States.Timeout", cause="too long") == {
        "Error": "States.Timeout",
        "Cause": "too long",
    }
    assert why(status, False)["Error"] == status


def test_a_run_that_fails_as_it_is_stopped_tells_both() -> None:
    told = why("FAILED", True, error="States.Runtime", cause="no such path")
    assert told["Error"] == "Cancelled"
    assert told["Cause"].startswith(f"{STOPPED}, when it was failing (States.Runtime: no such path)")


def test_where_jobs_were_planned_it_says_that_copies_stay() -> None:
    passage = Passage("AwaitJob", {"work": {"jobs": []}})
    told = _error({"status": "ABORTED"}, passage, STOPPED, True)
    assert told["Cause"].endswith("; what it copied stays there: seeder retry seeds the rest")
