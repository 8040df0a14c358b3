from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

import localcloud.batch_operations as batch
from localcloud.patching import Patches
from tests.unit.localcloud.batch_world import (
    ACCOUNT,
    TRUST,
    World,
    allow,
    client,
    copy_to,
    deny,
    document,
    failure,
    world,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

OPS = [allow("s3:GetObject", "s3:PutObject", resource="arn:aws:s3:::ops/*")]
READ = allow("s3:GetObject", "s3:GetObjectTagging", resource="arn:aws:s3:::src/*")
WRITE = allow("s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectAcl", resource="arn:aws:s3:::dst/*")
LIST = allow("s3:ListBucket", resource="arn:aws:s3:::src")
DENIED = ["failed", "403", "AccessDenied"]


@pytest.fixture
def cloud() -> Iterator[World]:
    with world() as made:
        made.put("a")
        made.put("tagged", Tagging="team=red")
        yield made


def row(cloud: World, statements: list[dict[str, Any]], key: str = "a", **more: Any) -> list[str]:
    role = cloud.make_role("narrow", *statements, boundary=more.pop("boundary", None))
    job = cloud.run(cloud.manifest(f"src,{key}\n"), RoleArn=role, **more)
    assert job["FailureReasons"] == []
    return cloud.rows(job)[0]


def test_a_role_that_may_read_and_write_copies(cloud: World) -> None:
    assert row(cloud, [*OPS, READ, WRITE])[3] == "succeeded"


@pytest.mark.parametrize("lacking", [READ, WRITE], ids=["s3:GetObject", "s3:PutObject"])
def test_a_role_that_may_not_read_or_write_gets_access_denied_rows(
    cloud: World, lacking: dict[str, Any]
) -> None:
    statements = [*OPS, *(each for each in (READ, WRITE) if each is not lacking)]
    answer = row(cloud, statements)
    assert answer[3:6] == DENIED
    assert answer[6].startswith(
        "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied;"
    )
    assert cloud.keys() == []


@pytest.mark.parametrize("lacking", ["s3:GetObjectTagging", "s3:PutObjectTagging"])
def test_copying_tags_needs_the_right_to_read_and_write_tags(cloud: World, lacking: str) -> None:
    answer = row(cloud, [*OPS, READ, WRITE, deny(lacking)], "tagged")
    assert answer[3:6] == DENIED


def test_an_object_without_tags_needs_no_tagging_permission(cloud: World) -> None:
    untagged = [deny("s3:GetObjectTagging", "s3:PutObjectTagging")]
    assert row(cloud, [*OPS, READ, WRITE, *untagged])[3] == "succeeded"


def test_setting_an_acl_needs_put_object_acl(cloud: World) -> None:
    operation = copy_to("dst", CannedAccessControlList="private")
    assert row(cloud, [*OPS, READ, WRITE, deny("s3:PutObjectAcl")], operation=operation)[3:6] == DENIED


def test_a_version_needs_get_object_version(cloud: World) -> None:
    cloud.version("src")
    version = cloud.put("a")["VersionId"]
    fields = ("Bucket", "Key", "VersionId")
    role = cloud.make_role("narrow", *OPS, READ, WRITE)
    manifest = cloud.manifest(f"src,a,{version}\n", fields)
    assert cloud.rows(cloud.run(manifest, RoleArn=role))[0][3:6] == DENIED
    client("iam").put_role_policy(
        RoleName="narrow", PolicyName="more", PolicyDocument=document(allow("s3:GetObjectVersion"))
    )
    assert cloud.rows(cloud.run(manifest, RoleArn=role))[0][3] == "succeeded"


@pytest.mark.parametrize(("extra", "code"), [([], "AccessDenied"), ([LIST], "NoSuchKey")])
def test_only_who_may_list_the_bucket_learns_that_a_key_is_missing(
    cloud: World, extra: list[dict[str, Any]], code: str
) -> None:
    assert row(cloud, [*OPS, READ, WRITE, *extra], "missing")[5] == code


def test_an_explicit_deny_wins(cloud: World) -> None:
    no_a = deny("s3:PutObject", resource="arn:aws:s3:::dst/a")
    assert row(cloud, [*OPS, READ, WRITE, no_a])[3:6] == DENIED


def test_a_permissions_boundary_limits_the_role(cloud: World) -> None:
    limit = client("iam").create_policy(PolicyName="limit", PolicyDocument=document(*OPS, READ))["Policy"][
        "Arn"
    ]
    assert row(cloud, [*OPS, READ, WRITE], boundary=limit)[3:6] == DENIED


def test_attached_managed_policies_count(cloud: World) -> None:
    role = cloud.make_role("attached")
    managed = client("iam").create_policy(PolicyName="all", PolicyDocument=document(*OPS, READ, WRITE))
    client("iam").attach_role_policy(RoleName="attached", PolicyArn=managed["Policy"]["Arn"])
    assert cloud.rows(cloud.run(cloud.manifest("src,a\n"), RoleArn=role))[0][3] == "succeeded"


def test_the_bucket_policy_of_the_destination_can_deny(cloud: World) -> None:
    policy = document({**deny("s3:PutObject", resource="arn:aws:s3:::dst/*"), "Principal": "*"})
    client("s3").put_bucket_policy(Bucket="dst", Policy=policy)
    assert row(cloud, [*OPS, READ, WRITE])[3:6] == DENIED


def test_a_bucket_policy_against_plain_http_lets_the_service_pass(cloud: World) -> None:
    statement = {
        **deny("s3:*", resource=["arn:aws:s3:::dst", "arn:aws:s3:::dst/*"]),
        "Principal": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    client("s3").put_bucket_policy(Bucket="dst", Policy=document(statement))
    patches = Patches()
    # moto itself takes bucket policies without their conditions, and would refuse everything here.
    patches.replace(FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)
    assert row(cloud, [*OPS, READ, WRITE])[3] == "succeeded"
    patches.undo()


def test_a_condition_on_the_account_of_the_resource_is_evaluated(cloud: World) -> None:
    mine = {**WRITE, "Condition": {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}}
    other = {**WRITE, "Condition": {"StringEquals": {"s3:ResourceAccount": "999999999999"}}}
    assert row(cloud, [*OPS, READ, mine])[3] == "succeeded"
    client("iam").delete_role_policy(RoleName="narrow", PolicyName="inline")
    client("iam").delete_role(RoleName="narrow")
    assert row(cloud, [*OPS, READ, other])[3:6] == DENIED


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ({"DateGreaterThan": {"aws:PrincipalArn": "2020-01-01T00:00:00Z"}}, "operator DateGreaterThan"),
        ({"StringEquals": {"s3:ExistingObjectTag/team": "red"}}, "key s3:ExistingObjectTag/team"),
    ],
)
def test_a_condition_that_cannot_be_evaluated_fails_the_job_loudly(
    cloud: World, condition: dict[str, Any], named: str
) -> None:
    role = cloud.make_role("odd", *OPS, READ, {**WRITE, "Condition": condition})
    code, reason = failure(cloud.run(cloud.manifest("src,a\n"), RoleArn=role))
    assert code == "UnsupportedPolicy"
    assert f"condition {named} is not evaluated by the local cloud" in reason


def test_a_role_that_does_not_exist_fails_the_job(cloud: World) -> None:
    job = cloud.run(cloud.manifest("src,a\n"), RoleArn=f"arn:aws:iam::{ACCOUNT}:role/nobody")
    assert "cannot be assumed" in failure(job)[1]


@pytest.mark.parametrize("service", ["s3.amazonaws.com", "lambda.amazonaws.com"])
def test_a_role_that_does_not_trust_batch_operations_fails_the_job(cloud: World, service: str) -> None:
    trust = json.loads(json.dumps(TRUST).replace("batchoperations.s3.amazonaws.com", service))
    role = cloud.make_role("other", allow("s3:*"), trust=trust)
    job = cloud.run(cloud.manifest("src,a\n"), RoleArn=role)
    assert "does not trust batchoperations.s3.amazonaws.com" in failure(job)[1]
    assert cloud.keys("ops", "reports") == []


@pytest.mark.parametrize(("account", "status"), [(ACCOUNT, "Complete"), ("999999999999", "Failed")])
def test_the_trust_policy_may_name_the_account_of_the_job(cloud: World, account: str, status: str) -> None:
    statement = {**TRUST["Statement"][0], "Condition": {"StringEquals": {"aws:SourceAccount": account}}}  # type: ignore[dict-item]
    role = cloud.make_role("mine", allow("s3:*"), trust={"Version": "2012-10-17", "Statement": [statement]})
    assert cloud.run(cloud.manifest("src,a\n"), RoleArn=role)["Status"] == status


def test_a_copy_job_outside_the_destinations_region_fails(cloud: World) -> None:
    cloud.bucket("far", "eu-west-1")
    job = cloud.run(cloud.manifest("src,a\n"), copy_to("far"))
    assert "create the job there" in failure(job)[1]


def test_a_copy_job_in_the_destinations_region_copies_from_another(cloud: World) -> None:
    cloud.bucket("far", "eu-west-1", versioned=False)
    there = client("s3control", "eu-west-1")
    job_id = there.create_job(**cloud.request(cloud.manifest("src,a\n"), copy_to("far")))["JobId"]
    cloud.control = there
    batch.wait_for_idle()
    assert cloud.describe(job_id)["ProgressSummary"]["NumberOfTasksSucceeded"] == 1


def test_a_destination_that_does_not_exist_fails_the_job(cloud: World) -> None:
    assert failure(cloud.run(cloud.manifest("src,a\n"), copy_to("nowhere")))[0] == "NoSuchBucket"
