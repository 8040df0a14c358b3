"""One bucket's settings, each asked once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from seeder.errors import code_of
from seeder_cli.checks.aws import Aws
from seeder_cli.checks.finding import Fact, present

_REFUSED = frozenset({"403", "AccessDenied", "Forbidden"})
_REGION_HEADER = "x-amz-bucket-region"


class Bucket:
    """A bucket that exists: each fact is a call that may raise ClientError. `region` is where it is."""

    def __init__(self, aws: Aws, name: str, region: str) -> None:
        self.name, self.region = name, region
        self._aws = aws
        self.s3 = s3 = aws.client("s3", region)
        self.versioning = Fact(lambda: str(s3.get_bucket_versioning(Bucket=name).get("Status", "")))
        self.is_ours = Fact(self._is_ours)
        self.policy = Fact(self._policy)
        self.encryption = Fact(self._encryption)
        self.lock = Fact(self._lock)
        self.replication = Fact(self._replication)

    @property
    def arn(self) -> str:
        """Its ARN. Raises ClientError, BotoCoreError."""
        return f"arn:{self._aws.partition}:s3:::{self.name}"

    @property
    def place(self) -> dict[str, str]:
        """The argument with which every call names the bucket."""
        return {"Bucket": self.name}

    def _is_ours(self) -> bool:
        self.s3.head_bucket(**self.place)  # a refusal of this one says nothing of the owner
        try:
            self.s3.head_bucket(**self.place, ExpectedBucketOwner=self._aws.account)
        except ClientError as error:
            if code_of(error) in _REFUSED:
                return False
            raise
        return True

    def _policy(self) -> dict[str, Any]:
        """The bucket policy; empty where there is none."""
        answer = present(lambda: self.s3.get_bucket_policy(**self.place), "NoSuchBucketPolicy")
        return dict(json.loads(answer["Policy"])) if answer else {}

    def _encryption(self) -> Encryption:
        answer = present(
            lambda: self.s3.get_bucket_encryption(**self.place),
            "ServerSideEncryptionConfigurationNotFoundError",
        )
        rules = answer["ServerSideEncryptionConfiguration"]["Rules"] if answer else []
        for rule in rules:
            given = rule.get("ApplyServerSideEncryptionByDefault") or {}
            if given:
                return Encryption(given["SSEAlgorithm"], given.get("KMSMasterKeyID", ""))
        return Encryption("", "")

    def _lock(self) -> dict[str, Any]:
        """The Object Lock configuration; empty where Object Lock is off."""
        answer = present(
            lambda: self.s3.get_object_lock_configuration(**self.place),
            "ObjectLockConfigurationNotFoundError",
        )
        return dict(answer["ObjectLockConfiguration"]) if answer else {}

    def _replication(self) -> dict[str, Any]:
        """The replication configuration; empty where there is none."""
        answer = present(
            lambda: self.s3.get_bucket_replication(**self.place), "ReplicationConfigurationNotFoundError"
        )
        return dict(answer["ReplicationConfiguration"]) if answer else {}


@dataclass(frozen=True)
class Encryption:
    """A bucket's default encryption: "AES256", "aws:kms", "aws:kms:dsse" or "" (none said), and its key as named."""

    algorithm: str
    key: str

    @property
    def is_kms(self) -> bool:
        """Whether objects are encrypted by KMS by default."""
        return self.algorithm.startswith("aws:kms")


def region_of(aws: Aws, name: str) -> str | None:
    """Return a bucket's region, also of one that may not be looked at; None where there is no such bucket.

    Raises ClientError. Contract: API reference, HeadBucket: the region stands in the answer's header, even of a 403.
    """
    try:
        return str(aws.client("s3").head_bucket(Bucket=name).get("BucketRegion") or aws.region)
    except ClientError as error:
        code = code_of(error)
        if code in {"404", "NoSuchBucket"}:
            return None
        if code in _REFUSED:
            headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
            return str(headers.get(_REGION_HEADER) or aws.region)
        raise
