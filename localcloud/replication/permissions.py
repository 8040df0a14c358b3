"""What the replication role must be allowed, and which reason S3 gives when it is not.

Contract: S3 User Guide, "Setting up permissions for live replication". That each missing permission gives
the reason below is assumed; the guide lists reasons and permissions, but does not pair them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from localcloud.iam_roles import read_role
from localcloud.replication import configuration
from localcloud.replication.failures import ReplicationFailure

if TYPE_CHECKING:
    from localcloud.replication.configuration import Rule
    from localcloud.replication.rules import Subject

Allowed = Callable[[str, str, str], bool]
"""Whether a role (its ARN) may perform an action on a resource (its ARN)."""

ASSUME = "sts:AssumeRole"
"""Asked with the source bucket as the resource: whether S3 may assume the role on its behalf."""

_SERVICE = "s3.amazonaws.com"

REASONS = {
    ASSUME: "AssumeRoleNotPermitted",
    "s3:GetReplicationConfiguration": "SrcBucketReplicationConfigMissing",
    "s3:ListBucket": "SrcHeadObjectNotPermitted",
    "s3:GetObjectVersionForReplication": "SrcGetObjectNotPermitted",
    "s3:GetObjectVersionAcl": "SrcGetAclNotPermitted",
    "s3:GetObjectVersionTagging": "SrcGetTaggingNotPermitted",
    "s3:ReplicateObject": "DstPutObjectNotPermitted",
    "s3:ReplicateDelete": "DstDelObjNotPermitted",
    "s3:ReplicateTags": "DstPutTaggingNotPermitted",
    "s3:ObjectOwnerOverrideToBucketOwner": "DstPutAclNotPermitted",
}


def allowed_by_iam(role_arn: str, action: str, resource: str) -> bool:
    """Ask IAM and the bucket's policy. Raises UnsupportedPolicy where a condition cannot be evaluated."""
    role = read_role(role_arn)
    if role is None:
        return False
    account = role_arn.split(":")[4]
    if action == ASSUME:
        return role.trusts(_SERVICE, {"aws:SourceArn": resource, "aws:SourceAccount": account})
    context = {
        "aws:SecureTransport": "true",
        "aws:PrincipalArn": role_arn,
        "aws:PrincipalAccount": account,
        "aws:PrincipalType": "AssumedRole",
        "aws:SourceVpce": None,
        "aws:SourceVpc": None,
    }
    return role.may(action, resource, context, resource.split(":::")[1].split("/")[0])


def check(allowed: Allowed, role: str, source: str, rule: Rule, subject: Subject) -> None:
    """Raise ReplicationFailure for the first permission the role lacks to replicate `subject` by `rule`."""
    for action, resource in _needed(source, rule, subject):
        if not allowed(role, action, resource):
            raise ReplicationFailure(REASONS[action])


def _needed(source: str, rule: Rule, subject: Subject) -> Iterator[tuple[str, str]]:
    bucket = f"arn:aws:s3:::{source}"
    here, there = f"{bucket}/{subject.key}", f"{rule['Destination']['Bucket']}/{subject.key}"
    yield ASSUME, bucket
    yield "s3:GetReplicationConfiguration", bucket
    yield "s3:ListBucket", bucket
    if subject.delete_marker:
        yield "s3:ReplicateDelete", there
        return
    yield "s3:GetObjectVersionForReplication", here
    yield "s3:GetObjectVersionAcl", here
    yield "s3:ReplicateObject", there
    if subject.tags:
        yield "s3:GetObjectVersionTagging", here
        yield "s3:ReplicateTags", there
    if configuration.overrides_owner(rule):
        yield "s3:ObjectOwnerOverrideToBucketOwner", there
