"""An execution's history holds 25,000 events, where moto's has no end.

Contract: Step Functions developer guide, "Avoid reaching the history quota": event 25,000 is ExecutionSucceeded, or the
execution fails. Error and cause are those that users of AWS report.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager

from localcloud.patching import Patches

MOST_EVENTS = 25_000
_ENDS = {
    HistoryEventType.ExecutionSucceeded,
    HistoryEventType.ExecutionFailed,
    HistoryEventType.ExecutionAborted,
    HistoryEventType.ExecutionTimedOut,
}
# moto's Map would wait for ever for an item whose end could not be noted.
_ENDS_OF_ITEMS = {
    HistoryEventType.MapIterationSucceeded,
    HistoryEventType.MapIterationFailed,
    HistoryEventType.MapIterationAborted,
}


class HistoryFull(Exception):
    """The next event of the history must be the execution's end."""


def install(patches: Patches) -> None:
    """Let executions fail that have too many events, until the patches are undone."""

    def add_event(self: Any, context: Any, event_type: Any, *args: Any, **given: Any) -> Any:
        if not _is_full(self) or event_type in _ENDS:
            return add(self, context, event_type, *args, **given)
        if event_type in _ENDS_OF_ITEMS:
            return context.last_published_event_id
        raise HistoryFull

    def set_error(self: Any, error: Any) -> None:
        if _is_full(self.event_manager):
            told = f"The execution reached the maximum number of history events ({MOST_EVENTS})."
            error = {"error": "States.Runtime", "cause": told}
        fail(self, error)

    add = patches.replace(EventManager, "add_event", add_event)
    fail = patches.replace(Environment, "set_error", set_error)


def _is_full(manager: Any) -> bool:
    return len(manager._history_event_list) >= MOST_EVENTS - 1
