"""The job role: assumed for each job, and asked before each thing the job does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localcloud import kms, role_settling, sessions
from localcloud.batch_operations import store
from localcloud.batch_operations.clients import make_client
from localcloud.batch_operations.exceptions import JobFailedError
from localcloud.iam import UnsupportedPolicy
from localcloud.iam_roles import Role, read_role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localcloud.batch_operations.job_session import JobIdentity
    from localcloud.batch_operations.settings import FailureCodes

SERVICE = sessions.BATCH_OPERATIONS

_ABSENT = (
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    "aws:PrincipalServiceName",
    "aws:PrincipalOrgID",
    "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge",
    "s3:if-none-match",
    "s3:if-match",
    "s3:prefix",
    "s3:delimiter",
    "s3:max-keys",
    "s3:VersionId",
    "s3:x-amz-acl",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-storage-class",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-website-redirect-location",
    "s3:ObjectCreationOperation",
    "s3:DataAccessPointArn",
    "s3:DataAccessPointAccount",
    "s3:AccessPointNetworkOrigin",
)


class RoleSession:
    """An assumed job role: its clients, and what its policies allow."""

    def __init__(self, role: Role, credentials: dict[str, str], region: str) -> None:
        self.role = role
        self.account = role.arn.split(":")[4]
        self.region = region
        self._credentials = credentials
        self._clients: dict[tuple[str, str], Any] = {}
        self._context: dict[str, dict[str, str | None]] = {}

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the role's client of a service, in the job's region or the one given."""
        place = (service, region or self.region)
        if place not in self._clients:
            self._clients[place] = make_client(*place, credentials=self._credentials)
        return self._clients[place]

    def s3(self, bucket: str) -> Any:
        """Return the role's S3 client of a bucket's region."""
        return self.client("s3", self.region_of(bucket))

    def region_of(self, bucket: str) -> str | None:
        """Return a bucket's region; None where there is no such bucket."""
        held = store.bucket(bucket)
        return str(held.region_name) if held else None

    def owner_of(self, bucket: str) -> str | None:
        """Return the account id that owns a bucket; None where there is no such bucket."""
        return store.owner(bucket)

    def may(
        self,
        action: str,
        resource: str,
        bucket: str | None = None,
        extra: Mapping[str, str | None] | None = None,
    ) -> bool:
        """Return whether the role may do this. `extra` adds condition keys of the call.

        Raises UnsupportedPolicy.
        """
        context = self._base(bucket or "")
        return self.role.may(action, resource, {**context, **extra} if extra else context, bucket)

    def may_object(
        self, action: str, bucket: str, key: str, extra: Mapping[str, str | None] | None = None
    ) -> bool:
        """Return whether the role may do this to an object (decoded key). Raises UnsupportedPolicy."""
        return self.may(action, f"arn:aws:s3:::{bucket}/{key}", bucket, extra)

    def may_use_key(self, action: str, key_id: str | None, bucket: str, key: str = "") -> bool:
        """Return whether the role may use a KMS key for an object, by its policies and the key's.

        S3's own key, and none at all, need no permission. Raises UnsupportedPolicy.
        """
        if not key_id or "alias/aws/s3" in key_id:
            return True
        resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
        context = {
            **self._base(bucket),
            "kms:CallerAccount": self.account,
            "kms:ViaService": f"s3.{self.region_of(bucket) or self.region}.amazonaws.com",
            "kms:EncryptionContext:aws:s3:arn": resource,
            "kms:EncryptionContextKeys": "aws:s3:arn",
            "kms:GrantIsForAWSResource": None,
        }
        return kms.may_use(self.role, action, self.kms_key(key_id, bucket), context)

    def kms_key(self, key_id: str, bucket: str) -> kms.Key:
        """Return the KMS key of an id, an alias or an ARN, as a bucket's objects name it."""
        return kms.find_key(key_id, self.account, self.region_of(bucket) or self.region)

    def _base(self, bucket: str) -> dict[str, str | None]:
        if bucket not in self._context:
            owner = store.owner(bucket) or self.account
            self._context[bucket] = {
                **dict.fromkeys(_ABSENT),
                "aws:PrincipalArn": self.role.arn,
                "aws:PrincipalAccount": self.account,
                "aws:PrincipalType": "AssumedRole",
                "aws:PrincipalIsAWSService": "false",
                "aws:ViaAWSService": "false",
                "aws:SecureTransport": "true",
                "aws:RequestedRegion": self.region,
                "aws:ResourceAccount": owner,
                "s3:ResourceAccount": owner,
                "s3:authType": "REST-HEADER",
                "s3:signatureversion": "AWS4-HMAC-SHA256",
                "s3:TlsVersion": "1.3",
            }
        return self._context[bucket]


def assume(job: JobIdentity, codes: FailureCodes) -> RoleSession:
    """Assume a job's role, as batchoperations.s3.amazonaws.com.

    Raises JobFailedError, naming what is wrong with it.
    """
    try:
        role = read_role(job.role_arn)
        context = {
            "aws:SourceAccount": job.account,
            "aws:SourceArn": job.arn,
            "aws:SecureTransport": "true",
            "sts:ExternalId": None,
            "aws:SourceOrgID": None,
        }
        trusted = role is not None and role.trusts(SERVICE, context)
    except UnsupportedPolicy as error:
        raise JobFailedError(codes.policy, str(error)) from error
    if role is not None and not _is_settled(job):
        raise JobFailedError(
            codes.role, f"The role {job.role_arn} cannot be assumed: it is not known here yet"
        )
    if role is None or not trusted:
        problem = "does not exist" if role is None else f"does not trust {SERVICE}"
        raise JobFailedError(codes.role, f"The role {job.role_arn} cannot be assumed: it {problem}")
    credentials = sessions.begin(job.role_arn, f"s3-batch-operations_{job.id}", SERVICE, job.region)
    return RoleSession(role, credentials, job.region)


def _is_settled(job: JobIdentity) -> bool:
    """Whether the job's role was last changed long enough ago."""
    wait = job.settings.role_settling_seconds
    return not wait or role_settling.seconds_since_change(job.role_arn, job.settings.clock.now()) >= wait
