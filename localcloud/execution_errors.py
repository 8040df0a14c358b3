"""The errors of states as Step Functions names and catches them, where moto's interpreter differs.

`tests/integration/localcloud/test_stepfunctions.py` fails when moto closes a gap itself.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_events import (
    StateTaskServiceEvents,
)

from localcloud.patching import Patches

NOT_CAUGHT_BY_ALL = {"States.DataLimitExceeded", "States.Runtime"}


def install(patches: Patches) -> None:
    """Close the gaps until the patches are undone."""
    _limit_states_all(patches)
    _name_errors_of_events(patches)


def _limit_states_all(patches: Patches) -> None:
    """`States.ALL` catches neither States.DataLimitExceeded nor States.Runtime."""

    def evaluate(self: Any, env: Any) -> None:
        error = env.stack[-1]
        named = {name.error_name for name in self.error_names}
        if error.error_name in NOT_CAUGHT_BY_ALL and error.error_name not in named:
            env.stack.pop()
            env.stack.append(False)
        else:
            original(self, env)

    original = patches.replace(ErrorEqualsDecl, "_eval_body", evaluate)


def _name_errors_of_events(patches: Patches) -> None:
    """What EventBridge refuses fails the task by that name, which Retry and Catch go by; moto ends the execution."""

    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        if not isinstance(ex, ClientError):
            return original(self, env, ex)
        code = ex.response["Error"]["Code"].removesuffix("Exception")
        failed: Any = {
            "error": f"EventBridge.{code}Exception",
            "cause": f"{ex.response['Error']['Message']} (Service: EventBridge; Error Code: {code})",
            "resource": self._get_sfn_resource(),
            "resourceType": self._get_sfn_resource_type(),
        }
        details: Any = {"taskFailedEventDetails": failed}
        return FailureEvent(env, CustomErrorName(failed["error"]), HistoryEventType.TaskFailed, details)

    original = patches.replace(StateTaskServiceEvents, "_from_error", from_error)
