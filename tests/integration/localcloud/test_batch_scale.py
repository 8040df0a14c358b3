"""What the service carries: real copies, pretended tasks, and memory that does not grow with either."""

from __future__ import annotations

import json
import os
import time
import tracemalloc

from moto.s3.models import s3_backends

import localcloud.batch_operations as batch
from localcloud.batch_operations import PretendDataPlane, Settings
from localcloud.batch_operations.manifest import Columns
from localcloud.batch_operations.report import ReportWriter
from localcloud.batch_operations.task import Outcome
from tests.unit.localcloud.batch_world import ACCOUNT, report, world

MIB = 1024 * 1024


# SEEDER_COPIES=10000, which `make test-full` sets, has them all.
COPIES = int(os.environ.get("SEEDER_COPIES", "3000"))


def test_10_000_real_copies_take_less_than_60_seconds_or_as_many_in_proportion() -> None:
    with world() as cloud:
        for number in range(COPIES):
            s3_backends[ACCOUNT]["aws"].put_object("src", f"k/{number:05}", b"x")
        manifest = cloud.manifest("".join(f"src,k/{number:05}\n" for number in range(COPIES)))
        # CPU time: what others do on the machine meanwhile is not the local cloud's.
        began = time.process_time()
        job_id = cloud.create(manifest)
        batch.wait_for_idle(120)
        took = time.process_time() - began
        job = cloud.describe(job_id)
    assert job["ProgressSummary"]["NumberOfTasksSucceeded"] == COPIES
    assert took < 60 * COPIES / 10_000


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


def test_reading_a_manifest_and_collecting_rows_takes_no_more_memory_for_more_tasks() -> None:
    assert abs(peak(100_000) - peak(10_000)) < MIB


def peak(tasks: int) -> int:
    writer = ReportWriter(report(), "id")
    rows = (f"src,k/{number},version\n" for number in range(tasks))
    columns = Columns.of(("Bucket", "Key", "VersionId"), Settings())
    run = ((task, Outcome(True)) for task in columns.tasks(rows, Settings()))
    tracemalloc.start()
    for task, outcome in run:
        writer.add(task, outcome)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    writer.close()
    return used
