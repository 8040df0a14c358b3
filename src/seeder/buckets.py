"""What a run must know of its two buckets before it changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder.errors import InvalidRequest, code_of, translate

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from seeder.clients import Clients


class Bucket(BaseModel):
    """A bucket's name, region, versioning ("Enabled", "Suspended" or "": never enabled), and whose it is.

    `key` is the KMS key by which its objects are encrypted by default, as the bucket names it; empty where S3's own.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    region: str
    versioning: str
    is_ours: bool = True
    key: str = ""


def describe(clients: Clients, field: str, name: str, account_id: str = "") -> Bucket:
    """Look at the bucket that a request's field names.

    `account_id` is ours; where it is empty, the bucket's owner and key are not looked at.

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
    s3 = clients.s3(region)
    return Bucket(
        name=name,
        region=region,
        versioning=s3.get_bucket_versioning(Bucket=name).get("Status", ""),
        is_ours=not account_id or _is_ours(s3, name, account_id),
        key=_default_key(s3, name) if account_id else "",
    )


def _is_ours(s3: S3Client, name: str, account_id: str) -> bool:
    try:
        s3.head_bucket(Bucket=name, ExpectedBucketOwner=account_id)
    except ClientError as error:
        if code_of(error) in {"403", "AccessDenied"}:
            return False
        raise
    return True


def _default_key(s3: S3Client, name: str) -> str:
    try:
        answer = s3.get_bucket_encryption(Bucket=name)
    except ClientError as error:
        # A bucket of another account need not show its encryption.
        if code_of(error) in {"AccessDenied", "ServerSideEncryptionConfigurationNotFoundError"}:
            return ""
        raise
    rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
    defaults = [rule.get("ApplyServerSideEncryptionByDefault") for rule in rules]
    return next((item.get("KMSMasterKeyID", "") for item in defaults if item), "")


def require_versioning(field: str, bucket: Bucket) -> None:
    """Raise InvalidRequest unless the bucket's versioning is enabled, as replication needs it."""
    if bucket.versioning != "Enabled":
        state = bucket.versioning or "off"
        raise InvalidRequest(
            field,
            f"bucket '{bucket.name}' has versioning {state}, and replication needs it; run: aws s3api "
            f"put-bucket-versioning --bucket {bucket.name} --versioning-configuration Status=Enabled",
        )
