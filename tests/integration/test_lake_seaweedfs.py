"""Shared objects and registries on a real S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from seeder.errors import Lost
from tests import lakes
from tests.integration.localcloud.seaweedfs import seaweedfs

PLAIN, VERSIONED = "plain", "versioned"


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with seaweedfs() as client:
        for bucket in (PLAIN, VERSIONED):
            client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
        yield client


def test_no_update_of_many_threads_is_lost_or_doubled(s3: Any) -> None:
    lakes.no_update_of_many_threads_is_lost_or_doubled(s3, PLAIN, "metastore/registry.json")


def test_one_of_many_threads_creates_an_object(s3: Any) -> None:
    # Contended creations take this server a second each.
    lakes.one_of_many_threads_creates_an_object(s3, VERSIONED, "datasets/raced", writers=4)


@pytest.mark.parametrize("bucket", [PLAIN, VERSIONED])
@pytest.mark.parametrize("key", ["a b/c d.txt", "a+b%2B", 'comma, "quote"', "ünï/🦊"])
def test_outcomes_are_kept_apart(s3: Any, bucket: str, key: str) -> None:
    # S3 answers 404 to If-Match where there is no object, this server 412.
    lakes.outcomes_are_kept_apart(s3, bucket, key, when_gone=Lost)


@pytest.mark.parametrize("bucket", [PLAIN, VERSIONED])
def test_a_deleted_registry_begins_anew(s3: Any, bucket: str) -> None:
    lakes.a_deleted_registry_begins_anew(s3, bucket, "metastore/deleted.json")
