"""Which jobs of an account run: so many at once, the highest priority first, pausing lower ones for it."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcloud.batch_operations.job import Job


class Scheduler:
    """The running jobs of one account, and those that wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: list[Job] = []
        self._waiting: list[Job] = []

    @contextmanager
    def turn(self, job: Job) -> Iterator[None]:
        """Hold one of the account's places. Raises JobStopped or JobCancelled while waiting for it."""
        self.acquire(job)
        try:
            yield
        finally:
            self.release(job)

    def acquire(self, job: Job) -> None:
        """Wait for a place. Raises JobStopped or JobCancelled."""
        with self._changed:
            self._waiting.append(job)
            try:
                while not self._is_next(job):
                    job.check()
                    self._make_room(job)
                    self._changed.wait(0.05)
                job.check()
                self._running.append(job)
                job.yield_requested = False
            finally:
                self._waiting.remove(job)
                self._changed.notify_all()

    def release(self, job: Job) -> None:
        """Give the place back, if the job has one."""
        with self._changed:
            if job in self._running:
                self._running.remove(job)
            self._changed.notify_all()

    def wake(self) -> None:
        """Look again who is next, after a priority has changed."""
        with self._changed:
            self._changed.notify_all()

    def _is_next(self, job: Job) -> bool:
        free = job.settings.active_jobs - len(self._running)
        return self._rank(job) < free

    def _rank(self, job: Job) -> int:
        ahead = sorted(self._waiting, key=lambda other: -other.priority)
        return ahead.index(job)

    def _make_room(self, job: Job) -> None:
        leaving = sum(other.yield_requested for other in self._running)
        free = job.settings.active_jobs - len(self._running)
        if leaving + free > self._rank(job):
            return
        lower = [
            other
            for other in self._running
            if not other.yield_requested and other.region == job.region and other.priority < job.priority
        ]
        if lower:
            min(lower, key=lambda other: other.priority).request_pause()


_schedulers: dict[str, Scheduler] = defaultdict(Scheduler)


def scheduler(account: str) -> Scheduler:
    """Return the scheduler of an account."""
    return _schedulers[account]
