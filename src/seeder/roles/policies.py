"""Policy documents of the roles that S3 takes on, as pure functions: who may take a role on, and what it may do then.

Contracts: S3 User Guide, "Granting permissions for Batch Operations", "Configuring an IAM role for S3 Batch
Replication", "Setting up permissions for live replication", "Replicating encrypted objects"; IAM User Guide, "IAM
policy elements: Variables and tags".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seeder.run import Kind

Document = dict[str, Any]
Statement = dict[str, Any]

# A role's own policies have 10,240 characters in all (IAM User Guide, "IAM and AWS STS quotas"), and each character
# of a prefix may take four, in several places. What follows in a longer prefix is left to the manifest.
MOST_PREFIX_CHARACTERS = 128
# By what S3 says of itself when it takes a role on. The S3 User Guide shows trust policies without conditions; that
# both keys are there for replication, and the account for jobs, is the rule of the IAM User Guide, "The confused
# deputy problem", and unconfirmed for these two services: whoever finds otherwise empties the tuple.
JOB_CONDITIONS: tuple[str, ...] = ("aws:SourceAccount",)
REPLICATION_CONDITIONS: tuple[str, ...] = ("aws:SourceAccount", "aws:SourceArn")
_DOMAINS = {"aws-cn": "amazonaws.com.cn"}


class Side(NamedTuple):
    """One bucket of a pair: its name, its region ("" where unknown), and patterns of the ARNs of its objects' keys."""

    bucket: str
    region: str = ""
    keys: tuple[str, ...] = ()


class Scope(NamedTuple):
    """What roles are for: a pair, the keys under a prefix, and the files of the runs.

    `account` is that of the roles and jobs. `manifests` and `reports` are patterns, `bucket/key`, of what a job reads
    and where S3 writes its report. `copy_function` is the ARN of the function that copies large objects.
    """

    account: str
    source: Side
    destination: Side
    prefix: str = ""
    partition: str = "aws"
    manifests: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    copy_function: str = ""

    def arn_of(self, bucket: str) -> str:
        """Return the ARN of a bucket, or of `bucket/pattern`."""
        return f"arn:{self.partition}:s3:::{bucket}"

    def objects_of(self, side: Side) -> str:
        """Return the pattern of the ARNs of a side's objects under the prefix."""
        return self.arn_of(f"{side.bucket}/{pattern(self.prefix)}*")


def pattern(text: str) -> str:
    """Return what stands in a policy for a text: `*`, `?` and `$` mean themselves.

    Only printable ASCII can stand there (IAM API reference, PutRolePolicy): what can't is left open by a `*`, and so
    is what follows the first 128 characters.
    """
    escaped = re.sub(r"[*?$]", lambda found: f"${{{found[0]}}}", text[:MOST_PREFIX_CHARACTERS])
    return re.sub(r"[^\x20-\x7e]+", "*", escaped)


def job_trust(account: str) -> Document:
    """Return the trust policy of a role of S3 Batch Operations jobs: for jobs of this account alone."""
    given = {"aws:SourceAccount": account}
    return _trust("batchoperations.s3.amazonaws.com", {key: given[key] for key in JOB_CONDITIONS})


def replication_trust(account: str, source: str, partition: str = "aws") -> Document:
    """Return the trust policy of a replication role: for S3 on behalf of one bucket of this account alone."""
    given = {"aws:SourceAccount": account, "aws:SourceArn": f"arn:{partition}:s3:::{source}"}
    return _trust("s3.amazonaws.com", {key: given[key] for key in REPLICATION_CONDITIONS})


def job_policy(scope: Scope, kind: Kind) -> Document:
    """Return what a job of one kind must be allowed; among it its manifest and its report."""
    own = {"copy": _copy, "replicate": _replicate, "large": _large, "restore": _restore}[kind](scope)
    manifests = [scope.arn_of(name) for name in scope.manifests]
    reports = [scope.arn_of(name) for name in scope.reports]
    return document(
        *own,
        allow("ReadManifest", ["s3:GetObject", "s3:GetObjectVersion"], manifests),
        allow("WriteReport", ["s3:PutObject"], reports),
    )


def replication_policy(scope: Scope, *, delete_markers: bool = True, owner: bool = False) -> Document:
    """Return what replication of a pair must be allowed: with delete markers, and giving replicas to their `owner`.

    Objects encrypted by KMS are replicated where the source has keys, and replicas encrypted where the destination has.
    """
    writes = ["s3:ReplicateObject", "s3:ReplicateTags"]
    writes += ["s3:ReplicateDelete"] if delete_markers else []
    writes += ["s3:ObjectOwnerOverrideToBucketOwner"] if owner else []
    source, destination = scope.source, scope.destination
    reads = ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"]
    return document(
        allow(
            "ReadRules", ["s3:GetReplicationConfiguration", "s3:ListBucket"], [scope.arn_of(source.bucket)]
        ),
        allow("ReadVersions", reads, [scope.objects_of(source)]),
        allow("WriteReplicas", writes, [scope.objects_of(destination)]),
        *use_keys("DecryptSource", scope, source, ["kms:Decrypt"]),
        *use_keys(
            "EncryptReplicas", scope, destination, ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
        ),
    )


def _copy(scope: Scope) -> list[Statement]:
    source, destination = scope.source, scope.destination
    reads, writes = (
        ["s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectTagging"],
        ["s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"],
    )
    return [
        allow("ReadSource", reads, [scope.objects_of(source)]),
        # Without it, S3 calls an object that is gone forbidden.
        allow("ListSource", ["s3:ListBucket"], [scope.arn_of(source.bucket)]),
        allow("WriteDestination", writes, [scope.objects_of(destination)]),
        *use_keys("DecryptSource", scope, source, ["kms:Decrypt"]),
        *use_keys("EncryptDestination", scope, destination, ["kms:Decrypt", "kms:GenerateDataKey"]),
    ]


def _replicate(scope: Scope) -> list[Statement]:
    return [allow("Replicate", ["s3:InitiateReplication"], [scope.objects_of(scope.source)])]


def _large(scope: Scope) -> list[Statement]:
    function = scope.copy_function
    return [allow("CopyLargeObjects", ["lambda:InvokeFunction"], [function, f"{function}:*"])]


def _restore(scope: Scope) -> list[Statement]:
    return [allow("Restore", ["s3:RestoreObject"], [scope.objects_of(scope.source)])]


def use_keys(sid: str, scope: Scope, side: Side, actions: Sequence[str]) -> list[Statement]:
    """Return the statement that lets keys be used through S3, for objects of one side; none where it has no keys.

    S3 names the object to KMS, or with an S3 Bucket Key the bucket (S3 User Guide, "Encryption context").
    """
    if not side.keys:
        return []
    domain = _DOMAINS.get(scope.partition, "amazonaws.com")
    condition = {
        "StringLike": {
            "kms:EncryptionContext:aws:s3:arn": [scope.arn_of(side.bucket), scope.objects_of(side)],
            "kms:ViaService": f"s3.{side.region or '*'}.{domain}",
        }
    }
    return [allow(sid, actions, side.keys, Condition=condition)]


def allow(
    sid: str, actions: str | Sequence[str], resources: str | Sequence[str], **members: Any
) -> Statement:
    """Return a statement; a list of one is written as it alone, as IAM gives it back."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        **{key: members[key] for key in ("Principal",) if key in members},
        "Action": _one_or_many(_many(actions)),
        "Resource": _one_or_many(_many(resources)),
        **{key: members[key] for key in ("Condition",) if key in members},
    }


def document(*statements: Statement) -> Document:
    """Return a policy of statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def widened(there: Document, wanted: Document) -> Document:
    """Return `wanted` and what `there` allows beyond it, by the statements' ids.

    A statement under the same conditions keeps its actions and resources; one under other conditions is replaced.
    """
    before = {item["Sid"]: item for item in there.get("Statement", []) if item.get("Sid")}
    merged = [_joined(before.pop(item["Sid"], {}), item) for item in wanted["Statement"]]
    return document(*merged, *before.values())


def _joined(there: Statement, wanted: Statement) -> Statement:
    if there.get("Condition") != wanted.get("Condition") or there.get("Effect") != wanted["Effect"]:
        return wanted
    return {
        **wanted,
        **{
            name: _one_or_many([*_many(wanted[name]), *_many(there.get(name, []))])
            for name in ("Action", "Resource")
        },
    }


def _trust(service: str, conditions: dict[str, str]) -> Document:
    statement: Statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return document(statement | ({"Condition": {"StringEquals": conditions}} if conditions else {}))


def _one_or_many(values: Sequence[str]) -> str | list[str]:
    ordered = sorted(set(values))
    return ordered[0] if len(ordered) == 1 else ordered


def _many(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
