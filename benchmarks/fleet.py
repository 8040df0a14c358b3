"""Fleets on the local cloud: so many pairs of buckets seeded by the deployed stack, then compared, then one written to.

    python -m benchmarks.fleet [--pairs 200] [--objects 50] [--concurrency 8]

One process holds the cloud, the stack and its functions, so the times are those of this machine, not of AWS; counts of
jobs, events and bytes are the same there. Waits pass a thousand times as fast.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import tables
from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from localcloud.deploy import Stack

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
ACCOUNT, REGION = "123456789012", "us-east-1"
SPEED = 1000
WAIT_SECONDS = 3600
POLL_SECONDS = 0.5
WRITERS = 4
# An execution's limits (Step Functions developer guide, "Service quotas").
MOST_EVENTS, MOST_BYTES = 25_000, 256 * 1024


@dataclass(frozen=True)
class Fleet:
    """How a fleet ended: its summary, its times in seconds, and what its execution took."""

    summary: dict[str, Any]
    wall: float
    cpu: float
    events: int
    longest: int
    jobs: int

    def row(self, name: str) -> list[str]:
        """Return the row of the table."""
        told = self.summary
        counts = ", ".join(
            f"{told[key]} {key}" for key in ("equal", "seeded", "failed", "skipped") if told[key]
        )
        return [
            name,
            f"{told['pairs']}",
            counts,
            f"{self.jobs}",
            f"{self.wall:.0f}",
            f"{self.cpu / told['pairs']:.2f}",
            f"{self.events:,}",
            f"{self.longest / 1024:.0f}",
        ]


class Bench:
    """A deployed stack with its buckets."""

    def __init__(self, cloud: LocalCloud, stack: Stack, pairs: int, objects: int) -> None:
        self._cloud, self._stack = cloud, stack
        self._states = cloud.client("stepfunctions")
        self.names = [f"app-{number:03}" for number in range(pairs)]
        with ThreadPoolExecutor(WRITERS) as writers:
            list(writers.map(lambda name: self._fill(name, objects), self.names))

    def _fill(self, name: str, objects: int) -> None:
        s3 = self._cloud.client("s3")
        for bucket in (name, f"{name}-replica"):
            s3.create_bucket(Bucket=bucket)
        for number in range(objects):
            s3.put_object(Bucket=name, Key=f"{number:04}", Body=b"x")

    def write(self, name: str) -> None:
        """Write one object more to a source."""
        self._cloud.client("s3").put_object(Bucket=name, Key="one more", Body=b"y")

    def run(self, document: dict[str, Any]) -> Fleet:
        """Start a fleet, wait for its end, and return what it took."""
        before, began, cpu = self._jobs(), time.monotonic(), time.process_time()
        execution = self._states.start_execution(
            stateMachineArn=self._stack.outputs["FleetArn"], input=json.dumps(document)
        )["executionArn"]
        while (seen := self._states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            if time.monotonic() - began > WAIT_SECONDS:
                raise SystemExit(f"the fleet still runs after {WAIT_SECONDS} s")
            time.sleep(POLL_SECONDS)
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
        if seen["status"] != "SUCCEEDED":
            raise SystemExit(f"{seen['status']}: {seen.get('error')}: {seen.get('cause')}")
        pages = self._states.get_paginator("get_execution_history").paginate(executionArn=execution)
        history = [event for page in pages for event in page["events"]]
        sizes = [len(_output(event)) for event in history]
        return Fleet(json.loads(seen["output"]), wall, cpu, len(history), max(sizes), self._jobs() - before)

    def _jobs(self) -> int:
        control, count = self._cloud.client("s3control"), 0
        token: dict[str, str] = {}
        while True:
            page = control.list_jobs(AccountId=ACCOUNT, MaxResults=1000, **token)
            count += len(page["Jobs"])
            if "NextToken" not in page:
                return count
            token = {"NextToken": page["NextToken"]}


def _output(event: dict[str, Any]) -> str:
    for name in ("stateExitedEventDetails", "executionSucceededEventDetails"):
        if name in event:
            return str(event[name].get("output", ""))
    return ""


def main() -> None:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(description="Fleets on the local cloud.")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--objects", type=int, default=50)
    parser.add_argument("--concurrency", type=int, default=8)
    asked = parser.parse_args()
    with LocalCloud(ScaledClock(SPEED)) as cloud:
        stack = cloud.deploy(TEMPLATE, parameters={"FleetConcurrency": str(asked.concurrency)})
        bench = Bench(cloud, stack, asked.pairs, asked.objects)
        time.sleep(1 - time.time() % 1)
        first = bench.run({"buckets": "app-*", "destination": "{source}-replica"})
        again = bench.run({"trigger": "schedule", "registry": {}})
        for name in bench.names[:5]:
            bench.write(name)
        time.sleep(1 - time.time() % 1)
        third = bench.run({"trigger": "schedule", "registry": {"names": "app-*"}})
    head = ("fleet", "pairs", "became", "jobs", "wall s", "CPU s a pair", "events", "largest state KiB")
    rows = [
        first.row("first seeding"),
        again.row("re-sync, nothing written"),
        third.row("re-sync, five written to"),
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    title = f"{asked.pairs} pairs of {asked.objects} objects, {asked.concurrency} at a time ({platform.machine()})"
    notes = [
        f"- an execution may have {MOST_EVENTS:,} events and states of {MOST_BYTES // 1024} KiB",
        f"- the whole process, cloud and all, peaked at {peak:.0f} MiB",
    ]
    print(tables.grid(title, head, rows, notes))


if __name__ == "__main__":
    main()
