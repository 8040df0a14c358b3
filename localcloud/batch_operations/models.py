"""The backend that keeps jobs, per account and region."""

from __future__ import annotations

import base64
import binascii
import threading
from datetime import timedelta
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend

from localcloud.batch_operations import exceptions
from localcloud.batch_operations.job import Job
from localcloud.batch_operations.settings import Settings, settings


class BatchOperationsBackend(BaseBackend):
    """The jobs of one account in one region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._jobs: dict[str, Job] = {}
        self._tokens: dict[str, tuple[dict[str, Any], str]] = {}
        self._lock = threading.Lock()

    def reset(self) -> None:
        """Forget every job; their threads end."""
        for job in list(self._jobs.values()):
            job.stop()
        super().reset()

    def create_job(self, request: dict[str, Any], account: str) -> tuple[Job, bool]:
        """Return the job of a valid request and whether it is new. Raises IdempotencyError, TooManyJobs."""
        asked = dict(request)
        token = asked.pop("ClientRequestToken")
        with self._lock:
            self._forget_old()
            if token in self._tokens:
                before, job_id = self._tokens[token]
                if before != asked:
                    raise exceptions.IdempotencyError
                return self._jobs[job_id], False
            _check_limit(account, settings())
            job = Job(asked, account, self.region_name, settings())
            self._jobs[job.id] = job
            self._tokens[token] = (asked, job.id)
        return job, True

    def job(self, job_id: str) -> Job:
        """Return a job. Raises JobNotFound."""
        with self._lock:
            self._forget_old()
            if job_id not in self._jobs:
                raise exceptions.JobNotFound
            return self._jobs[job_id]

    def jobs(self) -> list[Job]:
        """Return all jobs, oldest first."""
        return list(self._jobs.values())

    def list_jobs(
        self, statuses: list[str], token: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return a page of summaries, newest first, and the next page's token. Raises InvalidNextToken."""
        with self._lock:
            self._forget_old()
            jobs = list(reversed(self._jobs.values()))
        start = _place(token, jobs) if token else 0
        page: list[dict[str, Any]] = []
        for place in range(start, len(jobs)):
            if statuses and jobs[place].status not in statuses:
                continue
            if len(page) == limit:
                return page, base64.urlsafe_b64encode(jobs[place].id.encode()).decode()
            page.append(jobs[place].summary())
        return page, None

    def _forget_old(self) -> None:
        for job in list(self._jobs.values()):
            kept = timedelta(days=job.settings.retention_days)
            if job.terminated and job.settings.clock.now() - job.terminated > kept:
                del self._jobs[job.id]
                self._tokens = {name: held for name, held in self._tokens.items() if held[1] != job.id}


def _place(token: str, jobs: list[Job]) -> int:
    try:
        job_id = base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise exceptions.InvalidNextToken from error
    for place, job in enumerate(jobs):
        if job.id == job_id:
            return place
    raise exceptions.InvalidNextToken


batch_operations_backends = BackendDict(BatchOperationsBackend, "s3control")


def _check_limit(account: str, inputs: Settings) -> None:
    if inputs.beyond_active_jobs == "wait":
        return
    active = sum(job.is_active for region in _regions(account) for job in region.jobs())
    if active >= inputs.active_jobs:
        raise exceptions.TooManyJobs


def _regions(account: str) -> list[BatchOperationsBackend]:
    return list(batch_operations_backends[account].values())


def names_of(job_id: str) -> tuple[str, ...]:
    """Return what faults may call the job of an id: the id, and its description if there is such a job."""
    for account in list(batch_operations_backends):
        for region in _regions(account):
            for job in region.jobs():
                if job.id == job_id:
                    return job.names
    return (job_id,)
