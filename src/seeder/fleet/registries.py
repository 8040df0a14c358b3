"""The registries that runs share in the state bucket, under `metastore/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from seeder.lake.registry import Registry
from seeder.lake.schema import Schema, shaped

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Less than a function has, so that it can still tell what it waited for.
DEADLINE_SECONDS = 40


class Shape(BaseModel):
    """What a body must be to be understood; one that holds more is of a newer release, which must not lose it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def registry(s3: S3Client, state_bucket: str, name: str, shape: type[Shape]) -> Registry:
    """Return the registry `metastore/<name>.json`, whose bodies have the shape; reading another is refused."""
    return Registry(
        s3,
        state_bucket,
        f"metastore/{name}.json",
        schema=Schema(check=shaped(shape)),
        deadline_seconds=DEADLINE_SECONDS,
    )
