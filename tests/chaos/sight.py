"""What AWS shows of a pair of buckets, of jobs and of a run's files, once all has ended."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from tests.e2e.deployed import ACCOUNT, EUROPE, HOME, Deployed


class Version(NamedTuple):
    """A version of an object; S3 shows its time in whole seconds."""

    key: str
    version_id: str
    size: int
    etag: str
    is_latest: bool
    modified: datetime
    storage_class: str


class Row(NamedTuple):
    """A row of a completion report."""

    key: str
    version_id: str
    succeeded: bool
    code: str


@dataclass(frozen=True)
class JobSeen:
    """A job: whose it is, and how it stands."""

    id: str
    run_id: str
    operation: str
    round: int
    region: str
    status: str
    total: int
    done: int
    began: datetime
    ended: datetime | None


class Sight:
    """Reads what is there, by S3's and S3 Control's own interfaces."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed
        self._s3 = {region: deployed.cloud.client("s3", region) for region in (HOME, EUROPE)}

    def versions(self, bucket: str, region: str) -> list[Version]:
        """Return all versions of a bucket but delete markers."""
        pages = self._s3[region].get_paginator("list_object_versions").paginate(Bucket=bucket)
        return [
            Version(
                item["Key"],
                item["VersionId"],
                item["Size"],
                item["ETag"],
                item["IsLatest"],
                item["LastModified"],
                item.get("StorageClass", "STANDARD"),
            )
            for page in pages
            for item in page.get("Versions", [])
        ]

    def jobs(self) -> list[JobSeen]:
        """Return all jobs, oldest first in each region. Raises AssertionError for one that no run describes."""
        return [one for region in (HOME, EUROPE) for one in self._jobs(region)]

    def _jobs(self, region: str) -> Iterator[JobSeen]:
        control = self._deployed.cloud.client("s3control", region)
        listed = control.list_jobs(AccountId=ACCOUNT, MaxResults=1000)["Jobs"]
        for item in reversed(listed):
            job = control.describe_job(AccountId=ACCOUNT, JobId=item["JobId"])["Job"]
            if not job.get("Description"):
                # The application's have one.
                continue
            told = job["Description"].split(" ")
            assert (len(told), told[0]) == (4, "seeder"), f"a job without a run: {job}"
            progress = job.get("ProgressSummary") or {}
            done = progress.get("NumberOfTasksSucceeded", 0) + progress.get("NumberOfTasksFailed", 0)
            yield JobSeen(
                id=job["JobId"],
                run_id=told[1],
                operation=told[2],
                round=int(told[3]),
                region=region,
                status=job["Status"],
                total=progress.get("TotalNumberOfTasks", 0),
                done=done,
                began=job["CreationTime"],
                ended=job.get("TerminationDate"),
            )

    def files(self, bucket: str, region: str, prefix: str, suffix: str = "") -> dict[str, bytes]:
        """Return all objects below a prefix whose keys end so."""
        s3 = self._s3[region]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        listed = [item["Key"] for page in pages for item in page.get("Contents", [])]
        keys = [key for key in listed if key.endswith(suffix)]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def document(self, key: str) -> Any:
        """Return a JSON document of the state bucket, None where there is none."""
        s3 = self._s3[HOME]
        try:
            return json.loads(s3.get_object(Bucket=self._deployed.state_bucket, Key=key)["Body"].read())
        except s3.exceptions.NoSuchKey:
            return None

    def uploads(self, bucket: str, region: str) -> list[str]:
        """Return the keys of unfinished uploads."""
        return self._deployed.uploads(bucket, region)


def manifest_rows(body: bytes) -> list[tuple[str, str]]:
    """Return key and version id of each row of a manifest."""
    found = csv.reader(io.StringIO(body.decode(), newline=""))
    return [(unquote_plus(row[1]), row[2] if len(row) > 2 else "") for row in found]


def report_rows(body: bytes) -> list[Row]:
    """Return the rows of a result file."""
    found = csv.reader(io.StringIO(body.decode(), newline=""))
    return [Row(row[1], row[2], row[3] == "succeeded", row[4]) for row in found]
