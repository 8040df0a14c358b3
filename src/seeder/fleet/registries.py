"""The registries that runs share in the state bucket, under `metastore/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeder.lake.registry import Registry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Less than a function has, so that it can still tell what it waited for.
DEADLINE_SECONDS = 40


def registry(s3: S3Client, state_bucket: str, name: str) -> Registry:
    """Return the registry `metastore/<name>.json`."""
    return Registry(s3, state_bucket, f"metastore/{name}.json", deadline_seconds=DEADLINE_SECONDS)
