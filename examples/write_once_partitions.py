"""Two jobs compute the same partition, as after a retry: one file stands, registered once; none is overwritten.

python examples/write_once_partitions.py BUCKET
"""
# ruff: noqa: T201 - what an example does it says

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3

from seeder.errors import AlreadyExists
from seeder.lake import Lake

DAY = {"year": "2024", "month": "01", "day": "01"}
NAME = "location_events_001.csv"
ROWS = b"id,place\n1,Oslo\n2,Lima\n"


def main(s3: Any, bucket: str) -> list[int]:
    """Add a file twice at once, then another in its place; return the revisions that the jobs were told."""

    def job(_: int) -> int:
        entry = Lake(s3, bucket).add_file("location_events", DAY, NAME, ROWS, records=2)
        return entry.revision

    with ThreadPoolExecutor(2) as jobs:
        told = list(jobs.map(job, range(2)))
    print(f"both jobs were told revision {told}")
    lake = Lake(s3, bucket)
    try:
        lake.add_file("location_events", DAY, NAME, b"id,place\n3,Rome\n", records=1)
    except AlreadyExists as error:
        print(f"a third job, with other rows: {error}")
    for entry in lake.read("location_events").entries.values():
        print(f"{entry.key}: {entry.records} records, {entry.partition}")
    return told


if __name__ == "__main__":
    main(boto3.client("s3"), sys.argv[1])
