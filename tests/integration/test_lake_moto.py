"""Shared objects and registries on the local cloud, whose S3 checks and writes in one step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder.errors import Gone
from seeder.lake import objects
from tests import lakes
from tests.keys import TRAPS

BUCKET = "state"


def bucket(cloud: LocalCloud) -> Any:
    """Make a bucket like the application's own; return a client."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with LocalCloud(ScaledClock(1000)) as cloud:
        yield bucket(cloud)


def test_no_update_of_many_threads_is_lost_or_doubled(s3: Any) -> None:
    lakes.no_update_of_many_threads_is_lost_or_doubled(s3, BUCKET, "metastore/registry.json")


@pytest.mark.parametrize("turn", range(3))
def test_one_of_many_threads_creates_an_object(s3: Any, turn: int) -> None:
    lakes.one_of_many_threads_creates_an_object(s3, BUCKET, f"datasets/raced-{turn}")


@pytest.mark.parametrize("key", TRAPS[::5])
def test_outcomes_are_kept_apart(s3: Any, key: str) -> None:
    lakes.outcomes_are_kept_apart(s3, BUCKET, key)


def test_a_deleted_registry_begins_anew_where_a_delete_marker_stands(s3: Any) -> None:
    lakes.a_deleted_registry_begins_anew(s3, BUCKET, "metastore/deleted.json")
    versions = s3.list_object_versions(Bucket=BUCKET, Prefix="metastore/deleted.json")
    assert len(versions["DeleteMarkers"]) == 1


def test_a_delete_marker_has_nothing_to_replace_or_delete(s3: Any) -> None:
    etag = objects.create(s3, BUCKET, "marked", b"1").etag
    s3.delete_object(Bucket=BUCKET, Key="marked")
    with pytest.raises(Gone):
        objects.replace(s3, BUCKET, "marked", b"2", etag)
    with pytest.raises(Gone):
        objects.delete(s3, BUCKET, "marked", etag)
