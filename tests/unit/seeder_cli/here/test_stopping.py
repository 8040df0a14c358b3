"""Ctrl-C while a machine runs."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from seeder_cli.here.machine import StateError
from seeder_cli.here.stopping import CAUSE, Stopping

JOB = {"id": "job-1", "finished": False, "region": "eu-west-1"}
STATE = {"run": {"account_id": "123456789012"}, "work": {"jobs": [{**JOB, "finished": True}, JOB]}}


class Jobs:
    """Stands for S3 Control, and for the jobs of this process."""

    def __init__(self, error: str = "") -> None:
        self.calls: list[Any] = []
        self._error = error

    def s3control(self, region: str) -> Jobs:
        self.calls.append(region)
        return self

    def update_job_status(self, **asked: Any) -> None:
        self.calls.append((asked["JobId"], asked["RequestedJobStatus"]))
        if self._error:
            raise ClientError({"Error": {"Code": self._error, "Message": "no"}}, "UpdateJobStatus")

    def stop(self) -> None:
        self.calls.append("stopped")


def strike(stopping: Stopping, document: Any, jobs: Any) -> str:
    with pytest.raises(StateError) as struck:
        stopping.before_task(document, jobs, jobs)
    assert struck.value.name == "Interrupted"
    return struck.value.cause


def test_it_strikes_once_and_only_when_it_was_asked_for() -> None:
    stopping = Stopping()
    jobs: Any = Jobs()
    stopping.before_task({}, jobs, jobs)
    stopping.ask()
    assert stopping.is_pending()
    assert strike(stopping, {}, jobs) == CAUSE
    assert not stopping.is_pending()
    stopping.before_task({}, jobs, jobs)
    assert jobs.calls == []


def test_the_job_that_goes_on_is_cancelled_and_awaited_first() -> None:
    stopping, jobs = Stopping(), Jobs()
    stopping.ask()
    assert strike(stopping, STATE, jobs) == CAUSE
    assert jobs.calls == ["eu-west-1", ("job-1", "Cancelled"), "stopped"]


def test_a_job_that_has_ended_already_is_no_problem_and_one_that_can_not_be_cancelled_is_told() -> None:
    for error, expected in (("JobStatusException", ""), ("AccessDenied", "job job-1 could not be cancelled")):
        stopping = Stopping()
        stopping.ask()
        cause = strike(stopping, STATE, Jobs(error))
        assert expected in cause.removeprefix(CAUSE)


def test_asking_ends_a_wait() -> None:
    stopping = Stopping()
    stopping.ask()
    stopping.sleep(60)
