from __future__ import annotations

from typing import Any

import pytest

from localcloud.iam import Access, Decision, Policy, Principal
from seeder.roles.grants import LOOKS, of_copy, of_replication
from seeder.roles.policies import Document, Scope, Side

OURS, THEIRS = "111122223333", "444455556666"
ROLES = f"arn:aws:iam::{OURS}:role/seeder/*"
ROLE = f"arn:aws:iam::{OURS}:role/seeder/us-east-1/replication/seeder-replication-1"
FUNCTION = f"arn:aws:iam::{OURS}:role/seeder-VerifyReplicaRole-1"
KEY = f"arn:aws:kms:eu-west-1:{THEIRS}:key/1234"


def scope(**members: Any) -> Scope:
    return Scope(OURS, Side("src", "us-east-1"), Side("dst", "eu-west-1"), "logs/")._replace(**members)


def may(
    document: Document, who: str, action: str, resource: str, via: str | None = None, of: str | None = None
) -> bool:
    context = {"aws:PrincipalArn": who, "kms:ViaService": via, "kms:EncryptionContext:aws:s3:arn": of}
    arn = resource if resource.startswith("arn:") else f"arn:aws:s3:::{resource}"
    return Policy(document).decide(Access(action, arn, Principal(arn=who), context)) is Decision.ALLOW


@pytest.mark.parametrize("roles", [ROLES, ROLE])
def test_a_destination_of_another_account_is_opened_to_the_replication_role_alone(roles: str) -> None:
    (grant,) = of_replication(scope(), roles, owner=True)
    assert (grant.owner, grant.place) == ("destination", "the bucket policy of dst")
    writes = (
        "s3:ReplicateObject",
        "s3:ReplicateTags",
        "s3:ReplicateDelete",
        "s3:ObjectOwnerOverrideToBucketOwner",
    )
    for action in writes:
        assert may(grant.policy, ROLE, action, "dst/logs/k")
        assert not may(grant.policy, ROLE, action, "dst/other")
        for stranger in (FUNCTION, ROLE.replace(OURS, "999999999999"), ROLE.replace("/seeder/", "/other/")):
            assert not may(grant.policy, stranger, action, "dst/logs/k")


def test_the_run_may_look_at_both_sides_to_compare_them() -> None:
    for action in LOOKS:
        assert may(of_replication(scope(), ROLES)[0].policy, FUNCTION, action, "dst")
        assert may(of_copy(scope())[0].policy, FUNCTION, action, "src")
        assert not may(of_copy(scope())[0].policy, FUNCTION.replace(OURS, THEIRS), action, "src")


def test_what_options_leave_out_is_not_granted() -> None:
    (grant,) = of_replication(scope(), ROLE, delete_markers=False)
    assert not may(grant.policy, ROLE, "s3:ReplicateDelete", "dst/logs/k")
    assert not may(grant.policy, ROLE, "s3:ObjectOwnerOverrideToBucketOwner", "dst/logs/k")


@pytest.mark.parametrize("roles", [ROLES, ROLE])
def test_a_key_of_another_account_is_opened_through_s3_for_the_bucket_alone(roles: str) -> None:
    _, grant = of_replication(scope(destination=Side("dst", "eu-west-1", (KEY,))), roles)
    assert grant.place == f"the key policy of {KEY}"
    through = {"via": "s3.eu-west-1.amazonaws.com", "of": "arn:aws:s3:::dst/logs/k"}
    for action in ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"):
        assert may(grant.policy, ROLE, action, KEY, **through)
        assert not may(grant.policy, FUNCTION, action, KEY, **through)
        assert not may(grant.policy, ROLE, action, KEY, through["via"], "arn:aws:s3:::dst/other")
        assert not may(grant.policy, ROLE, action, KEY, None, through["of"])
    assert not may(grant.policy, ROLE, "kms:ScheduleKeyDeletion", KEY, **through)


def test_a_copy_from_another_account_may_read_the_source_and_its_key() -> None:
    key = KEY.replace("eu-west-1", "us-east-1")
    bucket, of_key = of_copy(scope(source=Side("src", "us-east-1", (key,))))
    assert (bucket.owner, bucket.place) == ("source", "the bucket policy of src")
    for action in ("s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectTagging"):
        assert may(bucket.policy, ROLE, action, "src/logs/k")
        assert not may(bucket.policy, ROLE, action, "src/other")
    assert not may(bucket.policy, ROLE, "s3:PutObject", "src/logs/k")
    through = {"via": "s3.us-east-1.amazonaws.com", "of": "arn:aws:s3:::src/logs/k"}
    assert may(of_key.policy, FUNCTION, "kms:Decrypt", key, **through)
    assert not may(of_key.policy, FUNCTION, "kms:Encrypt", key, **through)
