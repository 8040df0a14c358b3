"""Functions in processes of their own, as many instances of each as run at once."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moto.awslambda.exceptions import LambdaClientError

from localcloud.lambda_runtime.outcome import (
    CREDENTIALS_SECONDS,
    Outcome,
    credentials_of,
    identity_of,
    variables_of,
)
from localcloud.lambda_runtime.sandbox import Plan, Sandbox
from localcloud.lambda_runtime.unpacked import Unpacked
from localcloud.server import Server

CONCURRENCY = 32
QUEUE_SECONDS = 60.0
PYTHON_VARIABLE = "SEEDER_FUNCTIONS_PYTHON"
_ITS_OWN = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")


class Processes:
    """Runs each invocation in a process that runs no other at the time, warm if there is one.

    `python` is the functions' interpreter, with awslambdaric and boto3: SEEDER_FUNCTIONS_PYTHON, or this one. At most
    `concurrency` processes exist; an invocation waits QUEUE_SECONDS for one, then it is throttled.
    """

    def __init__(self, python: Path | None = None, concurrency: int = CONCURRENCY) -> None:
        self._python = (python or Path(os.environ.get(PYTHON_VARIABLE) or sys.executable)).absolute()
        self._room = concurrency
        self._changed = threading.Condition()
        self._idle: dict[str, list[Sandbox]] = {}
        self._all: set[Sandbox] = set()
        self._stopped = False
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="lambda-spawner")
        self._unpacked = Unpacked()
        self._server = Server().start()

    def invoke(self, function: Any, event: Any) -> Outcome:
        """Run the invocation in a warm process or a new one. Raises LambdaClientError when there is no room."""
        with self.instance(identity_of(function), function) as sandbox:
            return sandbox.invoke(json.dumps(event).encode())

    @contextmanager
    def instance(self, key: str, function: Any) -> Iterator[Sandbox]:
        """Lend an instance of the function known by `key` to the block. Raises as `invoke` does."""
        sandbox = self._take(key) or self._begin(function)
        try:
            yield sandbox
        finally:
            self._give_back(key, sandbox)

    def stop(self) -> None:
        """End all processes, whatever they do."""
        with self._changed:
            self._stopped = True
            ending, self._all = self._all, set()
            self._idle.clear()
            self._changed.notify_all()
        for sandbox in ending:
            sandbox.stop()
        self._server.stop()
        self._spawner.shutdown()
        self._unpacked.stop()

    def _take(self, key: str) -> Sandbox | None:
        """Return a warm instance, or None with room made for a new one."""
        until = time.monotonic() + QUEUE_SECONDS
        with self._changed:
            while True:
                if warm := self._warm(key):
                    return warm
                if self._room > 0 or self._evict():
                    self._room -= 1
                    return None
                if self._stopped or not self._changed.wait(until - time.monotonic()):
                    raise LambdaClientError("TooManyRequestsException", "Rate Exceeded.")

    def _warm(self, key: str) -> Sandbox | None:
        idle = self._idle.get(key, [])
        while idle:
            sandbox = idle.pop()
            if sandbox.is_alive and time.monotonic() - sandbox.started_at < CREDENTIALS_SECONDS / 2:
                return sandbox
            self._end(sandbox)
        return None

    def _evict(self) -> bool:
        for idle in self._idle.values():
            if idle:
                self._end(idle.pop(0))
                return True
        return False

    def _end(self, sandbox: Sandbox) -> None:
        if sandbox in self._all:
            self._all.remove(sandbox)
            self._room += 1
            sandbox.stop()

    def _begin(self, function: Any) -> Sandbox:
        try:
            sandbox = Sandbox(self.plan(function), self._spawner)
        except BaseException:
            with self._changed:
                self._room += 1
                self._changed.notify()
            raise
        with self._changed:
            self._all.add(sandbox)
        return sandbox

    def _give_back(self, key: str, sandbox: Sandbox) -> None:
        with self._changed:
            if self._stopped or not sandbox.is_alive:
                self._end(sandbox)
            else:
                self._idle.setdefault(key, []).append(sandbox)
            self._changed.notify()

    def plan(self, function: Any) -> Plan:
        """Return what an instance of a function is made of."""
        return Plan(
            python=self._python,
            code=self._unpacked.code(function),
            handler=function.handler,
            function_arn=function.function_arn,
            variables=self._variables(function),
            memory_mb=function.memory_size,
            timeout=function.timeout,
        )

    def _variables(self, function: Any) -> Mapping[str, str]:
        """What Lambda gives, and what leads to this cloud instead of AWS and keeps the user's own settings away."""
        cloud = self._server.environment(function.region)
        packages = [str(layer / "python") for layer in self._unpacked.layers(function)]
        return {
            "LANG": "en_US.UTF-8",
            "LAMBDA_TASK_ROOT": str(self._unpacked.code(function)),
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join(packages),
            "TZ": ":UTC",
            **variables_of(function),
            **credentials_of(function),
            **{name: value for name, value in cloud.items() if name not in _ITS_OWN},
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PYTHONDONTWRITEBYTECODE": "1",  # on Lambda, code and layers can't be written to
            "TMPDIR": str(self._unpacked.scratch()),
        }
