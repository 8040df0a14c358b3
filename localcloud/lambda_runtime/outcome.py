"""What an invocation comes to, and the variables and errors that Lambda itself makes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from localcloud import sessions
from localcloud.sessions import LAMBDA

CREDENTIALS_SECONDS = 3600
REQUEST_BYTES = 6 * 1024**2
RESPONSE_BYTES = 6_291_556
"""The most that a synchronous invocation takes and answers (Lambda quotas: 6 MB each; the second number is that
of Lambda's own error message)."""


@dataclass(frozen=True)
class Outcome:
    """The payload that the caller gets, whether it is a function error, and what the function printed."""

    payload: str
    failed: bool
    log: str


class Runner(Protocol):
    """Runs functions. `function` is moto's LambdaFunction."""

    def invoke(self, function: Any, event: Any) -> Outcome:
        """Run one invocation to its end."""
        ...

    def stop(self) -> None:
        """End whatever still runs."""
        ...


def error_of(kind: str, message: str, log: str = "") -> Outcome:
    """Return the outcome of a function that Lambda itself ended."""
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}), True, log)


def timed_out(request_id: str, seconds: float, log: str = "") -> Outcome:
    """Return the outcome of an invocation that outlived the function's timeout."""
    text = f"Task timed out after {seconds:.2f} seconds"
    return error_of("Sandbox.Timedout", f"RequestId: {request_id} Error: {text}", log)


def exited(request_id: str, how: str, log: str = "") -> Outcome:
    """Return the outcome of an invocation whose process ended; `how` is `exit status 1`, `signal: killed`."""
    text = f"Runtime exited with error: {how}" if how else "Runtime exited without providing a reason"
    return error_of("Runtime.ExitError", f"RequestId: {request_id} Error: {text}", log)


def too_large(size: int, log: str = "") -> Outcome:
    """Return the outcome of an invocation whose answer is larger than Lambda hands on."""
    text = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({RESPONSE_BYTES} bytes)."
    return error_of("Function.ResponseSizeTooLarge", text, log)


def variables_of(function: Any) -> dict[str, str]:
    """Return the variables of a function's process, its own included (Lambda guide, "Using environment variables")."""
    return {
        "_HANDLER": function.handler,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_REGION": function.region,
        **function.environment_vars,
    }


def credentials_of(function: Any) -> dict[str, str]:
    """Begin a session of the function's role; return it as variables, good for CREDENTIALS_SECONDS."""
    given = sessions.begin(
        function.role, function.function_name, LAMBDA, function.region, CREDENTIALS_SECONDS
    )
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def identity_of(function: Any) -> str:
    """Return what tells instances apart: another identity needs another instance."""
    layers = [layer["Arn"] for layer in function.layers]
    told = (
        function.function_arn,
        function.code_sha_256,
        function.handler,
        function.memory_size,
        function.timeout,
        function.environment_vars,
        layers,
    )
    return json.dumps(told)
