"""What the owner of a bucket or of a key in another account must add to its policy, as pure functions.

Contracts: S3 User Guide, "Setting up permissions for live replication" (step 3), "Granting permissions to change
replica ownership", "Replicating encrypted objects"; KMS developer guide, "Allowing users in other accounts to use a KMS
key".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from seeder.roles.policies import Document, Scope, Side, Statement, allow, document, use_keys

# What is read of a bucket before a run, and to compare the two after it.
LOOKS = ("s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket", "s3:ListBucketVersions")


class Grant(NamedTuple):
    """Statements to add: `owner` is who adds them, `place` the policy they are added to."""

    owner: str
    place: str
    policy: Document


def of_replication(
    scope: Scope, roles: str, *, delete_markers: bool = True, owner: bool = False
) -> list[Grant]:
    """Return what the destination's owner adds for a replication from another account, `scope.account`.

    `roles` is the ARN of the replication role, or a pattern of it: roles that are made for a pair are not there yet,
    and a policy can name none that is not (IAM User Guide, "AWS JSON policy elements: Principal").
    """
    actions = ["s3:ReplicateObject", "s3:ReplicateTags"]
    actions += ["s3:ReplicateDelete"] if delete_markers else []
    actions += ["s3:ObjectOwnerOverrideToBucketOwner"] if owner else []
    side = scope.destination
    objects, bucket = scope.objects_of(side), scope.arn_of(side.bucket)
    policy = document(
        allow("SeederReplicates", actions, [objects], **_by(scope, roles)),
        allow("SeederCompares", LOOKS, [bucket], Principal=_account(scope)),
    )
    keys = use_keys("SeederReplicates", scope, side, ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"])
    return [
        Grant("destination", _bucket_policy(side), policy),
        *_key_policy("destination", side, keys, scope, roles),
    ]


def of_copy(scope: Scope) -> list[Grant]:
    """Return what the source's owner adds for a copy by jobs of another account, `scope.account`."""
    reads = ["s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectTagging"]
    side = scope.source
    policy = document(
        # Large objects are read by a function, whose role is another.
        allow("SeederReads", reads, [scope.objects_of(side)], Principal=_account(scope)),
        allow("SeederCompares", LOOKS, [scope.arn_of(side.bucket)], Principal=_account(scope)),
    )
    keys = use_keys("SeederReads", scope, side, ["kms:Decrypt"])
    return [Grant("source", _bucket_policy(side), policy), *_key_policy("source", side, keys, scope, "")]


def _bucket_policy(side: Side) -> str:
    return f"the bucket policy of {side.bucket}"


def _key_policy(owner: str, side: Side, keys: list[Statement], scope: Scope, roles: str) -> list[Grant]:
    """Return the grant for a side's keys; in a key's own policy, `*` is that key."""
    return [
        Grant(owner, f"the key policy of {', '.join(side.keys)}", document(_for(statement, scope, roles)))
        for statement in keys
    ]


def _for(statement: Statement, scope: Scope, roles: str) -> Statement:
    by = _by(scope, roles) if roles else {"Principal": _account(scope)}
    condition = {**statement["Condition"], **by.get("Condition", {})}
    return allow(statement["Sid"], statement["Action"], ["*"], Principal=by["Principal"], Condition=condition)


def _by(scope: Scope, roles: str) -> dict[str, Any]:
    """Return who is meant: a role by its ARN, or roles of the account whose ARN has the pattern."""
    if "*" not in roles:
        return {"Principal": {"AWS": roles}}
    return {"Principal": _account(scope), "Condition": {"ArnLike": {"aws:PrincipalArn": roles}}}


def _account(scope: Scope) -> dict[str, str]:
    return {"AWS": f"arn:{scope.partition}:iam::{scope.account}:root"}
