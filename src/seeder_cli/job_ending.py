"""Cancels the jobs of a run that nobody waits for any more.

Contracts: S3 Control API reference, UpdateJobStatus, ListJobs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from seeder import jobs
from seeder.clients import Clients
from seeder.errors import code_of
from seeder.jobs import FINAL, Job
from seeder.run import Run
from seeder.work import Work

if TYPE_CHECKING:
    from mypy_boto3_s3control import S3ControlClient

# A call of CreateJob that was under way when the run was stopped may still make its job.
LATE_SECONDS, POLL_SECONDS = 15.0, 1.0
CANCELLING_SECONDS = 60.0
LONGEST_REASON = 256
_UNFINISHED: tuple[Any, ...] = (
    "Active",
    "Cancelling",
    "Completing",
    "Failing",
    "New",
    "Paused",
    "Pausing",
    "Preparing",
    "Ready",
    "Suspended",
)
_ENDED_ALREADY = frozenset({"JobStatusException", "NoSuchJob", "NoSuchJobException", "NotFoundException"})


def end_jobs(
    clients: Clients,
    run: Run,
    work: dict[str, Any],
    is_creating: bool,
    reason: str,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Cancel the jobs of a run that has been stopped; return its work with the current job as it is then.

    `is_creating` says that a call of CreateJob was under way: its job is waited for. Raises ClientError.
    """
    before = Work.model_validate(work)
    planned = before.current
    regions = sorted({run.source.region, run.destination.region})
    found = _unfinished(clients, run, regions, is_creating, sleep)
    if planned and planned.id and not planned.finished:
        found.setdefault(planned.id, planned.region)
    for job_id, region in found.items():
        control = clients.s3control(region)
        _cancel(control, run.account_id, job_id, reason)
        if planned and planned.region == region and planned.id in ("", job_id):
            ended = _ended(control, run.account_id, planned.model_copy(update={"id": job_id}), sleep)
            say(_told(ended))
            before = before.with_current(ended)
        else:
            say(f"Cancelled job {job_id}")
    return before.model_dump()


def _unfinished(
    clients: Clients, run: Run, regions: list[str], is_creating: bool, sleep: Callable[[float], None]
) -> dict[str, str]:
    """Return the regions of a run's jobs that have not ended, by their ids: its name stands in their descriptions."""
    waited = 0.0
    while True:
        found = {
            job["JobId"]: region
            for region in regions
            for job in _listed(clients.s3control(region), run.account_id)
            if job.get("Description", "").startswith(f"seeder {run.run_id} ")
        }
        if found or not is_creating or waited >= LATE_SECONDS:
            return found
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS


def _listed(control: S3ControlClient, account: str) -> list[Any]:
    """Return the unfinished jobs of a region; none where they may not be listed, for the run's own is known."""
    listed: list[Any] = []
    asked: Any = {"AccountId": account, "JobStatuses": list(_UNFINISHED), "MaxResults": 1000}
    try:
        while True:
            answer = control.list_jobs(**asked)
            listed += answer.get("Jobs", [])
            if not answer.get("NextToken"):
                return listed
            asked["NextToken"] = answer["NextToken"]
    except ClientError as error:
        if code_of(error) in {"AccessDenied", "AccessDeniedException"}:
            return listed
        raise


def _cancel(control: S3ControlClient, account: str, job_id: str, reason: str) -> None:
    """Ask for a job to be cancelled; one that has ended stays as it is."""
    try:
        control.update_job_status(
            AccountId=account,
            JobId=job_id,
            RequestedJobStatus="Cancelled",
            StatusUpdateReason=reason[:LONGEST_REASON],
        )
    except ClientError as error:
        if code_of(error) not in _ENDED_ALREADY:
            raise


def _ended(control: S3ControlClient, account: str, job: Job, sleep: Callable[[float], None]) -> Job:
    """Return a job when it has ended, or after some time as it is then."""
    waited = 0.0
    while True:
        job = jobs.describe(control, account, job)
        if job.finished or waited >= CANCELLING_SECONDS:
            return job
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS


def _told(job: Job) -> str:
    verb = "Cancelled" if job.status == "Cancelled" else "Asked to cancel"
    verb = verb if job.status not in FINAL - {"Cancelled"} else f"Found {job.status}"
    total = job.manifest.count if job.total is None else job.total
    return f"{verb} job {job.id}: {job.done} of {total} tasks were done"
