"""EventBridge Scheduler: an enabled `rate(…)` schedule fires on the cloud's clock, others are refused."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends

from localcloud import events
from localcloud.aws import ACCOUNT_ID
from localcloud.clock import Clock
from localcloud.patching import Patches

_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


def install(patches: Patches, clock: Clock, stopped: threading.Event) -> None:
    """Fire schedules made from now on, until the patches are undone and `stopped` is set."""

    def create_schedule(self: Any, *args: Any, **kwargs: Any) -> Any:
        schedule = original(self, *args, **kwargs)
        if schedule.state == "ENABLED":
            seconds = _interval(schedule.schedule_expression)
            threading.Thread(target=_run, args=(schedule, seconds, clock, stopped), daemon=True).start()
        return schedule

    original = patches.replace(EventBridgeSchedulerBackend, "create_schedule", create_schedule)


def fire(name: str, region: str, group: str = "default") -> None:
    """Start a schedule's target now, whatever its state. Raises KeyError for an unknown schedule."""
    _start(scheduler_backends[ACCOUNT_ID][region].schedule_groups[group].schedules[name])


def _interval(expression: str) -> int:
    match = _RATE.fullmatch(expression)
    if match is None:
        raise NotImplementedError(
            f"ScheduleExpression {expression}: the local cloud fires rate(…) schedules only"
        )
    return int(match[1]) * _SECONDS[match[2]]


def _run(schedule: Any, seconds: int, clock: Clock, stopped: threading.Event) -> None:
    while True:
        clock.sleep(seconds, stopped)
        if stopped.is_set():
            return
        if schedule.state == "ENABLED":
            _start(schedule)


def _start(schedule: Any) -> None:
    events.start(schedule.target, json.loads(schedule.target.get("Input") or "{}"))
