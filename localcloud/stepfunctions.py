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

from botocore.exceptions import ClientError
from moto.stepfunctions.exceptions import AWSError, InvalidName
from moto.stepfunctions.parser.api import ExecutionStatus, InvalidDefinition
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_aws_sdk,
    state_task_service_callback,
    state_task_service_events,
    state_task_service_sfn,
    state_task_service_sns,
    state_task_service_sqs,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from localcloud import execution_errors, execution_history
from localcloud.authorization import Authorization
from localcloud.aws import client
from localcloud.clock import Clock
from localcloud.patching import Patches
from localcloud.sessions import STATES, NotAssumable

SYNC_POLL_SECONDS = 0.05
_FORBIDDEN_IN_NAME = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]')
_INTEGRATIONS = (
    lambda_eval_utils,
    state_task_service_aws_sdk,
    state_task_service_events,
    state_task_service_sfn,
    state_task_service_sns,
    state_task_service_sqs,
)
_SYNC_EXECUTION = "states:startExecution.sync"
_MANAGED_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
_UNSUPPORTED = {'"JSONata"': "QueryLanguage JSONata", '"DISTRIBUTED"': "Distributed Map"}


def install(patches: Patches, clock: Clock, authorization: Authorization) -> None:
    """Close the gaps until the patches are undone; waits and retries run on `clock`, tasks as the machine's role."""
    # The interpreter logs each failed state as an error; the execution's history tells of it already.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    _wait_on(patches, clock)
    _abort_what_is_stopped(patches)
    _name_executions(patches)
    _refuse_unsupported(patches)
    _normalise_integrations(patches)
    execution_errors.install(patches)
    execution_history.install(patches)
    _check_roles(patches, authorization)
    _act_as_roles(patches, authorization)


def _abort_what_is_stopped(patches: Patches) -> None:
    """End an execution that was stopped in the middle of a task as ABORTED; moto lets the task fail, and it with it."""

    def stop(execution: Any, *given: Any, **named: Any) -> None:
        execution.is_stopped = execution.exec_worker is not None
        stopping(execution, *given, **named)

    def reflect(communication: Any) -> None:
        reflecting(communication)
        execution = communication.execution
        if getattr(execution, "is_stopped", False) and execution.exec_status == ExecutionStatus.FAILED:
            execution.exec_status, execution.error, execution.cause = ExecutionStatus.ABORTED, None, None

    stopping = patches.replace(Execution, "stop", stop)
    reflecting = patches.replace(BaseExecutionWorkerCommunication, "_reflect_execution_status", reflect)


def _check_roles(patches: Patches, authorization: Authorization) -> None:
    """A machine is made only with a role that Step Functions may take on, and that may do what `.sync` needs.

    Contract: Step Functions developer guide, "IAM policies for nested Step Functions workflows".
    """

    def create_state_machine(self: Any, name: str, definition: str, roleArn: str, **given: Any) -> Any:  # noqa: N803
        place = f"{self.region_name}:{self.account_id}"
        try:
            authorization.check_trust(roleArn, STATES, f"arn:aws:states:{place}:stateMachine:{name}")
        except NotAssumable as error:
            raise AWSError(
                f"Neither the global service principal {STATES}, nor the regional one is authorized to assume "
                f"the provided role. ({error})",
                "AccessDeniedException",
            ) from error
        rule = f"arn:aws:events:{place}:rule/{_MANAGED_RULE}"
        actions = ("PutRule", "PutTargets", "DescribeRule") if _SYNC_EXECUTION in definition else ()
        allowed = [
            authorization.may(roleArn, STATES, f"events:{each}", rule, self.region_name) for each in actions
        ]
        if not all(allowed):
            raise AWSError(f"'{roleArn}' is not authorized to create managed-rule.", "AccessDeniedException")
        return create(self, name, definition, roleArn, **given)

    create = patches.replace(StepFunctionsParserBackend, "create_state_machine", create_state_machine)


def _act_as_roles(patches: Patches, authorization: Authorization) -> None:
    """Tasks call other services with the credentials of the machine's role."""

    def credentials(self: Any, env: Any) -> Any:
        given = original(self, env)
        machine = env.states.context_object.context_object_data["StateMachine"]["Id"]
        try:
            authorization.check_trust(given.role_arn, STATES, machine)
        except NotAssumable as error:
            refusal: Any = {
                "Error": {"Code": "AccessDeniedException", "Message": str(error)},
                "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": "refused"},
            }
            raise ClientError(refusal, "AssumeRole") from error
        return given

    def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        return authorization.client(service, region, state_credentials.role_arn, STATES)

    original = patches.replace(StateTask, "_eval_state_credentials", credentials)
    for module in _INTEGRATIONS:
        patches.replace(module, "boto_client_for", client_for)


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
