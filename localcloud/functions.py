"""Lambda: each invocation runs the function's deployed code in this process.

A function's instance is made on its first invocation and kept, as Lambda keeps a warm one: its module is
imported from the deployed archive under the function's variables and its role's credentials. Layers are not
mounted: what a layer holds must be importable in this process. Nor can a thread be killed: a function that
outlives its timeout finishes, and its invocation is then reported as timed out.
"""

from __future__ import annotations

import importlib.util
import io
import itertools
import json
import sys
import tempfile
import threading
import time
import traceback
import uuid
import zipfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session
from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import LambdaFunction, LambdaStorage

from localcloud import sessions
from localcloud.authorization import Authorization
from localcloud.patching import Patches
from localcloud.scoped import scope
from localcloud.sessions import LAMBDA, NotAssumable

_NOT_ASSUMABLE = "The role defined for the function cannot be assumed by Lambda."
_CREDENTIALS_SECONDS = 3600
_module_numbers = itertools.count(1)


@dataclass
class Context:
    """The context object that a handler receives (AWS Lambda developer guide, "Python context object")."""

    function_name: str
    function_version: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    log_group_name: str
    deadline: float
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    log_stream_name: str = "local"

    def get_remaining_time_in_millis(self) -> int:
        """Return the real milliseconds until the function's timeout."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


class Instance:
    """A warm execution environment of one function version."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.variables = {
            "_HANDLER": function.handler,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": function.region,
            "POWERTOOLS_TRACE_DISABLED": "true",
            **function.environment_vars,
        }
        self._lock = threading.Lock()
        self._handler: Any = None
        self._boto_sessions: list[boto3.Session] = []
        self._credentials_until = 0.0

    def invoke(self, event: Any) -> tuple[Any, str]:
        """Return what the handler returned, and what it printed. Raises what the handler raises."""
        self._refresh_credentials()
        with scope(self.variables, self._boto_sessions) as printed:
            if self._handler is None:
                with self._lock:
                    self._handler = self._handler or self._load()
            try:
                return self._handler(event, self._context()), printed.getvalue()
            except Exception as error:
                error.add_note(printed.getvalue())
                raise

    def _context(self) -> Context:
        function = self.function
        return Context(
            function_name=function.function_name,
            function_version=str(function.version),
            invoked_function_arn=function.function_arn,
            memory_limit_in_mb=str(function.memory_size),
            log_group_name=function.logs_group_name,
            deadline=time.monotonic() + function.timeout,
        )

    def _refresh_credentials(self) -> None:
        with self._lock:
            if time.monotonic() < self._credentials_until:
                return
            function = self.function
            given = sessions.begin(
                function.role, function.function_name, LAMBDA, function.region, _CREDENTIALS_SECONDS
            )
            self.variables |= {
                "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
                "AWS_SESSION_TOKEN": given["SessionToken"],
            }
            self._credentials_until = time.monotonic() + _CREDENTIALS_SECONDS / 2

    def _load(self) -> Any:
        module_name, _, attribute = self.function.handler.rpartition(".")
        with tempfile.TemporaryDirectory(prefix="localcloud-function-") as folder:
            with zipfile.ZipFile(io.BytesIO(self.function.code_bytes)) as archive:
                archive.extractall(folder)  # the archive is the one this cloud was given to deploy
            path = Path(folder, *module_name.split("/")).with_suffix(".py")
            unique = f"localcloud_function_{next(_module_numbers)}_{path.stem}"
            spec = importlib.util.spec_from_file_location(unique, path)
            if spec is None or spec.loader is None or not path.exists():
                raise ImportError(f"Unable to import module '{module_name}': no such file in the archive")
            module = importlib.util.module_from_spec(spec)
            sys.modules[unique] = module
            spec.loader.exec_module(module)
        return getattr(module, attribute)


@cache
def _loader() -> Any:
    return botocore.loaders.create_loader()


class Functions:
    """All instances of the cloud, by function ARN and code. A role that does not trust Lambda runs nothing."""

    def __init__(self, authorization: Authorization) -> None:
        self._authorization = authorization
        self._instances: dict[tuple[str, str, str], Instance] = {}
        self._lock = threading.Lock()

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

    def invoke(self, function: Any, event: Any) -> tuple[str, bool, str]:
        """Return the payload, whether it is a function error, and the log, as moto expects them."""
        try:
            self._authorization.check_trust(function.role, LAMBDA, function.function_arn)
        except NotAssumable as error:
            raise LambdaClientError("AccessDeniedException", _NOT_ASSUMABLE) from error
        instance = self._instance(function)
        started = time.monotonic()
        failed = False
        try:
            result, log = instance.invoke(event)
            payload = json.dumps(result)
        except Exception as error:
            failed = True
            log = "\n".join([*getattr(error, "__notes__", []), traceback.format_exc()])
            payload = json.dumps(_error_document(error))
        if time.monotonic() - started > function.timeout:
            failed = True
            message = f"{uuid.uuid4()} Task timed out after {function.timeout:.2f} seconds"
            payload = json.dumps({"errorType": "Sandbox.Timedout", "errorMessage": message})
        self._keep_log(function, log)
        return payload, failed, log

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

    def _instance(self, function: Any) -> Instance:
        key = (function.function_arn, function.code_sha_256, json.dumps(function.environment_vars))
        with self._lock:
            if key not in self._instances:
                self._instances[key] = Instance(function)
            return self._instances[key]


def _error_document(error: Exception) -> dict[str, Any]:
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": str(uuid.uuid4()),
        "stackTrace": traceback.format_tb(error.__traceback__),
    }
