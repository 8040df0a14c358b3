"""boto3 clients, made per region in this one place."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3control import S3ControlClient

CONNECTIONS = 64
_CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 5}, max_pool_connections=CONNECTIONS)
# Who calls S3 Control waits for a job for hours, and for its own turn as well: that is no matter of a few seconds.
_SELDOM = Config(retries={"mode": "standard", "total_max_attempts": 2})


class Clients:
    """The clients of one process, each made once for a region; IAM, which has none, once.

    Regions matter: a copy job belongs to the destination's region, a replicate job to the source's
    (S3 User Guide, "Copy objects with S3 Batch Operations").
    """

    def __init__(self, session: boto3.Session | None = None) -> None:
        self._session = session or boto3.Session()
        self.s3 = cache(self._s3)
        self.s3control = cache(self._s3control)
        self.iam = cache(self._iam)

    @property
    def region(self) -> str:
        """The region this process runs in, where the state bucket is."""
        return self._session.region_name

    def s3_of(self, bucket: str) -> S3Client:
        """Return a client of the bucket's own region; of this process's where the bucket does not tell."""
        home = self.s3(self.region)
        try:
            return self.s3(home.head_bucket(Bucket=bucket).get("BucketRegion") or self.region)
        except ClientError:
            return home

    def _s3(self, region: str) -> S3Client:
        return self._session.client("s3", region_name=region, config=_CONFIG)

    def _iam(self) -> IAMClient:
        return self._session.client("iam", config=_CONFIG)

    def _s3control(self, region: str) -> S3ControlClient:
        return self._session.client("s3control", region_name=region, config=_SELDOM)
