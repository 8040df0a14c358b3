from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.localcloud.batch_world import (
    ACCOUNT,
    World,
    allow,
    client,
    copy_to,
    deny,
    document,
    world,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

S3 = allow("s3:*")
DENIED = ["failed", "403", "AccessDenied"]
DONE = ["succeeded", "200", ""]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/narrow"
ACCOUNT_ROOT = {**allow("kms:*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}


@pytest.fixture
def cloud() -> Iterator[World]:
    with world() as made:
        yield made


def make_key(*statements: dict[str, Any]) -> str:
    """Make a key; without statements it has the default policy, which leaves all to IAM."""
    policy = {"Policy": document(*statements)} if statements else {}
    return str(client("kms").create_key(**policy)["KeyMetadata"]["Arn"])


def encrypt(cloud: World, bucket: str, key: str, bucket_key: bool = False) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
    cloud.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


def copied(cloud: World, *statements: dict[str, Any], **operation: Any) -> list[str]:
    """Copy src/k under a role of these statements; return status, HTTP status and code of its row."""
    role = cloud.make_role("narrow", *statements)
    manifest = cloud.manifest("src,k\n", ServerSideEncryption="AES256")
    return cloud.rows(cloud.run(manifest, copy_to("dst", **operation), RoleArn=role))[0][3:6]


@pytest.mark.parametrize(
    ("bucket", "action"), [("src", "kms:Decrypt"), ("dst", "kms:GenerateDataKey")], ids=["read", "write"]
)
@pytest.mark.parametrize("granted", [True, False])
def test_a_bucket_with_kms_needs_the_right_to_its_key(
    cloud: World, bucket: str, action: str, granted: bool
) -> None:
    key = make_key()
    encrypt(cloud, bucket, key)
    cloud.put("k")
    statements = [S3, allow(action, resource=key)] if granted else [S3]
    assert copied(cloud, *statements) == (DONE if granted else DENIED)


def test_a_key_named_in_the_job_stands_in_place_of_the_buckets(cloud: World) -> None:
    default, named = make_key(), make_key()
    encrypt(cloud, "dst", default)
    cloud.put("k")
    grant = allow("kms:GenerateDataKey", resource=named)
    assert copied(cloud, S3, grant, SSEAwsKmsKeyId=named) == DONE


def test_a_copy_asked_to_be_encrypted_by_s3_needs_no_key(cloud: World) -> None:
    encrypt(cloud, "dst", make_key())
    cloud.put("k")
    assert copied(cloud, S3, NewObjectMetadata={"SSEAlgorithm": "AES256"}) == DONE


def test_a_key_policy_that_names_the_role_suffices(cloud: World) -> None:
    key = make_key({**allow("kms:Decrypt"), "Principal": {"AWS": ROLE}})
    cloud.put("k", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert copied(cloud, S3) == DONE


def test_a_key_policy_that_names_neither_role_nor_account_refuses_what_iam_allows(cloud: World) -> None:
    key = make_key({**allow("kms:*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}})
    cloud.put("k", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert copied(cloud, S3, allow("kms:*")) == DENIED


def test_a_deny_in_the_key_policy_wins(cloud: World) -> None:
    key = make_key(ACCOUNT_ROOT, {**deny("kms:Decrypt"), "Principal": {"AWS": ROLE}})
    cloud.put("k", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert copied(cloud, S3, allow("kms:*")) == DENIED


def test_a_key_is_known_by_its_alias(cloud: World) -> None:
    key = make_key({**allow("kms:*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}})
    client("kms").create_alias(AliasName="alias/mine", TargetKeyId=key)
    cloud.put("k", ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/mine")
    assert copied(cloud, S3, allow("kms:*")) == DENIED


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"kms:ViaService": "s3.us-east-1.amazonaws.com"}, DONE),
        ({"kms:ViaService": "s3.eu-west-1.amazonaws.com"}, DENIED),
        ({"kms:CallerAccount": ACCOUNT}, DONE),
        ({"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::src/k"}, DONE),
        ({"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::src"}, DENIED),
    ],
    ids=str,
)
def test_conditions_on_the_use_by_s3_are_evaluated(
    cloud: World, condition: dict[str, str], expected: list[str]
) -> None:
    key = make_key({**ACCOUNT_ROOT, "Condition": {"StringEquals": condition}})
    cloud.put("k", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert copied(cloud, S3, allow("kms:*")) == expected


def test_with_a_bucket_key_the_context_is_the_bucket(cloud: World) -> None:
    condition = {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::dst"}}
    key = make_key({**ACCOUNT_ROOT, "Condition": condition})
    encrypt(cloud, "dst", key, bucket_key=True)
    cloud.put("k")
    assert copied(cloud, S3, allow("kms:*")) == DONE


def test_a_disabled_key_and_one_to_be_deleted_fail_the_task(cloud: World) -> None:
    key = make_key()
    cloud.put("k", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    client("kms").disable_key(KeyId=key.rpartition("/")[2])
    assert copied(cloud, S3, allow("kms:*")) == ["failed", "400", "KMS.DisabledException"]
    client("kms").schedule_key_deletion(KeyId=key.rpartition("/")[2], PendingWindowInDays=7)
    job = cloud.run(cloud.manifest("src,k\n"), copy_to("dst"), RoleArn=ROLE)
    assert cloud.rows(job)[0][3:6] == ["failed", "400", "KMS.KMSInvalidStateException"]


def test_a_checksum_job_needs_to_decrypt(cloud: World) -> None:
    key = make_key()
    cloud.put("k", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    role = cloud.make_role("narrow", S3)
    report = {**cloud.request()["Report"], "ExpectedBucketOwner": ACCOUNT}
    job = cloud.run(cloud.manifest("src,k\n"), {"S3ComputeObjectChecksum": {}}, RoleArn=role, Report=report)
    assert cloud.rows(job)[0][3:6] == DENIED


def test_a_boundary_limits_the_use_of_keys(cloud: World) -> None:
    key = make_key()
    cloud.put("k", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    limit = client("iam").create_policy(PolicyName="limit", PolicyDocument=document(S3))
    role = cloud.make_role("narrow", S3, allow("kms:*"), boundary=limit["Policy"]["Arn"])
    assert cloud.rows(cloud.run(cloud.manifest("src,k\n"), RoleArn=role))[0][3:6] == DENIED
