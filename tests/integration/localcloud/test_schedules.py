from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import schedules
from localcloud.clock import ManualClock
from localcloud.cloud import LocalCloud
from tests.integration.localcloud.targets import ACCOUNT, make_machine, make_queue, make_role, messages

ROLE = f"arn:aws:iam::{ACCOUNT}:role/scheduler"
GROUP = f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/default"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:undelivered"
MAY = {"Effect": "Allow", "Action": ["states:StartExecution", "sqs:SendMessage"], "Resource": "*"}
CLOCK = ManualClock()


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(CLOCK, enforce=False) as running:
        make_role(running, ROLE, "scheduler.amazonaws.com", GROUP, MAY)
        yield running


@pytest.fixture
def machine(cloud: LocalCloud) -> str:
    return make_machine(cloud, "m")


def inputs(cloud: LocalCloud, machine: str) -> list[Any]:
    states = cloud.client("stepfunctions")
    executions = states.list_executions(stateMachineArn=machine)["executions"]
    return [
        json.loads(states.describe_execution(executionArn=item["executionArn"])["input"])
        for item in executions
    ]


def schedule(cloud: LocalCloud, machine: str, expression: str, **given: Any) -> None:
    target = {"Arn": machine, "RoleArn": ROLE, "Input": '{"by": "schedule"}'} | given.pop("Target", {})
    cloud.client("scheduler").create_schedule(
        ScheduleExpression=expression,
        Target=target,
        **{"FlexibleTimeWindow": {"Mode": "OFF"}} | given,
    )


def first_inputs(cloud: LocalCloud, machine: str) -> list[Any]:
    """Return the inputs of the executions as soon as there are any."""
    until = time.monotonic() + 5
    while not inputs(cloud, machine) and time.monotonic() < until:
        time.sleep(0.01)
    return inputs(cloud, machine)


def test_an_enabled_rate_fires_on_the_clock(cloud: LocalCloud, machine: str) -> None:
    schedule(cloud, machine, "rate(2 hours)", Name="often", State="ENABLED")
    time.sleep(0.05)
    assert inputs(cloud, machine) == []
    CLOCK.advance(7201)
    assert first_inputs(cloud, machine) == [{"by": "schedule"}]


def test_a_disabled_schedule_fires_when_a_test_fires_it(cloud: LocalCloud, machine: str) -> None:
    schedule(cloud, machine, "rate(1 minute)", Name="off", State="DISABLED")
    assert inputs(cloud, machine) == []
    schedules.fire("off", "us-east-1")
    assert inputs(cloud, machine) == [{"by": "schedule"}]


def test_an_enabled_cron_fires_at_its_time(cloud: LocalCloud, machine: str) -> None:
    hour = (CLOCK.now() + timedelta(hours=2)).hour
    schedule(cloud, machine, f"cron(0 {hour} * * ? *)", Name="cron", State="ENABLED")
    CLOCK.advance(3600)
    time.sleep(0.05)
    assert inputs(cloud, machine) == []
    CLOCK.advance(3600)
    assert first_inputs(cloud, machine) == [{"by": "schedule"}]


def test_a_schedule_that_is_turned_on_later_fires_and_one_that_is_turned_off_does_not(
    cloud: LocalCloud, machine: str
) -> None:
    schedule(cloud, machine, "rate(1 hour)", Name="later", State="DISABLED")
    schedule(
        cloud, machine, "rate(1 hour)", Name="never", State="ENABLED", Target={"Input": '{"by": "never"}'}
    )
    for name, state in (("later", "ENABLED"), ("never", "DISABLED")):
        kept = cloud.client("scheduler").get_schedule(Name=name)
        changed = {key: kept[key] for key in ("ScheduleExpression", "FlexibleTimeWindow", "Target")}
        cloud.client("scheduler").update_schedule(Name=name, State=state, **changed)
    time.sleep(0.05)
    CLOCK.advance(3601)
    assert first_inputs(cloud, machine) == [{"by": "schedule"}]


def test_an_expression_that_scheduler_does_not_take_is_refused(cloud: LocalCloud, machine: str) -> None:
    with pytest.raises(ClientError, match="Invalid Schedule Expression"):
        schedule(cloud, machine, "cron(0 3 * * * *)", Name="wrong", State="ENABLED")
    assert cloud.client("scheduler").list_schedules()["Schedules"] == []


@pytest.mark.parametrize(
    "given",
    [
        {"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}},
        {"ScheduleExpressionTimezone": "Europe/Berlin"},
    ],
)
def test_what_is_not_done_here_is_refused(cloud: LocalCloud, machine: str, given: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError, match=f"{next(iter(given))} of schedules: not supported"):
        schedule(cloud, machine, "rate(1 hour)", Name="undone", State="ENABLED", **given)


def test_what_could_not_be_started_goes_to_the_schedules_queue(cloud: LocalCloud) -> None:
    make_queue(cloud, "undelivered")
    missing = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:not-there"
    target = {"DeadLetterConfig": {"Arn": QUEUE}}
    schedule(cloud, missing, "rate(1 hour)", Name="s", State="DISABLED", Target=target)
    schedules.fire("s", "us-east-1")
    (message,) = messages(cloud, QUEUE)
    assert json.loads(message["Body"]) == {"StateMachineArn": missing, "Input": '{"by": "schedule"}'}
    attributes = {name: item["StringValue"] for name, item in message["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "StateMachineDoesNotExist"
    assert attributes["SCHEDULE_ARN"] == f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/default/s"
    assert attributes["TARGET_ARN"] == "arn:aws:scheduler:::aws-sdk:sfn:startExecution"
    assert attributes.keys() >= {"ERROR_MESSAGE", "EXECUTION_ID", "SCHEDULED_TIME", "RETRY_ATTEMPTS"}


@pytest.mark.parametrize(
    ("source", "statement", "said"),
    [
        (GROUP, {**MAY, "Action": "states:StartExecution"}, "its role may not send that"),
        (f"{GROUP}-other", MAY, "cannot be assumed"),
    ],
)
def test_a_schedule_does_all_as_its_role(
    cloud: LocalCloud, caplog: pytest.LogCaptureFixture, source: str, statement: dict[str, Any], said: str
) -> None:
    make_queue(cloud, "undelivered")
    role = make_role(cloud, f"{ROLE}-less", "scheduler.amazonaws.com", source, statement)
    missing = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:not-there"
    target = {"RoleArn": role, "DeadLetterConfig": {"Arn": QUEUE}}
    schedule(cloud, missing, "rate(1 hour)", Name="s", State="DISABLED", Target=target)
    schedules.fire("s", "us-east-1")
    assert messages(cloud, QUEUE) == []
    assert said in caplog.text
