"""What a run must know of its two buckets before it changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder.errors import InvalidRequest, code_of, translate

if TYPE_CHECKING:
    from seeder.clients import Clients


class Bucket(BaseModel):
    """A bucket's name, region, and versioning: "Enabled", "Suspended" or "" (never enabled)."""

    model_config = ConfigDict(frozen=True)

    name: str
    region: str
    versioning: str


def describe(clients: Clients, field: str, name: str) -> Bucket:
    """Look at the bucket that a request's field names.

    Raises InvalidRequest naming `field` when there is no such bucket, AccessDenied when it may not be seen.
    """
    try:
        head = clients.s3(clients.region).head_bucket(Bucket=name)
        region = head.get("BucketRegion") or clients.region
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchBucket"}:
            raise InvalidRequest(
                field, f"bucket '{name}' does not exist; create it, or correct the name"
            ) from error
        raise translate(error) from error
    versioning = clients.s3(region).get_bucket_versioning(Bucket=name).get("Status", "")
    return Bucket(name=name, region=region, versioning=versioning)


def require_versioning(field: str, bucket: Bucket) -> None:
    """Raise InvalidRequest unless the bucket's versioning is enabled, as replication needs it."""
    if bucket.versioning != "Enabled":
        state = bucket.versioning or "off"
        raise InvalidRequest(
            field,
            f"bucket '{bucket.name}' has versioning {state}, and replication needs it; run: aws s3api "
            f"put-bucket-versioning --bucket {bucket.name} --versioning-configuration Status=Enabled",
        )
