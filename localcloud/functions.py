"""Lambda: who may run a function, what it may be given, and what becomes of its log.

`localcloud.lambda_runtime` runs it.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import botocore.loaders
import botocore.session
from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import LambdaFunction, LambdaStorage

from localcloud.authorization import Authorization
from localcloud.lambda_runtime.in_process import InProcess
from localcloud.lambda_runtime.outcome import REQUEST_BYTES, Runner
from localcloud.lambda_runtime.processes import Processes
from localcloud.patching import Patches
from localcloud.sessions import LAMBDA, NotAssumable

IN_PROCESS, PROCESSES = "in-process", "processes"
VARIABLE = "SEEDER_FUNCTIONS"
_NOT_ASSUMABLE = "The role defined for the function cannot be assumed by Lambda."


def runner(mode: str | None = None) -> Runner:
    """Return what runs functions: `mode`, or the variable SEEDER_FUNCTIONS, is "in-process" (if none) or "processes".

    Raises ValueError for another mode.
    """
    mode = mode or os.environ.get(VARIABLE) or IN_PROCESS
    match mode:
        case "in-process":
            return InProcess()
        case "processes":
            return Processes()
    raise ValueError(f"functions is {mode!r}; use '{IN_PROCESS}' or '{PROCESSES}'")


@cache
def _loader() -> Any:
    return botocore.loaders.create_loader()


class Functions:
    """All functions of the cloud. A role that does not trust Lambda runs nothing."""

    def __init__(self, authorization: Authorization, runner: Runner) -> None:
        self._authorization = authorization
        self._runner = runner

    def install(self, patches: Patches) -> None:
        """Run invocations here until the patches are undone.

        The functions' sessions share the loaded service models, which each would take 0.2 s to read.
        """
        patches.replace(botocore.session, "create_loader", lambda *_: _loader())
        patches.replace(
            LambdaFunction, "_invoke_lambda", lambda function, event=None: self.invoke(function, event)
        )

        def put_function(storage: Any, function: Any) -> None:
            try:
                self._authorization.check_trust(function.role, LAMBDA, function.function_arn)
            except NotAssumable as error:
                raise InvalidParameterValueException(_NOT_ASSUMABLE) from error
            put(storage, function)

        put = patches.replace(LambdaStorage, "put_function", put_function)

    def stop(self) -> None:
        """End whatever runs."""
        self._runner.stop()

    def invoke(self, function: Any, event: Any) -> tuple[str, bool, str]:
        """Return the payload, whether it is a function error, and the log, as moto expects them."""
        try:
            self._authorization.check_trust(function.role, LAMBDA, function.function_arn)
        except NotAssumable as error:
            raise LambdaClientError("AccessDeniedException", _NOT_ASSUMABLE) from error
        size = len(json.dumps(event).encode())
        if size > REQUEST_BYTES:
            raise LambdaClientError(
                "RequestTooLargeException", f"Request must be smaller than {REQUEST_BYTES} bytes"
            )
        outcome = self._runner.invoke(function, event)
        self._keep_log(function, outcome.log)
        return outcome.payload, outcome.failed, outcome.log

    def _keep_log(self, function: Any, log: str) -> None:
        """Write the log, and the trace, with the function's role; without the permission they are lost."""
        place = f"{function.region}:{function.account_id}"
        stream = f"arn:aws:logs:{place}:log-group:{function.logs_group_name}:log-stream:local"

        def may(action: str, resource: str) -> bool:
            return self._authorization.may(function.role, LAMBDA, action, resource, function.region)

        if function.tracing_config.get("Mode") == "Active":
            may("xray:PutTraceSegments", "*")
            may("xray:PutTelemetryRecords", "*")
        if may("logs:CreateLogStream", stream) and may("logs:PutLogEvents", stream):
            function.logs_backend.ensure_log_group(function.logs_group_name)
            function.save_logs(log)
