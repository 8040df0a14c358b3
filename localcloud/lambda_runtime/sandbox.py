"""One instance of a function: a process under AWS's own runtime interface client, `awslambdaric`."""

from __future__ import annotations

import fcntl
import os
import queue
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from localcloud.lambda_runtime.api import Answer, Invocation, RuntimeApi
from localcloud.lambda_runtime.outcome import RESPONSE_BYTES, Outcome, exited, timed_out, too_large

INIT_SECONDS = 10
"""What Lambda gives a function to start; one that needs longer goes on in its first invocation's time
(Lambda developer guide, "Lambda execution environment lifecycle")."""
LOOK_SECONDS = 0.02
_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True)
class Plan:
    """What an instance is made of: all variables of its process, and its limits in MB and seconds."""

    python: Path
    code: Path
    handler: str
    function_arn: str
    variables: Mapping[str, str]
    memory_mb: int
    timeout: float


class Sandbox:
    """A process that takes one invocation at a time, from its making until `stop` or its death.

    Its resident memory is measured every LOOK_SECONDS, and at its peak after each invocation: above the function's
    memory it is killed, as Lambda does. (A limit on address space would strike threads and files that are mapped.)
    `spawner` has one thread, which must live as long as the process.
    """

    def __init__(self, plan: Plan, spawner: Executor) -> None:
        self._plan = plan
        self._api = RuntimeApi()
        self._began = False
        self._printed = os.memfd_create("printed")
        fcntl.fcntl(self._printed, fcntl.F_SETFL, os.O_APPEND)
        try:
            self._process = spawner.submit(self._spawn).result()
        except OSError:
            self._release()
            raise
        self.started_at = time.monotonic()

    @property
    def is_alive(self) -> bool:
        """Whether it can take another invocation."""
        return self._process.poll() is None

    def invoke(self, event: bytes) -> Outcome:
        """Run one invocation. A process that runs out of time or memory is killed."""
        request_id = str(uuid.uuid4())
        plan = self._plan
        if not self._began:
            self._began = True
            if failed := self._await_start(request_id):
                return failed
        self._api.offer(Invocation(request_id, event, plan.function_arn, plan.timeout))
        deadline = time.monotonic() + plan.timeout
        while (answer := self._answered()) is None:
            if ended := self._ended(request_id):
                return ended
            if time.monotonic() > deadline:
                self._kill()
                return timed_out(request_id, plan.timeout, self._log())
        if self._is_too_large("VmHWM"):
            self._kill()
            return exited(request_id, "signal: killed", self._log())
        return self._outcome(answer)

    def stop(self) -> None:
        """End the process and forget what it printed."""
        self._kill()
        self._release()

    def _release(self) -> None:
        self._api.stop()
        os.close(self._printed)

    def _spawn(self) -> subprocess.Popen[bytes]:
        plan = self._plan
        return subprocess.Popen(
            [plan.python, "-I", "-S", _LAUNCHER, str(os.getpid()), plan.handler],
            cwd=plan.code,
            env={**plan.variables, "AWS_LAMBDA_RUNTIME_API": self._api.address},
            stdin=subprocess.DEVNULL,
            stdout=self._printed,
            stderr=self._printed,
            start_new_session=True,
        )

    def _await_start(self, request_id: str) -> Outcome | None:
        """Return None once the process asks for an invocation, else how it failed to."""
        seconds = INIT_SECONDS + self._plan.timeout
        deadline = time.monotonic() + seconds
        while not self._api.ready.wait(LOOK_SECONDS):
            if ended := self._ended(request_id):
                return ended
            if time.monotonic() > deadline:
                self._kill()
                return timed_out(request_id, seconds, self._log())
        if self._api.answers.empty():
            return None
        self._kill()
        return self._outcome(self._api.answers.get())

    def _answered(self) -> Answer | None:
        with suppress(queue.Empty):
            return self._api.answers.get(timeout=LOOK_SECONDS)
        return None

    def _ended(self, request_id: str) -> Outcome | None:
        """Return how the process ended, or was killed for its memory; None while it runs or has answered."""
        if self._is_too_large("VmRSS"):
            self._kill()
        status = self._process.poll()
        if status is None or not self._api.answers.empty():
            return None
        if status < 0:
            return exited(request_id, f"signal: {signal.strsignal(-status)}".lower(), self._log())
        return exited(request_id, f"exit status {status}" if status else "", self._log())

    def _outcome(self, answer: Answer) -> Outcome:
        if len(answer.body) > RESPONSE_BYTES:
            self._kill()
            return too_large(len(answer.body), self._log())
        return Outcome(answer.body.decode(), answer.kind != "response", self._log())

    def _is_too_large(self, measure: str) -> bool:
        return memory_mb(self._process.pid, measure) > self._plan.memory_mb

    def _log(self) -> str:
        """Take what was printed since the last time."""
        printed = os.pread(self._printed, os.fstat(self._printed).st_size, 0)
        os.ftruncate(self._printed, 0)
        return printed.decode("utf-8", "replace")

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def memory_mb(process_id: int, measure: str = "VmHWM") -> float:
    """Return a process's resident memory in MiB: VmRSS is now, VmHWM its peak; 0 when it is no more."""
    with suppress(OSError):
        for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
            if line.startswith(measure):
                return int(line.split()[1]) / 1024
    return 0.0
