"""Step Functions as AWS documents them, where moto's interpreter differs.

Each function closes one gap of the pinned moto; `tests/integration/localcloud/test_stepfunctions.py` fails
when moto closes it itself.
"""

from __future__ import annotations

import logging
import re
import uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from moto.stepfunctions.exceptions import InvalidName
from moto.stepfunctions.parser.api import InvalidDefinition
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from localcloud.aws import client
from localcloud.clock import Clock
from localcloud.patching import Patches

SYNC_POLL_SECONDS = 0.05
NOT_CAUGHT_BY_ALL = {"States.DataLimitExceeded", "States.Runtime"}
_FORBIDDEN_IN_NAME = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]')
_UNSUPPORTED = {'"JSONata"': "QueryLanguage JSONata", '"DISTRIBUTED"': "Distributed Map"}


def install(patches: Patches, clock: Clock) -> None:
    """Close the gaps until the patches are undone; waits and retries run on `clock`."""
    # The interpreter logs each failed state as an error; the execution's history tells of it already.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    _wait_on(patches, clock)
    _name_executions(patches)
    _refuse_unsupported(patches)
    _normalise_integrations(patches)
    _limit_states_all(patches)


def _wait_on(patches: Patches, clock: Clock) -> None:
    """Wait states and retry intervals pass on the cloud's clock, not in real time."""

    def wait(self: Any, env: Any, wait_seconds: float) -> None:
        until = clock.now().timestamp() + wait_seconds
        while env.is_running() and (left := until - clock.now().timestamp()) > 0:
            clock.sleep(left, env.program_state_event)

    patches.replace(WaitFunction, "_wait_interval", wait)
    patches.replace(retrier_decl, "time", SimpleNamespace(sleep=clock.sleep))
    patches.replace(state_task_service_callback, "_DELAY_SECONDS_SYNC_CONDITION_CHECK", SYNC_POLL_SECONDS)


def _name_executions(patches: Patches) -> None:
    """An execution started without a name gets a UUID; a forbidden name is refused; StartTime is text."""

    def start_execution(
        self: Any, state_machine_arn: str, name: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        if name is not None and (not 1 <= len(name) <= 80 or _FORBIDDEN_IN_NAME.search(name)):
            raise InvalidName(f"Invalid Name: '{name}'")
        return start(self, state_machine_arn, name or str(uuid.uuid4()), *args, **kwargs)

    def start_details(self: Any) -> Any:
        details = original_details(self)
        started = details.start_time.astimezone(UTC)
        details.start_time = started.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return details

    start = patches.replace(StepFunctionsParserBackend, "start_execution", start_execution)
    # An execution can be listed a moment before its worker has set the status.
    patches.replace(
        Execution, "status", property(lambda self: self.exec_status.value if self.exec_status else "RUNNING")
    )
    original_details = patches.replace(Execution, "get_start_execution_details", start_details)


def _refuse_unsupported(patches: Patches) -> None:
    """A definition that moto would run wrongly is refused when it is created."""

    def validate(definition: str) -> None:
        for mark, feature in _UNSUPPORTED.items():
            if mark in definition:
                raise InvalidDefinition(message=f"{feature} is not supported by the local cloud")
        original(definition)

    original = StepFunctionsParserBackend._validate_definition
    patches.replace(StepFunctionsParserBackend, "_validate_definition", staticmethod(validate))


def _normalise_integrations(patches: Patches) -> None:
    """Service integrations take and give PascalCase members, and times as the integration does."""

    def operation(task: Any, service: str | None, action: str | None) -> Any:
        api = client(task._get_boto_service_name(service))
        name = api.meta.method_to_api_mapping.get(task._get_boto_service_action(action))
        return api.meta.service_model.operation_model(name) if name else None

    def normalise_parameters(
        self: Any,
        parameters: Any,
        boto_service_name: str | None = None,
        service_action_name: str | None = None,
    ) -> None:
        model = operation(self, boto_service_name, service_action_name)
        if model is not None and model.input_shape is not None:
            self._to_boto_request(parameters, model.input_shape)

    def normalise_response(
        self: Any, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None
    ) -> None:
        model = operation(self, boto_service_name, service_action_name)
        if model is not None and model.output_shape is not None:
            self._from_boto_response(response, model.output_shape)
        _times_to_milliseconds(response)

    patches.replace(StateTaskService, "_normalise_parameters", normalise_parameters)
    patches.replace(StateTaskService, "_normalise_response", normalise_response)


def _times_to_milliseconds(value: Any) -> None:
    if isinstance(value, dict):
        for key, member in value.items():
            if isinstance(member, datetime):
                value[key] = int(member.timestamp() * 1000)
            else:
                _times_to_milliseconds(member)
    elif isinstance(value, list):
        for member in value:
            _times_to_milliseconds(member)


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
