"""What runs leave in the data lake that the state bucket is: a record for each run, and the objects each failed at.

`datasets/seeding_runs/year=/month=/day=/<run id>.jsonl` and `datasets/seeding_failures/…`, both by the day a run began,
each file registered in `metastore/dataset_registry.json`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeder.fleet.registries import DEADLINE_SECONDS
from seeder.lake.entry import Entry
from seeder.lake.lake import Lake
from seeder.lake.retry import Retry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from seeder.record import Record
    from seeder.sink import Upload

RUNS = "seeding_runs"
SCHEMA_VERSION = 1
"""Of both datasets: a record as `seeder.record.Record`, failures as `seeder.report` writes them."""


def enter_run(s3: S3Client, state_bucket: str, ended: Record) -> None:
    """Write and register a run's record. Can be repeated. Raises what `Lake.add_file` raises."""
    body = ended.model_dump_json().encode() + b"\n"
    name = f"{ended.run_id}.jsonl"
    _lake(s3, state_bucket).add_file(RUNS, _day(ended.started_at), name, body, 1, SCHEMA_VERSION)


def enter_failures(s3: S3Client, file: Upload) -> None:
    """Register a finished file of failures; one that was not made is none. Can be repeated.

    Raises ClientError, and what `Lake.register` raises.
    """
    if file.etag:
        head = s3.head_object(Bucket=file.bucket, Key=file.key)
        entry = Entry(file.key, head["ContentLength"], head["ETag"], file.count, SCHEMA_VERSION)
        _lake(s3, file.bucket).register(entry)


def _lake(s3: S3Client, bucket: str) -> Lake:
    return Lake(s3, bucket, retry=Retry(deadline_seconds=DEADLINE_SECONDS))


def _day(started_at: str) -> dict[str, str]:
    year, month, day = started_at[:10].split("-")
    return {"year": year, "month": month, "day": day}
