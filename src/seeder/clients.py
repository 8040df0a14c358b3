"""AWS's clients, made per region in this one place.

They are botocore's, as boto3's are: importing boto3 besides is a tenth of a function's start, and no function needs it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3control import S3ControlClient
    from mypy_boto3_stepfunctions import SFNClient

CONNECTIONS = 64
_CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 5}, max_pool_connections=CONNECTIONS)
# For what may be left undone: asked once, for some seconds.
_ONCE = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
# Who calls S3 Control waits for a job for hours, and for its own turn as well: that is no matter of a few seconds.
_SELDOM = Config(retries={"mode": "standard", "total_max_attempts": 2})


class Clients:
    """The clients of one process, each made once for a region; IAM, which has none, once; Step Functions' in its own.

    Regions matter: a copy job belongs to the destination's region, a replicate job to the source's
    (S3 User Guide, "Copy objects with S3 Batch Operations").
    """

    def __init__(self, session: boto3.Session | botocore.session.Session | None = None) -> None:
        session = session or botocore.session.Session()
        self._client: Any
        if isinstance(session, botocore.session.Session):
            self._client, self._region = session.create_client, session.get_config_variable("region")
        else:
            self._client, self._region = session.client, session.region_name
        self.s3 = cache(self._s3)
        self.s3_once = cache(self._s3_once)
        self.s3control = cache(self._s3control)
        self.iam = cache(self._iam)
        self.states = cache(self._states)

    @property
    def region(self) -> str:
        """The region this process runs in, where the state bucket is."""
        return cast("str", self._region)

    def s3_of(self, bucket: str) -> S3Client:
        """Return a client of the bucket's own region; of this process's where the bucket does not tell."""
        home = self.s3(self.region)
        try:
            return self.s3(home.head_bucket(Bucket=bucket).get("BucketRegion") or self.region)
        except ClientError:
            return home

    def _s3(self, region: str) -> S3Client:
        return cast("S3Client", self._client("s3", region_name=region, config=_CONFIG))

    def _s3_once(self, region: str) -> S3Client:
        return cast("S3Client", self._client("s3", region_name=region, config=_ONCE))

    def _iam(self) -> IAMClient:
        return cast("IAMClient", self._client("iam", config=_CONFIG))

    def _states(self) -> SFNClient:
        return cast("SFNClient", self._client("stepfunctions"))

    def _s3control(self, region: str) -> S3ControlClient:
        return cast("S3ControlClient", self._client("s3control", region_name=region, config=_SELDOM))
