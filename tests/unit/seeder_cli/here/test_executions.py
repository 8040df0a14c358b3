"""Executions of this process, by Step Functions' calls."""

from __future__ import annotations

import os
import socket
from itertools import chain
from typing import Any

import boto3
import pytest

from seeder_cli.here.execution import Execution
from seeder_cli.here.executions import Executions, began, execution_id


@pytest.fixture
def executions() -> Executions:
    return Executions(boto3.client("stepfunctions", region_name="us-east-1"), is_aws=False)


def ran(executions: Executions, states: int) -> Execution:
    execution = Execution(execution_id("run"), "run", {})
    executions.add(execution)
    for number in range(states):
        execution.enter("Pass", f"S{number}", {})
    return execution


def test_an_id_says_host_process_its_beginning_and_run() -> None:
    pid = os.getpid()
    assert execution_id("run").split(":") == ["here", socket.gethostname(), str(pid), began(pid), "run"]
    assert began(pid)


def test_a_run_of_this_process_runs_until_it_ends(executions: Executions) -> None:
    execution = ran(executions, 1)
    assert executions.describe_execution(executionArn=execution.arn)["status"] == "RUNNING"
    execution.fail("Mine", "why")
    told = executions.describe_execution(executionArn=execution.arn)
    assert (told["status"], told["error"], told["cause"], told["name"]) == ("FAILED", "Mine", "why", "run")


def test_a_process_that_lives_runs_and_one_that_is_gone_or_another_does_not(executions: Executions) -> None:
    parent, host = os.getppid(), socket.gethostname()
    living = f"here:{host}:{parent}:{began(parent)}:run"
    assert executions.describe_execution(executionArn=living)["status"] == "RUNNING"
    for gone in (f"here:{host}:{parent}:1:run", f"here:{host}:999999999:1:run", execution_id("forgotten")):
        with pytest.raises(executions.exceptions.ExecutionDoesNotExist):
            executions.describe_execution(executionArn=gone)
    assert executions.assumed == []


@pytest.mark.parametrize(
    "arn", ["here:elsewhere:1:2:run", "arn:aws:states:eu-west-1:123456789012:execution:seed:run"]
)
def test_what_only_others_know_is_taken_to_run_and_remembered(executions: Executions, arn: str) -> None:
    assert executions.describe_execution(executionArn=arn)["status"] == "RUNNING"
    assert executions.assumed == [arn]


@pytest.mark.parametrize("backwards", [False, True])
def test_the_history_comes_in_pages_each_event_once(executions: Executions, backwards: bool) -> None:
    execution = ran(executions, 2500)
    pages = executions.get_paginator("get_execution_history").paginate(
        executionArn=execution.arn, reverseOrder=backwards
    )
    numbers = [[event["id"] for event in page["events"]] for page in pages]
    expected = [*range(1, 2502)]
    assert [len(page) for page in numbers] == [1000, 1000, 501]
    assert list(chain(*numbers)) == (expected[::-1] if backwards else expected)


def test_nothing_else_has_pages(executions: Executions) -> None:
    with pytest.raises(ValueError, match="has no pages here"):
        executions.get_paginator("list_executions")


def test_the_history_of_others_is_not_there(executions: Executions) -> None:
    asked: Any = {"executionArn": "here:elsewhere:1:2:run"}
    with pytest.raises(executions.exceptions.ExecutionDoesNotExist):
        executions.get_execution_history(**asked)
