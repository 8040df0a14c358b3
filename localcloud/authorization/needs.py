"""What a request needs to be allowed, and the condition keys that go with it.

Contract: Service Authorization Reference (actions, resource types and condition keys of each service); IAM User
Guide, "AWS global condition context keys".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localcloud.iam import Context
    from localcloud.kms import Key


class NotSupported(Exception):
    """A request of which the local cloud does not know what it needs to be allowed."""


@dataclass(frozen=True)
class Need:
    """One action on one resource.

    `bucket` names the bucket whose policy has a say, `key` is the KMS key whose policy has, or a role with its
    trust policy, which decides in the same way. `context` has the condition keys of this request alone.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    bucket: str = ""
    key: Key | None = None


_GLOBAL_ABSENT = (
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:VpcSourceIp",
    "aws:RequestTag/",
    "aws:PrincipalTag/",
)
_S3_ABSENT = (
    "s3:AccessPointNetworkOrigin",
    "s3:DataAccessPointAccount",
    "s3:DataAccessPointArn",
    "s3:LocationConstraint",
    "s3:ObjectCreationOperation",
    "s3:RequestObjectTag/",
    "s3:RequestObjectTagKeys",
    "s3:VersionId",
    "s3:delimiter",
    "s3:if-match",
    "s3:if-none-match",
    "s3:max-keys",
    "s3:object-lock-legal-hold",
    "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-retain-until-date",
    "s3:prefix",
    "s3:signatureAge",
    "s3:x-amz-acl",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-object-ownership",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-storage-class",
    "s3:x-amz-website-redirect-location",
    "s3:RequestJobOperation",
    "s3:RequestJobPriority",
)
_ABSENT = {
    "s3": _S3_ABSENT,
    "iam": (
        "iam:AssociatedResourceArn",
        "iam:OrganizationsPolicyId",
        "iam:PassedToService",
        "iam:PermissionsBoundary",
        "iam:PolicyARN",
        "iam:ResourceTag/",
        "aws:ResourceTag/",
    ),
    "events": ("events:ManagedBy", "events:detail-type", "events:source", "events:eventBusInvocation"),
    "lambda": ("lambda:EventSourceToken", "lambda:InvokedViaFunctionUrl", "lambda:FunctionUrlAuthType"),
    "sns": ("sns:Endpoint", "sns:Protocol"),
    "sts": ("sts:ExternalId", "sts:RoleSessionName", "sts:SourceIdentity"),
    "kms": ("kms:GrantIsForAWSResource", "kms:RequestAlias"),
    "cloudwatch": ("cloudwatch:namespace",),
}


def base_context(action: str, region: str, account: str, role: str) -> dict[str, str | None]:
    """Return the condition keys that all requests for a service's actions have or lack.

    `account` owns the resource; `role` is the caller's ARN, "" for users and the root.
    """
    service = action.partition(":")[0]
    context: dict[str, str | None] = {
        **dict.fromkeys(_GLOBAL_ABSENT),
        **dict.fromkeys(_ABSENT.get(service, ())),
        "aws:PrincipalAccount": role.split(":")[4] if role else account,
        "aws:PrincipalArn": role or f"arn:aws:iam::{account}:root",
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "AssumedRole" if role else "Account",
        "aws:RequestedRegion": region,
        "aws:ResourceAccount": account,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
    }
    if service == "s3":
        context |= {
            "s3:ResourceAccount": account,
            "s3:TlsVersion": "1.3",
            "s3:authType": "REST-HEADER",
            "s3:signatureversion": "AWS4-HMAC-SHA256",
        }
    return context
