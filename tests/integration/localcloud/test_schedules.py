from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud import schedules
from localcloud.clock import ManualClock
from localcloud.cloud import LocalCloud

ROLE = "arn:aws:iam::123456789012:role/states"
PASS = json.dumps({"StartAt": "S", "States": {"S": {"Type": "Pass", "End": True}}})
CLOCK = ManualClock()


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(CLOCK) as running:
        yield running


@pytest.fixture
def machine(cloud: LocalCloud) -> str:
    states = cloud.client("stepfunctions")
    return str(states.create_state_machine(name="m", definition=PASS, roleArn=ROLE)["stateMachineArn"])


def inputs(cloud: LocalCloud, machine: str) -> list[Any]:
    states = cloud.client("stepfunctions")
    executions = states.list_executions(stateMachineArn=machine)["executions"]
    return [
        json.loads(states.describe_execution(executionArn=item["executionArn"])["input"])
        for item in executions
    ]


def schedule(cloud: LocalCloud, machine: str, expression: str, **given: Any) -> None:
    cloud.client("scheduler").create_schedule(
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": machine, "RoleArn": ROLE, "Input": '{"by": "schedule"}'},
        **given,
    )


def test_an_enabled_rate_fires_on_the_clock(cloud: LocalCloud, machine: str) -> None:
    schedule(cloud, machine, "rate(2 hours)", Name="often", State="ENABLED")
    time.sleep(0.05)
    assert inputs(cloud, machine) == []
    CLOCK.advance(7201)
    until = time.monotonic() + 5
    while not inputs(cloud, machine) and time.monotonic() < until:
        time.sleep(0.01)
    assert inputs(cloud, machine) == [{"by": "schedule"}]


def test_a_disabled_schedule_fires_when_a_test_fires_it(cloud: LocalCloud, machine: str) -> None:
    schedule(cloud, machine, "rate(1 minute)", Name="off", State="DISABLED")
    assert inputs(cloud, machine) == []
    schedules.fire("off", "us-east-1")
    assert inputs(cloud, machine) == [{"by": "schedule"}]


def test_an_enabled_cron_is_refused(cloud: LocalCloud, machine: str) -> None:
    with pytest.raises(NotImplementedError, match="fires rate"):
        schedule(cloud, machine, "cron(0 3 * * ? *)", Name="cron", State="ENABLED")
