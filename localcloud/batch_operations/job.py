"""A job: what was asked, how far it is, and who may change its status when."""

from __future__ import annotations

import copy
import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from localcloud.batch_operations import events, exceptions

if TYPE_CHECKING:
    from datetime import datetime

    from localcloud.batch_operations.settings import Settings

log = logging.getLogger(__name__)

TERMINAL = frozenset(("Complete", "Failed", "Cancelled"))
_ENDING = TERMINAL | {"Failing"}


class Job:
    """One job: what was asked, how far it is, and who may change its status when.

    The job's own thread moves it along; API calls only confirm, cancel and stop it. `attention` tells the
    thread, at the price of one attribute, that something of that kind has happened.
    """

    def __init__(self, request: dict[str, Any], account: str, region: str, inputs: Settings) -> None:
        self.request = request
        self.account = account
        self.region = region
        self.settings = inputs
        self.id = inputs.new_id()
        self.arn = f"arn:aws:s3:{region}:{account}:job/{self.id}"
        self.role_arn: str = request["RoleArn"]
        self.priority: int = request["Priority"]
        self.tags: list[dict[str, str]] = request.get("Tags") or []
        self.status = "New"
        self.status_reason: str | None = None
        self.failures: list[exceptions.JobFailedError] = []
        self.created = inputs.clock.now()
        self.terminated: datetime | None = None
        self.suspended: datetime | None = None
        self.generated_manifest: dict[str, Any] | None = None
        self.total: int | None = None
        self.succeeded = 0
        self.failed = 0
        self.active_seconds = 0.0
        self.attention = False
        self.yield_requested = False
        self.wake = threading.Event()
        self._active_since: datetime | None = None
        self._confirmed = False
        self._cancelled = False
        self._stopped = False
        self._lock = threading.RLock()
        self._outbox: deque[dict[str, Any]] = deque()
        self._posting = threading.Lock()

    @property
    def operation(self) -> str:
        """Return the name of the operation."""
        return str(next(iter(self.request["Operation"])))

    @property
    def names(self) -> tuple[str, ...]:
        """Return what a fault may call this job: its id and its description."""
        description = self.request.get("Description")
        return (self.id, description) if description else (self.id,)

    @property
    def needs_confirmation(self) -> bool:
        """Return whether the job waits for a confirmation before it runs."""
        asked = self.request.get("ConfirmationRequired")
        return self.settings.confirmation_when_absent if asked is None else bool(asked)

    @property
    def stopped(self) -> bool:
        """Return whether the job's thread has to end without a trace."""
        return self._stopped

    @property
    def is_active(self) -> bool:
        """Return whether the job counts among the account's active ones: neither suspended nor ended."""
        return self.status != "Suspended" and self.status not in TERMINAL

    @property
    def confirmed(self) -> bool:
        """Return whether UpdateJobStatus has made a suspended job Ready."""
        return self._confirmed

    def announce(self) -> None:
        """Emit JobCreated."""
        self._note("JobCreated")
        self._post()

    def to(self, status: str) -> None:
        """Move on to a status, as the job's thread. Raises JobStopped or JobCancelled if it may not."""
        with self._lock:
            self._check(status)
            self._enter(status)
        self._post()

    def check(self) -> None:
        """Raise JobStopped or JobCancelled if the job may not go on."""
        with self._lock:
            self._check("")

    def _check(self, status: str) -> None:
        if self._stopped:
            raise exceptions.JobStopped
        if self._cancelled and status not in _ENDING:
            raise exceptions.JobCancelled

    def _enter(self, status: str) -> None:
        now = self.settings.clock.now()
        if self._active_since is not None:
            self.active_seconds += (now - self._active_since).total_seconds()
            self._active_since = None
        if status == "Active":
            self._active_since = now
        elif status == "Suspended":
            self.suspended = now
        elif status in TERMINAL:
            self.terminated = now
        self.status = status
        self._note("JobStatusChanged")

    def request_status(self, wanted: str, reason: str | None) -> str:
        """Carry out UpdateJobStatus; return the status it leads to at once. Raises JobStatusError."""
        with self._lock:
            allowed = {"Suspended"} if wanted == "Ready" else self.settings.cancellable
            if self.status not in allowed:
                raise exceptions.JobStatusError(
                    f"The job is {self.status}: its status cannot be changed to {wanted}"
                )
            self.status_reason = reason or self.status_reason
            if wanted == "Ready":
                self._confirmed = True
                self._enter("Ready")
            else:
                self._cancelled = True
                self._enter("Cancelled" if self.status == "Suspended" else "Cancelling")
            now = self.status
            self._alert()
        self._post()
        return now

    def request_pause(self) -> None:
        """Ask an active job to make room for another."""
        with self._lock:
            if self.status != "Active":
                return
            self.yield_requested = True
            self._enter("Pausing")
            self._alert()
        self._post()

    def stop(self) -> None:
        """End the job's thread where it stands, without another event."""
        with self._lock:
            self._stopped = True
            self._alert()

    def _alert(self) -> None:
        self.attention = True
        self.wake.set()

    def sleep(self, seconds: float) -> None:
        """Let time pass on the injected clock, unless the job is stopped or cancelled: then raise.

        A confirmation ends it as well.
        """
        self.wake.clear()
        self.check()
        if seconds > 0 and not (self.status == "Ready" and self._confirmed):
            self.settings.clock.sleep(seconds, self.wake)
            self.check()

    def _note(self, name: str) -> None:
        if self.settings.emit:
            self._outbox.append(events.event(self, name))

    def _post(self) -> None:
        """Emit what was noted, in order: whoever is at it already also posts what others note meanwhile."""
        while self._outbox and self._posting.acquire(blocking=False):
            try:
                while self._outbox:
                    self._emit(self._outbox.popleft())
            finally:
                self._posting.release()

    def _emit(self, event: dict[str, Any]) -> None:
        try:
            if self.settings.emit:
                self.settings.emit(event, self.region)
        except Exception:
            log.exception("event of job %s", self.id)

    def describe(self) -> dict[str, Any]:
        """Return the JobDescriptor of DescribeJob."""
        with self._lock:
            asked = ("Description", "Manifest", "Operation", "Report", "ManifestGenerator")
            return {
                **{name: copy.deepcopy(self.request[name]) for name in asked if name in self.request},
                "JobId": self.id,
                "ConfirmationRequired": self.needs_confirmation,
                "JobArn": self.arn,
                "Status": self.status,
                "Priority": self.priority,
                "ProgressSummary": self._progress(),
                "StatusUpdateReason": self.status_reason,
                "FailureReasons": [
                    {"FailureCode": failure.code, "FailureReason": failure.reason}
                    for failure in self.failures
                ],
                "CreationTime": self.created,
                "TerminationDate": self.terminated,
                "RoleArn": self.role_arn,
                "SuspendedDate": self.suspended,
                "SuspendedCause": self.settings.suspended_cause if self.suspended else None,
                "GeneratedManifestDescriptor": self.generated_manifest,
            }

    def summary(self) -> dict[str, Any]:
        """Return the JobListDescriptor of ListJobs."""
        described = self.describe()
        wanted = (
            "JobId",
            "Description",
            "Priority",
            "Status",
            "CreationTime",
            "TerminationDate",
            "ProgressSummary",
        )
        return {name: described.get(name) for name in wanted} | {"Operation": self.operation}

    def _progress(self) -> dict[str, Any] | None:
        if self.total is None:
            return None
        active = self.active_seconds
        if self._active_since is not None:
            active += (self.settings.clock.now() - self._active_since).total_seconds()
        return {
            "TotalNumberOfTasks": self.total,
            "NumberOfTasksSucceeded": self.succeeded,
            "NumberOfTasksFailed": self.failed,
            "Timers": {"ElapsedTimeInActiveSeconds": int(active)},
        }
