"""A run through Step Functions itself, as moto interprets it."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from tests.chaos.machine import Execution
from tests.e2e.deployed import WAIT_SECONDS

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

LOOK_SECONDS = 0.005


def interpret(stage: Stage) -> None:
    """Start a run by hand and wait for its end, in real time; the clock leaps to what anybody waits for."""
    scene, states = stage.scene, stage.deployed.states
    request = {"source": stage.pairs[0][0], "destination": stage.pairs[0][1], **scene.request}
    arn = stage.deployed.start("Seed", request, f"interpreted-{scene.seed}-{uuid.uuid4().hex[:8]}")
    until = time.monotonic() + WAIT_SECONDS
    while (seen := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < until, f"{arn} still runs"
        time.sleep(LOOK_SECONDS)
        stage.clock.leap_to(min(stage.clock.dues(), default=stage.clock.now()))
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    entered = [event.get("stateEnteredEventDetails") for page in pages for event in page["events"]]
    ended = Execution(seen["name"], arn, seen["startDate"], status=seen["status"])
    ended.error, ended.cause = seen.get("error", ""), seen.get("cause", "")
    ended.visited = [one["name"] for one in entered if one]
    stage.conductor.executions[arn] = ended
    # Nobody writes but by strikes, whose order to the looks is not known here.
    stage.looks[ended.name] = 0
    stage.conductor.rest.come()
