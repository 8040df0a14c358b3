"""Writes whose answers are lost, through boto3, which makes some calls again by itself."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import boto3
import pytest
from botocore.config import Config

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from localcloud.faults import Fault
from seeder.lake import objects
from seeder.lake.registry import Registry

BUCKET = "state"
CREDENTIALS: Any = {
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
    "region_name": "us-east-1",
}


def one_more(body: dict[str, Any]) -> dict[str, Any]:
    return {"n": body.get("n", 0) + 1}


def again(s3: Any, key: str) -> None:
    """Create an object, replace and delete it, each once, and count twice in a registry."""
    first = objects.create(s3, BUCKET, key, b"1")
    assert first.is_new
    second = objects.replace(s3, BUCKET, key, b"2", first.etag)
    objects.delete(s3, BUCKET, key, second.etag)
    registry = Registry(s3, BUCKET, f"{key}.json")
    assert [registry.update(one_more).revision for _ in range(2)] == [1, 2]
    assert registry.read().body == {"n": 2}


@pytest.mark.parametrize("attempts", [1, 3], ids=["one attempt of the client", "three"])
@pytest.mark.parametrize("effect", [{"effect": "timeout"}, {"status": 500, "code": "InternalError"}], ids=str)
def test_what_was_written_without_an_answer_is_not_written_again(
    effect: dict[str, Any], attempts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.0)  # by which botocore draws its waits
    counts = (1, 2, 4)
    faults = [
        Fault(operation=operation, key_prefix=f"{count}-", committed=True, times=count, **effect)
        for operation in ("PutObject", "DeleteObject")
        for count in counts
    ]
    with LocalCloud(ScaledClock(1000), faults=faults):
        config = Config(retries={"mode": "legacy", "total_max_attempts": attempts})
        s3 = boto3.client("s3", **CREDENTIALS, config=config)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for count in counts:
            again(s3, f"{count}-key")
            versions = s3.list_object_versions(Bucket=BUCKET, Prefix=f"{count}-")
            written = Counter(version["Key"] for version in versions["Versions"])
            assert written == {f"{count}-key": 2, f"{count}-key.json": 2}
            assert len(versions["DeleteMarkers"]) == 1
