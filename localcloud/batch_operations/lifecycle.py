"""A job's life in its own thread, from New to Complete, Failed or Cancelled.

Contract: S3 User Guide, "Job statuses" and "Tracking job failure".
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

from localcloud.batch_operations.data_plane import S3DataPlane
from localcloud.batch_operations.exceptions import JobCancelled, JobFailedError, JobStopped
from localcloud.batch_operations.job import TERMINAL, Job
from localcloud.batch_operations.operations.base import JobContext
from localcloud.batch_operations.preparing import prepare
from localcloud.batch_operations.report import ReportWriter
from localcloud.batch_operations.scheduler import scheduler
from localcloud.iam import UnsupportedPolicy

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from localcloud.batch_operations.job_session import JobSession
    from localcloud.batch_operations.manifest import TaskSource
    from localcloud.batch_operations.task import Outcome, Task
    from localcloud.faults import Fault

log = logging.getLogger(__name__)

_DAY = 86400
_live: set[JobThread] = set()
_live_lock = threading.Lock()


class JobThread(threading.Thread):
    """Runs one job from New to its end."""

    def __init__(self, job: Job) -> None:
        super().__init__(name=f"batch-job-{job.id}", daemon=True)
        self.job = job
        self._settings = job.settings
        self._report: ReportWriter | None = None
        self._source: TaskSource | None = None
        self._session: JobSession | None = None

    def run(self) -> None:
        """Live the job's life; a stopped job ends without a trace."""
        try:
            self._live()
        except JobStopped:
            pass
        finally:
            self._close()
            with _live_lock:
                _live.discard(self)

    def _live(self) -> None:
        job = self.job
        try:
            session, source = self._prepare()
            with scheduler(job.account).turn(job):
                job.to("Active")
                self._suffer()
                with closing(self._outcomes(session, source)) as outcomes:
                    self._execute(outcomes)
            job.to("Completing")
            job.sleep(self._settings.completing_seconds)
            if late := self._struck("late_report"):
                job.to("Complete")
                self._publish_late(late.seconds)
                return
            self._publish()
            job.to("Complete")
        except JobCancelled:
            self._end("Cancelled")
        except JobFailedError as error:
            self._fail(error)
        except UnsupportedPolicy as error:
            self._fail(JobFailedError(self._settings.failure_codes.policy, str(error)))
        except JobStopped:
            raise
        except Exception as error:
            if job.stopped:
                return
            log.exception("job %s", job.id)
            self._fail(JobFailedError(self._settings.failure_codes.internal, f"Internal error: {error!r}"))

    def _prepare(self) -> tuple[JobSession, TaskSource]:
        job = self.job
        job.to("Preparing")
        job.sleep(self._settings.preparing_seconds)
        session, source = self._session, self._source = prepare(job)
        job.total = source.total
        if job.needs_confirmation:
            self._await_confirmation()
        else:
            job.to("Ready")
        return session, source

    def _await_confirmation(self) -> None:
        job = self.job
        job.to("Suspended")
        job.sleep(self._settings.suspended_days * _DAY)
        if not job.confirmed:
            reason = f"The job was suspended for more than {self._settings.suspended_days} days"
            raise JobFailedError(self._settings.failure_codes.suspended, reason)

    def _suffer(self) -> None:
        """Let the faults strike that befall an active job."""
        job = self.job
        if fault := self._struck("fail"):
            raise JobFailedError(fault.code, f"Injected fault: {fault.code}")
        if self._struck("cancel"):
            job.request_status("Cancelled", "Injected fault: cancel")
            job.check()
        if fault := self._struck("pause"):
            job.request_pause()
            self._pause(fault.seconds)

    def _struck(self, effect: str) -> Fault | None:
        return self._settings.strikes.strike_job(effect, self.job.names)

    def _execute(self, outcomes: Iterable[tuple[Task, Outcome]]) -> None:
        job = self.job
        if job.request["Report"]["Enabled"]:
            self._report = ReportWriter(job.request["Report"], job.id)
        pace = self._settings.tasks_per_second
        chunk = max(1, int(pace / 10)) if pace else 0
        for done, (task, outcome) in enumerate(outcomes, 1):
            if self._report:
                self._report.add(task, outcome)
            if outcome.succeeded:
                job.succeeded += 1
            else:
                job.failed += 1
                self._check_rate()
            if pace and not done % chunk:
                self._settings.clock.sleep(chunk / pace, job.wake)
            if job.attention:
                self._attend()

    def _outcomes(
        self, session: JobSession, source: TaskSource
    ) -> Generator[tuple[Task, Outcome], None, None]:
        job = self.job
        parameters = job.request["Operation"][job.operation]
        context = JobContext(job.id, job.names, job.account, job.region, parameters, session, self._settings)
        plane = self._settings.data_plane or S3DataPlane()
        return plane.operation(job.operation, context).run(source.tasks())

    def _attend(self) -> None:
        job = self.job
        job.attention = False
        job.wake.clear()
        job.check()
        if job.yield_requested:
            self._pause()

    def _pause(self, seconds: float = 0.0) -> None:
        """Make room, for so long at least; return when the job has a place again."""
        job = self.job
        queue = scheduler(job.account)
        queue.release(job)
        job.to("Paused")
        job.sleep(seconds)
        queue.acquire(job)
        job.to("Active")

    def _check_rate(self) -> None:
        job, inputs = self.job, self._settings
        run = job.succeeded + job.failed
        if run >= inputs.failed_job_tasks and job.failed > run * inputs.failed_job_rate:
            reason = f"More than {inputs.failed_job_rate:.0%} of the tasks that were run have failed"
            raise JobFailedError(inputs.failure_codes.failure_rate, reason)

    def _fail(self, error: JobFailedError) -> None:
        self.job.failures.append(error)
        self.job.to("Failing")
        self._end("Failed")

    def _end(self, status: str) -> None:
        job = self.job
        if job.status in TERMINAL:
            return
        try:
            self._publish()
        except JobFailedError as error:
            job.failures.append(error)
        except Exception as error:
            log.exception("report of job %s", job.id)
            job.failures.append(JobFailedError(self._settings.failure_codes.internal, repr(error)))
        job.to(status)

    def _publish(self) -> None:
        report, self._report = self._report, None
        if report is None or self._session is None:
            return
        try:
            if self.job.succeeded + self.job.failed and not self._struck("no_report"):
                report.publish(self._session, self._settings, true_md5=not self._struck("wrong_md5"))
        finally:
            report.close()

    def _publish_late(self, seconds: float) -> None:
        self.job.sleep(seconds)
        try:
            self._publish()
        except JobFailedError:
            log.exception("late report of job %s", self.job.id)

    def _close(self) -> None:
        if self._report:
            self._report.close()
        if self._source:
            self._source.close()


def start(job: Job) -> None:
    """Let a new job live."""
    thread = JobThread(job)
    with _live_lock:
        _live.add(thread)
    thread.start()


def stop_all(timeout: float = 10.0) -> None:
    """End every job's thread. Raises TimeoutError if one goes on for `timeout` seconds of real time."""
    with _live_lock:
        threads = list(_live)
    for thread in threads:
        thread.job.stop()
    until = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))
    left = [thread.name for thread in threads if thread.is_alive()]
    if left:
        raise TimeoutError(f"still running: {', '.join(left)}")


def wait_for_idle(timeout: float = 60.0) -> None:
    """Return when every job has ended or waits for its confirmation.

    Raises TimeoutError after so much real time.
    """
    until = time.monotonic() + timeout
    while True:
        with _live_lock:
            busy = [thread.job for thread in _live if thread.job.status != "Suspended"]
        if not busy:
            return
        if time.monotonic() > until:
            raise TimeoutError(", ".join(f"job {job.id} is {job.status}" for job in busy))
        time.sleep(0.005)
