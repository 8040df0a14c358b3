"""The bucket that keeps what a run without a stack leaves: manifests, reports, records and registries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from seeder.errors import code_of
from seeder_cli.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FIRST_REGION = "us-east-1"
_MISSING = frozenset({"404", "NoSuchBucket"})
_TAKEN = frozenset({"403", "AccessDenied", "BucketAlreadyExists"})
# What servers answer that know no such call.
_UNKNOWN = frozenset({"MethodNotAllowed", "NotImplemented", "405", "501", "MalformedXML", "InvalidRequest"})


def ensure(s3: S3Client, name: str, region: str) -> bool:
    """Make the bucket if it is missing, with public access blocked where the server can; return whether it was made.

    Raises CommandError for a name that is somebody else's, ClientError.
    """
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        if code_of(error) in _TAKEN:
            raise CommandError(f"--state-bucket {name}: it is not yours to use; give another") from error
        if code_of(error) not in _MISSING:
            raise
    else:
        return False
    _create(s3, name, region)
    _block(s3, name)
    return True


def _create(s3: S3Client, name: str, region: str) -> None:
    where: Any = (
        {} if region == _FIRST_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    )
    try:
        s3.create_bucket(Bucket=name, **where)
    except ClientError as error:
        if code_of(error) in _TAKEN:
            raise CommandError(f"--state-bucket {name}: the name is taken; give another") from error
        if code_of(error) != "BucketAlreadyOwnedByYou":  # another run was faster
            raise


def _block(s3: S3Client, name: str) -> None:
    try:
        s3.put_public_access_block(
            Bucket=name,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        )
    except ClientError as error:
        if code_of(error) not in _UNKNOWN:
            raise
