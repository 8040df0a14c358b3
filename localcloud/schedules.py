"""EventBridge Scheduler: an enabled schedule fires on the cloud's clock, as its role.

Contract: EventBridge Scheduler User Guide, "Schedule types in EventBridge Scheduler" and "Confused deputy
prevention in EventBridge Scheduler". Time zones other than UTC, flexible windows, start and end dates are
refused.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends

from localcloud.aws import ACCOUNT_ID
from localcloud.clock import Clock
from localcloud.cron import next_time
from localcloud.dead_letters import Refusal, keep_invocation, log
from localcloud.events import assume, start
from localcloud.patching import Patches
from localcloud.sessions import SCHEDULER

# What a dead letter calls the target and its input: the members of the call that was not taken.
_REQUESTS = {
    "states": ("StateMachineArn", "Input"),
    "lambda": ("FunctionName", "Payload"),
    "sns": ("TopicArn", "Message"),
}


def install(patches: Patches, clock: Clock, stopped: threading.Event) -> None:
    """Fire schedules made or changed from now on, until the patches are undone and `stopped` is set."""

    def create_schedule(self: Any, *args: Any, **kwargs: Any) -> Any:
        schedule = create(self, *args, **kwargs)
        try:
            return watched(schedule)
        except Exception:
            _group(schedule).delete_schedule(schedule.name)
            raise

    def update_schedule(self: Any, *args: Any, **kwargs: Any) -> Any:
        return watched(update(self, *args, **kwargs))

    def watched(schedule: Any) -> Any:
        schedule.turn = turn = object()
        if schedule.state == "ENABLED":
            _check(schedule, clock.now())
            threading.Thread(target=_run, args=(schedule, turn, clock, stopped), daemon=True).start()
        return schedule

    create = patches.replace(EventBridgeSchedulerBackend, "create_schedule", create_schedule)
    update = patches.replace(EventBridgeSchedulerBackend, "update_schedule", update_schedule)


def fire(name: str, region: str, group: str = "default") -> None:
    """Start a schedule's target now, whatever its state. Raises KeyError for an unknown schedule."""
    _start(scheduler_backends[ACCOUNT_ID][region].schedule_groups[group].schedules[name], datetime.now(UTC))


def _check(schedule: Any, now: datetime) -> None:
    """Refuse what Scheduler does not take, and what is not done here."""
    try:
        next_time(schedule.schedule_expression, now)
    except ValueError as error:
        raise ValidationException(f"Invalid Schedule Expression {error}.") from error
    done = {
        "ScheduleExpressionTimezone": schedule.schedule_expression_timezone == "UTC",
        "FlexibleTimeWindow": schedule.flexible_time_window.get("Mode") == "OFF",
        "StartDate": not schedule.start_date,
        "EndDate": not schedule.end_date,
    }
    undone = [name for name, is_done in done.items() if not is_done]
    if undone:
        raise NotImplementedError(f"{', '.join(undone)} of schedules: not supported by the local cloud")


def _run(schedule: Any, turn: object, clock: Clock, stopped: threading.Event) -> None:
    due = next_time(schedule.schedule_expression, clock.now())
    while due:
        clock.sleep((due - clock.now()).total_seconds(), stopped)
        if stopped.is_set() or schedule.turn is not turn or not _is_there(schedule):
            return
        _start(schedule, due)
        due = next_time(schedule.schedule_expression, due)


def _group(schedule: Any) -> Any:
    region = schedule.arn.split(":")[3]
    return scheduler_backends[ACCOUNT_ID][region].schedule_groups[schedule.group_name]


def _is_there(schedule: Any) -> bool:
    return _group(schedule).schedules.get(schedule.name) is schedule


def _start(schedule: Any, due: datetime) -> None:
    """Call the target as the schedule's role; without that role not even its dead-letter queue is reached."""
    arn, payload = schedule.target["Arn"], schedule.target.get("Input") or "{}"
    try:
        role = assume(schedule.target["RoleArn"], SCHEDULER, _group(schedule).arn)
    except Refusal as refusal:
        log.warning("schedule %s: %s", schedule.name, refusal.message)
        return
    try:
        start(arn, payload, role)
    except Refusal as refusal:
        names = _REQUESTS[arn.split(":")[2]]
        keep_invocation(schedule, role, dict(zip(names, (arn, payload), strict=True)), refusal, due)
