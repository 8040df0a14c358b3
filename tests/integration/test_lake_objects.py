"""Shared objects and registries on the local cloud, whose S3 checks and writes in one step, and on a real S3 server."""

from __future__ import annotations

from typing import Any

import pytest

from seeder.lake import objects
from tests import lakes
from tests.keys import TRAPS
from tests.servers import LOCAL, REAL, Server, is_path

PLAIN, VERSIONED = "plain", "versioned"
KEYS = [(LOCAL, key) for key in TRAPS[::5]] + [(REAL, key) for key in filter(is_path, TRAPS[::2])]
either_bucket = pytest.mark.parametrize("bucket", [PLAIN, VERSIONED])


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    s3 = server.buckets(PLAIN, VERSIONED)
    s3.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    return s3


def test_no_update_of_many_threads_is_lost_or_doubled(s3: Any) -> None:
    lakes.no_update_of_many_threads_is_lost_or_doubled(s3, VERSIONED, "metastore/registry.json")


# Contended creations take the real server a second each.
@pytest.mark.parametrize(("server", "writers"), [(LOCAL, 16), (REAL, 4)], indirect=["server"])
def test_one_of_many_threads_creates_an_object(s3: Any, writers: int) -> None:
    lakes.one_of_many_threads_creates_an_object(s3, VERSIONED, "datasets/raced", writers)


@either_bucket
@pytest.mark.parametrize(("server", "key"), KEYS, indirect=["server"])
def test_outcomes_are_kept_apart(server: Server, s3: Any, bucket: str, key: str) -> None:
    lakes.outcomes_are_kept_apart(s3, bucket, key, server.ways.when_gone)


@either_bucket
def test_a_deleted_registry_begins_anew(s3: Any, bucket: str) -> None:
    lakes.a_deleted_registry_begins_anew(s3, bucket, "metastore/deleted.json")
    markers = s3.list_object_versions(Bucket=bucket, Prefix="metastore/deleted.json").get("DeleteMarkers", [])
    assert len(markers) == (bucket == VERSIONED)


@either_bucket
def test_what_was_deleted_is_not_replaced_or_deleted(server: Server, s3: Any, bucket: str) -> None:
    etag = objects.create(s3, bucket, "marked", b"1").etag
    s3.delete_object(Bucket=bucket, Key="marked")
    with pytest.raises(server.ways.when_gone):
        objects.replace(s3, bucket, "marked", b"2", etag)
    with pytest.raises(server.ways.when_gone):
        objects.delete(s3, bucket, "marked", etag)
    assert objects.read(s3, bucket, "marked") is None
