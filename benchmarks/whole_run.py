"""Whole runs in this process: the deployed state machine and handlers, each call measured, against S3 elsewhere.

The machine is that of `seeder run --here`; S3 and S3 Batch Operations answer from other processes, so that what is
measured of this one is what a function takes.
"""

from __future__ import annotations

import ctypes
import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
from samtranslator.yaml_helper import yaml_parse

from seeder.clients import Clients
from seeder.errors import SeederError
from seeder_cli.here import application, handlers
from seeder_cli.here.environment import environment
from seeder_cli.here.execution import Execution
from seeder_cli.here.executions import Executions
from seeder_cli.here.machine import Machine, Resource

ROOT = Path(__file__).parents[1]
REGION, ACCOUNT, STATE_BUCKET = "us-east-1", "123456789012", "state"
# What a function leaves of its time: it stops before, and is called again.
RESERVE_SECONDS, LONGEST_SECONDS = 60, 840

_NOTICES = ("arn:aws:states:::sns:publish", "arn:aws:states:::events:putEvents")
_SCHEDULED = frozenset({"LambdaFunctionScheduled", "TaskScheduled"})
# What other functions have left in this process is given back: in Lambda each has a process of its own.
_TRIM = ctypes.CDLL(None).malloc_trim
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Call:
    """One call of a function: seconds of wall time and of CPU, and the process's peak of memory in MB meanwhile."""

    function: str
    wall: float
    cpu: float
    peak: float


@dataclass
class Run:
    """How a run went: its calls, its record, and what its execution took.

    `events` are those that Step Functions counts, `largest_state` is in bytes; `simulated` and `wall` are seconds.
    """

    record: dict[str, Any]
    calls: list[Call]
    events: int
    largest_state: int
    wall: float
    simulated: float

    def of(self, function: str) -> list[Call]:
        """Return the calls of a function."""
        return [call for call in self.calls if call.function == function]


class _Clock:
    """Real time, in which waits take longer than they do: `speed` times as long."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._skipped = timedelta()

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC) + self._skipped

    def sleep(self, seconds: float) -> None:
        """Let a wait of so many seconds pass."""
        took = seconds / self._speed
        time.sleep(took)
        self._skipped += timedelta(seconds=seconds - took)


class Here:
    """The functions and `seed` in this process; `s3` and `jobs` are URLs, waits pass `speed` times as fast.

    `seconds` are those that a call works at most before it stops and is called again.
    """

    def __init__(self, s3: str, jobs: str, speed: float, seconds: int) -> None:
        self._variables = _variables(s3, jobs)
        self._clock = _Clock(speed)
        self._seconds = seconds
        self._stack = ExitStack()
        self._calls: list[Call] = []

    def __enter__(self) -> Here:
        self._stack.enter_context(environment(self._variables))
        session = boto3.Session()
        self._s3 = session.client("s3")
        self._executions = Executions(session.client("stepfunctions"), is_aws=False)
        clients = _Clients(session, self._executions)
        built = application.load(ROOT)
        own = {
            name: self._loaded(one, clients) for name, one in built.functions.items() if _is_of(built, name)
        }
        self.memory = _memory()
        resources = own | dict.fromkeys(_NOTICES, lambda notice: {})
        self._machine = Machine(built.definition, resources, sleep=self._clock.sleep)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def run(self, run_id: str, document: dict[str, Any]) -> Run:
        """Run `seed` with an input, to its end. Raises SeederError where it left no record."""
        self._calls, began, started = [], time.monotonic(), self._clock.now()
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:seed:{run_id}"
        execution = Execution(arn, run_id, document, self._clock.now)
        self._executions.add(execution)
        self._machine.run(execution)
        wall, simulated = time.monotonic() - began, (self._clock.now() - started).total_seconds()
        record = self._record(run_id, execution)
        events = execution.events
        states = [
            event["stateExitedEventDetails"]["output"]
            for event in events
            if "stateExitedEventDetails" in event
        ]
        return Run(
            record,
            self._calls,
            # Step Functions notes the start of each attempt as well.
            len(events) + sum(event["type"] in _SCHEDULED for event in events),
            max(len(text.encode()) for text in states),
            wall,
            simulated,
        )

    def _record(self, run_id: str, execution: Execution) -> dict[str, Any]:
        """Return the record that a run left. Raises SeederError where there is none."""
        try:
            answer = self._s3.get_object(Bucket=STATE_BUCKET, Key=f"runs/{run_id}/run.json")
        except self._s3.exceptions.NoSuchKey as error:
            told = execution.describe()
            raise SeederError(f"{run_id} left no record: {told.get('error')}: {told.get('cause')}") from error
        document: dict[str, Any] = json.loads(answer["Body"].read())
        return document

    def _loaded(self, function: application.Function, clients: Clients) -> Resource:
        seconds = min(function.timeout, RESERVE_SECONDS + self._seconds)
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}"
        call = handlers.load(replace(function, timeout=seconds), self._variables, arn, lambda: False, clients)
        return self._measured(function.name, call)

    def _measured(self, name: str, call: Resource) -> Resource:
        def measured(given: Any) -> Any:
            _TRIM(0)
            _RESET.write_text("5")
            began, cpu = time.monotonic(), time.process_time()
            try:
                return call(given)
            finally:
                self._calls.append(
                    Call(name, time.monotonic() - began, time.process_time() - cpu, peak_memory())
                )

        return measured


def peak_memory() -> float:
    """Return the peak of this process's memory since it was last reset, in MB."""
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _memory() -> dict[str, int]:
    """Return the memory of each function in the template, in MB."""
    template = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))
    usual = template["Globals"]["Function"]["MemorySize"]
    return {
        name: int(made["Properties"].get("MemorySize", usual))
        for name, made in template["Resources"].items()
        if made["Type"] == "AWS::Serverless::Function"
    }


def _is_of(built: application.Application, name: str) -> bool:
    return any(state.get("Resource") == name for state in built.definition["States"].values())


class _Clients(Clients):
    """The handlers' clients; what the user may do, S3 says."""

    def __init__(self, session: boto3.Session, executions: Executions) -> None:
        super().__init__(session)
        self.states: Any = lambda: executions
        self.iam: Any = _NoRoles


class _NoRoles:
    def simulate_principal_policy(self, **_: Any) -> dict[str, Any]:
        """Return nothing that speaks against it."""
        return {"EvaluationResults": []}


def _variables(s3: str, jobs: str) -> Mapping[str, str]:
    role = f"arn:aws:iam::{ACCOUNT}:role/seeder"
    return {
        "AWS_ACCESS_KEY_ID": "load",
        "AWS_SECRET_ACCESS_KEY": "load",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_ENDPOINT_URL_S3": s3,
        "AWS_ENDPOINT_URL_S3_CONTROL": f"http://s3-control.{REGION}.amazonaws.com",
        "HTTP_PROXY": jobs,
        "NO_PROXY": "127.0.0.1",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
        "POWERTOOLS_METRICS_DISABLED": "true",
        "POWERTOOLS_METRICS_NAMESPACE": "Seeder",
        "POWERTOOLS_SERVICE_NAME": "seeder",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "STATE_BUCKET": STATE_BUCKET,
        "JOB_ROLE_ARN": role,
        "REPLICATION_ROLE_ARN": "",
        "STACK_NAME": "seeder",
        "ROLE_PATH": f"/seeder/{REGION}/",
        "BOUNDARY_ARN": "",
        "KMS_KEY_ID": "*",
        "COPY_FUNCTION_ARN": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:CopyLargeObject",
    }
