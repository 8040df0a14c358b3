"""Everybody else in the account: who writes to the buckets, confirms jobs, swaps registries, delivers events."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from seeder.lake.registry import Registry
from tests.e2e.deployed import ACCOUNT, EUROPE, HOME, Deployed

MOST_WRITES = 6
MOST_LOOKS = 12
LOOK_SECONDS = 400.0


class Writers:
    """Others, who put, overwrite and delete in a pair of buckets; `touched` is when each key was, last.

    Times are numbers of the stage's own, that grow with everything that happens.
    """

    def __init__(self, cloud: Any, luck: random.Random, now: Iterator[int]) -> None:
        self._s3 = {region: cloud.client("s3", region) for region in (HOME, EUROPE)}
        self._luck = luck
        self._now = now
        self._numbers = itertools.count()
        self.places: list[tuple[str, str]] = []
        self.touched: dict[tuple[str, str], int] = {}

    def source(self) -> None:
        """Write something to a source."""
        self._write(*self._luck.choice(self.places[::2]), own="new")

    def destination(self) -> None:
        """Write something to a destination."""
        self._write(*self._luck.choice(self.places[1::2]), own="theirs")

    def _write(self, bucket: str, region: str, own: str) -> None:
        s3, number = self._s3[region], next(self._numbers)
        held = s3.list_object_versions(Bucket=bucket)
        versions = [item for item in held.get("Versions", []) if not item["Key"].startswith("seeder/")]
        what = self._luck.choice(["put", "put", "overwrite", "overwrite", "delete", "delete a version"])
        if what == "put" or not versions:
            key = self._luck.choice([f"{own} {number}", f"logs/{own} {number}"])
            self._put(s3, bucket, key, number)
            return
        one = self._luck.choice(versions)
        if what == "overwrite":
            self._put(s3, bucket, one["Key"], number)
        elif what == "delete":
            s3.delete_object(Bucket=bucket, Key=one["Key"])
            self._touch(bucket, one["Key"])
        else:
            s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
            self._touch(bucket, one["Key"])

    def _put(self, s3: Any, bucket: str, key: str, number: int) -> None:
        s3.put_object(Bucket=bucket, Key=key, Body=f"written meanwhile: {number}".encode())
        self._touch(bucket, key)

    def _touch(self, bucket: str, key: str) -> None:
        self.touched[bucket, key] = next(self._now)

    def at_work(self, write: Callable[[], None]) -> Iterator[float]:
        """Write some times, with pauses in seconds in between."""
        for _ in range(self._luck.randint(1, MOST_WRITES)):
            yield self._luck.choice([0.0, 0.0, 0.0, 1.5, 20.0, 45.0])
            write()


def confirming(cloud: Any, wanted: str) -> Iterator[float]:
    """Look for suspended jobs now and then, and make them `wanted`: Ready or Cancelled."""
    for _ in range(MOST_LOOKS):
        yield LOOK_SECONDS
        for region in (HOME, EUROPE):
            control = cloud.client("s3control", region)
            for job in control.list_jobs(AccountId=ACCOUNT, JobStatuses=["Suspended"])["Jobs"]:
                try:
                    control.update_job_status(
                        AccountId=ACCOUNT, JobId=job["JobId"], RequestedJobStatus=wanted
                    )
                except ClientError:
                    # Somebody was faster.
                    continue


def racer(s3: Any, bucket: str) -> Callable[[str], None]:
    """Return who swaps the registry at a key for the same content, so that whoever read it before has lost."""

    def race(key: str) -> None:
        if not key.startswith("metastore/datasets/"):
            Registry(s3, bucket, key).update(lambda body: body)

    return race


def occupy(deployed: Deployed, seconds: float) -> None:
    """Let somebody have a job of one task that takes so long; it begins by the next rest."""
    cloud, name = deployed.cloud, "bucket-of-a-stranger"
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a", Body=b"a")
    etag = s3.put_object(Bucket=name, Key="manifest.csv", Body=f"{name},a\n".encode())["ETag"]
    role = deployed.role("stranger", "batchoperations.s3.amazonaws.com", "s3:*")
    cloud.settings.tasks_per_second = 1 / seconds
    cloud.client("s3control").create_job(
        AccountId=ACCOUNT,
        ConfirmationRequired=False,
        Operation={"S3PutObjectCopy": {"TargetResource": f"arn:aws:s3:::{name}"}},
        Report={"Enabled": False},
        ClientRequestToken=name,
        Manifest={
            "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
            "Location": {"ObjectArn": f"arn:aws:s3:::{name}/manifest.csv", "ETag": etag},
        },
        Priority=10,
        RoleArn=role,
    )
