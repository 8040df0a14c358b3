"""Replication while writers do not stop: nothing is lost, nothing is changed on the way."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from localcloud import replication
from localcloud.clock import ScaledClock
from localcloud.patching import Patches
from localcloud.server import Server
from tests.unit.localcloud.replication_world import World, everything, rule, world

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITERS = 4
WRITES = 25


@pytest.fixture
def cloud() -> Iterator[World]:
    """Replication that takes up to 5 s of a clock that runs 100 times as fast."""
    delays, patches = random.Random(7), Patches()  # noqa: S311 - dice, not secrets
    with world() as made:
        replication.install(patches, ScaledClock(100), lambda: delays.uniform(0, 5), everything)
        yield made
        replication.stop()
        patches.undo()


def state(s3: Any, bucket: str) -> list[tuple[Any, ...]]:
    """Return every version and delete marker with its place, content and tags."""
    found: list[tuple[Any, ...]] = []
    for page in s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 7}
    ):
        for item in page.get("Versions", []):
            which = {"Bucket": bucket, "Key": item["Key"], "VersionId": item["VersionId"]}
            tags = s3.get_object_tagging(**which)["TagSet"]
            found.append((item["Key"], item["VersionId"], item["IsLatest"], item["ETag"], str(tags)))
        for item in page.get("DeleteMarkers", []):
            found.append((item["Key"], item["VersionId"], item["IsLatest"]))
    return sorted(found)


def write(s3: Any, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - dice, not secrets
    for number in range(WRITES):
        key = f"k{chance.randrange(8)}"
        if chance.random() < 0.2:
            s3.delete_object(Bucket="src", Key=key)
        else:
            tagging = f"writer={seed}" if chance.random() < 0.5 else ""
            s3.put_object(Bucket="src", Key=key, Body=f"{seed} {number}".encode(), Tagging=tagging)


def test_a_replica_ends_equal_to_a_source_that_many_write(cloud: World) -> None:
    cloud.configure(rule(markers=True))
    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(lambda seed: write(cloud.s3, seed), range(WRITERS)))
    replication.drain()

    source = state(cloud.s3, "src")

    assert len(source) == WRITERS * WRITES
    assert state(cloud.s3, "dst") == source


def test_what_was_there_before_is_seeded_while_writers_go_on(cloud: World) -> None:
    write(cloud.s3, seed=99)
    before = cloud.versions("src")
    cloud.configure(rule(markers=True))
    stop = threading.Event()

    def keep_writing(seed: int) -> None:
        while not stop.is_set():
            write(cloud.s3, seed)

    with ThreadPoolExecutor(2) as writers:
        going = [writers.submit(keep_writing, seed) for seed in (1, 2)]
        for key, version, _ in before:
            replication.replicate_version("src", key, version)
        stop.set()
        for one in going:
            one.result()
    replication.drain()

    assert state(cloud.s3, "dst") == state(cloud.s3, "src")


def test_a_server_replicates_as_calls_inside_do(cloud: World) -> None:
    server = Server().start()
    try:
        outside = boto3.client(
            "s3",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        configuration: Any = {"Role": "arn:aws:iam::123456789012:role/r", "Rules": [rule()]}
        outside.put_bucket_replication(Bucket="src", ReplicationConfiguration=configuration)
        version = outside.put_object(Bucket="src", Key="odd \n key", Body=b"x")["VersionId"]
        replication.drain()
        copy = outside.head_object(Bucket="dst", Key="odd \n key", VersionId=version)

        assert outside.get_bucket_replication(Bucket="src")["ReplicationConfiguration"] == configuration
        assert copy["ReplicationStatus"] == "REPLICA"
    finally:
        server.stop()
