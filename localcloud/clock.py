"""The time of the local cloud, injected so that days can pass in milliseconds."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the local cloud's services ask the time of, and wait on."""

    def now(self) -> datetime:
        """Return the cloud's time, in UTC."""
        ...

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        """Return when `seconds` of the cloud's time have passed, or earlier when `wake` is set."""
        ...


class ScaledClock:
    """Real time, `speed` times as fast."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._began = datetime.now(UTC)
        self._zero = time.monotonic()

    def now(self) -> datetime:
        """Return the time since the start, scaled."""
        return self._began + timedelta(seconds=(time.monotonic() - self._zero) * self.speed)

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        """Sleep `seconds / speed` of real time."""
        (wake or threading.Event()).wait(max(seconds, 0) / self.speed)


class ManualClock:
    """Time that stands still until a test advances it."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._changed = threading.Condition()

    def now(self) -> datetime:
        """Return the time last set."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass and wake whoever waited for them."""
        with self._changed:
            self._now += timedelta(seconds=seconds)
            self._changed.notify_all()

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        """Block until the time has been advanced by `seconds`, or `wake` is set."""
        until = self._now + timedelta(seconds=seconds)
        with self._changed:
            while self._now < until and not (wake and wake.is_set()):
                self._changed.wait(0.02 if wake else None)
