"""Records the scenarios on the local cloud: python -m tests.machines.record (`make recordings`)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from localcloud.cloud import LocalCloud
from tests.e2e.conftest import TEMPLATE
from tests.e2e.deployed import Deployed, LeapingClock
from tests.machines.recording import CONCURRENCY, Recording, save, trail_of
from tests.machines.scenarios import Scenario, fleets, seeds


@contextmanager
def stage() -> Iterator[Deployed]:
    """Deploy the stack on a local cloud that ends with the block."""
    with LocalCloud(LeapingClock(1000)) as cloud:
        yield Deployed(cloud, cloud.deploy(TEMPLATE, parameters={"FleetConcurrency": str(CONCURRENCY)}))


def record(deployed: Deployed, scenarios: Iterable[Scenario]) -> Iterator[Recording]:
    """Run scenarios one after the other; yield what each did."""
    for scenario in scenarios:
        given = scenario.given(deployed)
        with scenario.meddling.installed(), deployed.faults(*scenario.faults):
            execution = deployed.start(scenario.machine.capitalize(), given)
            deployed.wait(execution)
            deployed.quiet()
        yield _recording(deployed, scenario, given, execution)


def _recording(deployed: Deployed, scenario: Scenario, given: Any, execution: str) -> Recording:
    pages = deployed.states.get_paginator("get_execution_history").paginate(executionArn=execution)
    events = [event for page in pages for event in page["events"]]
    # What the template substitutes stands in the recording as its placeholder, as in the definition.
    names = {deployed.stack.outputs["SeedArn"]: "${SeedArn}", _topic(deployed): "${TopicArn}"}
    text = json.dumps(events, default=str)
    for arn, placeholder in names.items():
        text = text.replace(arn, placeholder)
    trail = trail_of(json.loads(text), scenario.meddling.waits.get(execution, []))
    place = {"Id": execution, "Name": execution.rpartition(":")[2]}
    return Recording(scenario.name, scenario.machine, given, place, trail)


def _topic(deployed: Deployed) -> str:
    (topic,) = deployed.cloud.client("sns").list_topics()["Topics"]
    return str(topic["TopicArn"])


def main() -> None:
    """Record all scenarios."""
    recordings = []
    with stage() as deployed:
        for one in record(deployed, [*seeds(), *fleets()]):
            recordings.append(one)
            sys.stderr.write(f"{one.machine}: {one.name}: {len(one.trail.steps)} states\n")
    save(recordings)


if __name__ == "__main__":
    main()
