"""The handlers of functions/, called in this process as Lambda calls them.

A handler's module names what it takes from outside: `clients` and `settings`. Here `clients` is replaced when the
module has been loaded; its settings are read from the variables that the template gives it.
"""

from __future__ import annotations

import importlib.util
import json
import traceback
import uuid
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from seeder_cli.here.environment import environment
from seeder_cli.here.machine import Resource, StateError

if TYPE_CHECKING:
    from seeder.clients import Clients
    from seeder_cli.here.application import Function


@dataclass
class Context:
    """The context object that a handler receives (AWS Lambda developer guide, "Python context object").

    `stop` tells that the call is to end soon; a call that looks at its time finds none left then.
    """

    function_name: str
    invoked_function_arn: str
    deadline: float
    stop: Callable[[], bool]
    memory_limit_in_mb: str = "1769"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function's timeout."""
        return 0 if self.stop() else max(0, int((self.deadline - monotonic()) * 1000))


def load(
    function: Function,
    variables: Mapping[str, str],
    arn: str,
    stop: Callable[[], bool],
    clients: Clients | None = None,
) -> Resource:
    """Return a function's handler as a resource of `machine.Machine`; an error becomes what Step Functions gets.

    `variables` are those of all functions, `arn` is the function's own. It gets `clients` instead of its own, if any.
    """
    # Of a handler that failed before its first metric; what it raised is told by the run.
    warnings.filterwarnings("ignore", "No application metrics", UserWarning)
    with environment({name: variables[name] for name in function.variables}):
        module = _module(function)
    module.clients = clients or module.clients

    def call(given: Any) -> Any:
        context = Context(function.name, arn, monotonic() + function.timeout, stop)
        try:
            return json.loads(json.dumps(module.handler(given, context)))
        except Exception as error:
            raise StateError(type(error).__name__, json.dumps(_told(error))) from error

    return call


def _module(function: Function) -> Any:
    path = function.folder / "app.py"
    spec = importlib.util.spec_from_file_location(f"seeder_here_{function.name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _told(error: Exception) -> dict[str, Any]:
    """Return what Lambda answers for an error of a handler."""
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }
