"""Time that stands still but for leaps: days of waiting pass in milliseconds, and everything happens at a known time.

Clock and services do their work in threads of their own, in no time at all: before it leaps, the stage waits until
each of them waits for the clock, or for somebody.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import botocore.endpoint
import moto.s3.models
from botocore.config import Config

from localcloud import replication
from localcloud.batch_operations import lifecycle
from localcloud.batch_operations.scheduler import scheduler
from localcloud.clock import ManualClock
from localcloud.patching import Patches
from seeder import clients, triggers
from seeder.fleet import seen
from seeder.lake import retry
from seeder.listing import patient as listing_patient
from tests.e2e.deployed import ACCOUNT

REST_SECONDS = 120


class SimulatedClock(ManualClock):
    """Time that moves only by `leap_to`; it knows who waits for it, and until when."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))
        self._sleepers: dict[int, tuple[datetime, threading.Event | None]] = {}

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        me = threading.get_ident()
        self._sleepers[me] = self.now() + timedelta(seconds=seconds), wake
        try:
            super().sleep(seconds, wake)
        finally:
            self._sleepers.pop(me, None)

    def leap_to(self, moment: datetime) -> None:
        """Let it be this moment, unless it is later."""
        self.advance(max((moment - self.now()).total_seconds(), 0))

    def is_waited_for(self, thread: threading.Thread) -> bool:
        """Tell whether a thread waits for a time to come."""
        until, wake = self._sleepers.get(thread.ident or 0, (self.now(), None))
        return until > self.now() and not (wake and wake.is_set())

    def dues(self) -> list[datetime]:
        """Until when anybody waits."""
        return [until for until, _ in list(self._sleepers.values())]

    def due_jobs(self) -> list[datetime]:
        """When jobs go on by themselves."""
        jobs = [thread.ident or 0 for thread in list(lifecycle._live)]
        return [self._sleepers[one][0] for one in jobs if one in self._sleepers]


class Rest:
    """Whether the services of the cloud have nothing to do by now."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def come(self) -> None:
        """Return when nothing is left to do before the clock moves. Raises AssertionError after two minutes."""
        until = time.monotonic() + REST_SECONDS
        while self._is_busy():
            assert time.monotonic() < until, f"jobs or replication do not come to rest: {self._busy()}"
            time.sleep(0.0005)

    def next_due(self) -> list[datetime]:
        """When services go on by themselves."""
        engine = replication._engine
        waiting = [task.due for task in list(engine._waiting)] if engine else []
        return [*self._clock.due_jobs(), *waiting]

    def _busy(self) -> list[str]:
        """What goes on, and where."""
        frames = sys._current_frames()
        going = [(one.job, frames.get(one.ident or 0)) for one in list(lifecycle._live) if self._works(one)]
        told = [f"{job.status} {job.request}: {''.join(traceback.format_stack(at))}" for job, at in going]
        return [*told, *(["replication"] if self._replicates() else [])]

    def _is_busy(self) -> bool:
        return any(self._works(thread) for thread in list(lifecycle._live)) or self._replicates()

    def _works(self, thread: lifecycle.JobThread) -> bool:
        job, queue = thread.job, scheduler(ACCOUNT)
        waits = job in queue._waiting and not queue._is_next(job)
        return not (waits or self._clock.is_waited_for(thread))

    def _replicates(self) -> bool:
        engine = replication._engine
        if engine is None:
            return False
        with engine._changed:
            later = sum(task.due > self._clock.now() for task in engine._waiting)
            return engine._pending > later


@contextmanager
def simulated(clock: SimulatedClock) -> Iterator[None]:
    """Let S3 and the application go by the clock, and nobody wait in real time, within the block.

    The adaptive retries of the clients, which slow a process down for long after a throttle, are standard ones here.
    """
    patches = Patches()
    patient = Config(retries={"mode": "standard", "total_max_attempts": 5}, max_pool_connections=64)
    patches.replace(moto.s3.models, "utcnow", lambda: clock.now().replace(tzinfo=None))
    patches.replace(botocore.endpoint, "time", SimpleNamespace(sleep=lambda seconds: None))
    patches.replace(clients, "_CONFIG", patient)
    patches.replace(retry, "FIRST_BOUND_SECONDS", 0.0)
    patches.replace(listing_patient, "BACKOFF_SECONDS", 0.0)
    patches.replace(triggers, "SETTLE_SECONDS", 0.0)
    patches.replace(seen.Seen.__init__, "__defaults__", (clock.now,))
    try:
        yield
    finally:
        patches.undo()
