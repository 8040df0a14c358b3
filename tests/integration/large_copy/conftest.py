"""A cloud whose S3 takes parts of any size, empty before each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto.s3.models import s3_backends

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder.large.session import patient


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(ScaledClock(1000)) as running:
        yield running


@pytest.fixture(scope="module")
def client(cloud: LocalCloud) -> Any:
    return patient().create_client("s3", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


@pytest.fixture
def s3(client: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """S3 takes parts of 5 MiB and more; here it takes any."""
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    s3_backends.reset()
    for bucket in ("source", "destination", "state"):
        client.create_bucket(Bucket=bucket)
    return client
