"""What the service carries: real copies, pretended tasks, and memory that does not grow with either."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import TYPE_CHECKING

import localcloud.batch_operations as batch
from localcloud.batch_operations import PretendDataPlane, Settings
from localcloud.batch_operations.report import ReportWriter
from localcloud.batch_operations.task import Task
from tests.unit.localcloud.batch_world import report, world

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1024 * 1024


def test_10_000_real_copies_take_less_than_60_seconds() -> None:
    with world() as cloud:
        for number in range(10_000):
            cloud.put(f"k/{number:05}", b"x")
        manifest = cloud.manifest("".join(f"src,k/{number:05}\n" for number in range(10_000)))
        began = time.monotonic()
        job_id = cloud.create(manifest)
        batch.wait_for_idle(120)
        took = time.monotonic() - began
        job = cloud.describe(job_id)
    assert job["ProgressSummary"]["NumberOfTasksSucceeded"] == 10_000
    assert took < 60


def test_1_000_000_pretended_tasks_and_their_report_take_less_than_60_seconds() -> None:
    with world(Settings(data_plane=PretendDataPlane())) as cloud:
        manifest = cloud.manifest("".join(f"src,k/{number:07}\n" for number in range(1_000_000)))
        began = time.monotonic()
        job_id = cloud.create(manifest)
        batch.wait_for_idle(120)
        took = time.monotonic() - began
        (result,) = json.loads(cloud.read(f"reports/job-{job_id}/manifest.json", "ops"))["Results"]
        body = cloud.read(result["Key"], "ops")
    assert body.count(b"\r\n") == 1_000_000
    assert took < 60


def test_running_tasks_and_collecting_their_rows_takes_no_more_memory_for_more_tasks() -> None:
    assert abs(peak(100_000) - peak(10_000)) < MIB


def peak(tasks: int) -> int:
    writer = ReportWriter(report(), "id")
    run = PretendDataPlane().operation("S3PutObjectCopy", None).run(made(tasks))  # type: ignore[arg-type] # unused
    tracemalloc.start()
    for task, outcome in run:
        writer.add(task, outcome)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    writer.close()
    return used


def made(count: int) -> Iterator[Task]:
    for number in range(count):
        yield Task("src", f"k/{number}", "version")
