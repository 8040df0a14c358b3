"""Functions in this process: fast, for tests of everything but the process itself.

An instance is made on a function's first invocation and kept, as Lambda keeps a warm one: its module is imported
from the deployed archive under the function's variables and its role's credentials. Layers are not mounted: what
a layer holds must be importable in this process. Nor can a thread be killed: a function that outlives its timeout
finishes, and its invocation is then reported as timed out. Memory has no limit.
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
from pathlib import Path
from typing import Any

import boto3

from localcloud.lambda_runtime.outcome import (
    CREDENTIALS_SECONDS,
    RESPONSE_BYTES,
    Outcome,
    credentials_of,
    identity_of,
    timed_out,
    too_large,
    variables_of,
)
from localcloud.scoped import scope

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
        self.variables = variables_of(function)
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
            self.variables |= credentials_of(self.function)
            self._credentials_until = time.monotonic() + CREDENTIALS_SECONDS / 2

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


class InProcess:
    """The instances of all functions, one each, that serve any number of invocations at once."""

    def __init__(self) -> None:
        self._instances: dict[str, Instance] = {}
        self._lock = threading.Lock()

    def invoke(self, function: Any, event: Any) -> Outcome:
        """Call the handler in this thread."""
        started = time.monotonic()
        try:
            result, log = self._instance(function).invoke(event)
            outcome = Outcome(json.dumps(result), False, log)
        except Exception as error:
            log = "\n".join([*getattr(error, "__notes__", []), traceback.format_exc()])
            outcome = Outcome(json.dumps(_error_document(error)), True, log)
        if time.monotonic() - started > function.timeout:
            return timed_out(str(uuid.uuid4()), function.timeout, log)
        if len(outcome.payload.encode()) > RESPONSE_BYTES:
            return too_large(len(outcome.payload.encode()), log)
        return outcome

    def stop(self) -> None:
        """Do nothing: threads end by themselves."""

    def _instance(self, function: Any) -> Instance:
        key = identity_of(function)
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
