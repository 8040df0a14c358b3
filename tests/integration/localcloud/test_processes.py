"""Functions in processes of their own: what Lambda gives them, and how it ends those that do not behave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from moto.awslambda.exceptions import LambdaClientError

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from localcloud.lambda_runtime import processes
from localcloud.lambda_runtime.processes import Processes

CODE = """
import os, signal, sys, threading, time

import library

calls = 0
if "BROKEN" in os.environ:
    raise RuntimeError("broken at its start")

def handler(event, context):
    global calls
    calls += 1
    print("event", event)
    match event:
        case "fail": raise KeyError("no such thing")
        case "exit": os._exit(3)
        case "leave": sys.exit(0)
        case "crash": os.kill(os.getpid(), signal.SIGSEGV)
        case "hang": time.sleep(60)
        case "memory": return len(bytearray(200 * 1024**2))
        case "large": return "x" * 6_300_000
        case "nap": time.sleep(0.4)
        case "role": return __import__("boto3").client("sts").get_caller_identity()["Arn"]
        case "control": return __import__("boto3").client("s3control", region_name="eu-west-1").list_jobs(
            AccountId="123456789012")["Jobs"]
    return {
        "process": os.getpid(),
        "calls": calls,
        "variables": dict(os.environ),
        "library": library.NAME,
        "left": context.get_remaining_time_in_millis(),
        "function": context.invoked_function_arn,
    }
"""
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Handler: app.handler
    Runtime: python3.13
    CodeUri: code
    MemorySize: 128
    Timeout: 1
    Layers: [!Ref Layer]
    LoggingConfig: {LogGroup: !Ref Logs}
Resources:
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
  Logs: {Type: AWS::Logs::LogGroup}
  Patient:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 30
      Environment: {Variables: {OWN: value}}
      Policies: [{Statement: [{Effect: Allow, Action: "s3:ListJobs", Resource: "*"}]}]
  Hasty: {Type: AWS::Serverless::Function}
  Broken: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: {BROKEN: "yes"}}}}
"""
CHILD = """
import sys
from pathlib import Path
from tests.integration.localcloud.test_processes import running

with running(Path(sys.argv[1])) as (cloud, call):
    print(call("Patient", 1)["process"], flush=True)
    sys.stdin.read()
"""

Call = Callable[[str, Any], Any]


@contextmanager
def running(folder: Path) -> Iterator[tuple[LocalCloud, Call]]:
    """Yield a cloud with functions in processes, and how to call one: the document it answers."""
    (folder / "code").mkdir()
    (folder / "code" / "app.py").write_text(CODE)
    (folder / "layer" / "python").mkdir(parents=True)
    (folder / "layer" / "python" / "library.py").write_text("NAME = 'of the layer'")
    (folder / "template.yaml").write_text(TEMPLATE)
    with LocalCloud(ScaledClock(1000), functions="processes") as cloud:
        stack = cloud.deploy(folder / "template.yaml")

        def call(function: str, event: Any) -> Any:
            answer = cloud.client("lambda").invoke(
                FunctionName=stack.resources[function], Payload=json.dumps(event)
            )
            return json.loads(answer["Payload"].read())

        yield cloud, call


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalCloud, Call]]:
    with running(tmp_path_factory.mktemp("functions")) as made:
        yield made


@pytest.fixture
def call(cloud: tuple[LocalCloud, Call]) -> Call:
    return cloud[1]


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_processes_end_with_the_cloud(tmp_path: Path) -> None:
    with running(tmp_path) as (_, call):
        process = call("Patient", 1)["process"]
        assert is_running(process)
    assert not is_running(process)


def test_a_function_has_lambdas_variables_and_its_own_and_none_of_ours(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "1")
    seen = call("Patient", 1)
    assert seen["variables"]["OWN"] == "value"
    assert seen["variables"]["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert {"OURS", "HOME", "VIRTUAL_ENV"}.isdisjoint(seen["variables"])
    assert seen["library"] == "of the layer"
    assert 0 < seen["left"] <= 30_000


def test_a_function_calls_the_cloud_with_its_roles_credentials(call: Call) -> None:
    assert ":assumed-role/seeder-PatientRole-" in call("Patient", "role")
    assert call("Patient", "control") == []


def test_a_warm_instance_is_used_again_and_one_at_a_time(cloud: tuple[LocalCloud, Call]) -> None:
    _, call = cloud
    first = call("Patient", 1)
    second = call("Patient", 1)
    assert (second["process"], second["calls"]) == (first["process"], first["calls"] + 1)
    with ThreadPoolExecutor(3) as pool:
        at_once = list(pool.map(lambda _: call("Patient", "nap")["process"], range(3)))
    assert len(set(at_once)) == 3


def test_what_is_raised_is_told_and_the_instance_lives_on(call: Call) -> None:
    before = call("Patient", 1)["process"]
    told = call("Patient", "fail")
    assert (told["errorType"], told["errorMessage"]) == ("KeyError", "'no such thing'")
    assert call("Patient", 1)["process"] == before


@pytest.mark.parametrize(
    ("event", "kind", "message"),
    [
        ("exit", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("leave", "Runtime.ExitError", "Runtime exited without providing a reason"),
        ("crash", "Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"),
        ("memory", "Runtime.ExitError", "Runtime exited with error: signal: killed"),
        ("large", "Function.ResponseSizeTooLarge", "exceeded maximum allowed payload size (6291556 bytes)"),
    ],
)
def test_a_process_that_dies_or_outgrows_its_limits_is_told_and_replaced(
    call: Call, event: str, kind: str, message: str
) -> None:
    died = call("Patient", 1)["process"]
    told = call("Patient", event)
    assert told["errorType"] == kind
    assert message in told["errorMessage"]
    assert not is_running(died)
    assert call("Patient", 1)["process"] != died


def test_a_function_is_killed_at_its_timeout(call: Call) -> None:
    process = call("Hasty", 1)["process"]
    began = time.monotonic()
    told = call("Hasty", "hang")
    assert 1 <= time.monotonic() - began < 10
    assert told["errorType"] == "Sandbox.Timedout"
    assert told["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert not is_running(process)


def test_a_function_that_does_not_start_tells_why(call: Call) -> None:
    told = call("Broken", 1)
    assert (told["errorType"], told["errorMessage"]) == ("RuntimeError", "broken at its start")


def test_a_request_over_six_megabytes_is_refused(cloud: tuple[LocalCloud, Call]) -> None:
    client = cloud[0].client("lambda")
    with pytest.raises(client.exceptions.RequestTooLargeException):
        cloud[1]("Patient", "x" * 6 * 1024**2)


def test_what_is_printed_goes_to_the_log(cloud: tuple[LocalCloud, Call]) -> None:
    logs = cloud[0].client("logs")
    cloud[1]("Patient", "unusual")
    group = logs.describe_log_groups()["logGroups"][0]["logGroupName"]
    events = logs.filter_log_events(logGroupName=group)["events"]
    assert "event unusual" in [event["message"] for event in events]


def test_processes_end_when_what_started_them_is_killed(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin
    assert child.stdout
    with child:
        process = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while is_running(process) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_running(process)


class Busy:
    """A function's instance for as long as a test holds it."""

    is_alive = True
    started_at = float("inf")

    def __init__(self, *_: object) -> None:
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True


def test_beyond_the_concurrency_an_idle_instance_gives_way_and_who_finds_none_is_throttled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "QUEUE_SECONDS", 0.05)
    monkeypatch.setattr(processes, "Sandbox", Busy)
    monkeypatch.setattr(Processes, "plan", lambda *_: None)
    runner = Processes(concurrency=1)
    try:
        with runner.instance("one", None) as first, pytest.raises(LambdaClientError, match="Rate Exceeded"):
            runner.instance("two", None).__enter__()
        with runner.instance("two", None) as second:
            assert second is not first
        assert isinstance(first, Busy)
        assert first.stopped
    finally:
        runner.stop()
