from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from localcloud import replication
from localcloud.iam import UnsupportedPolicy
from localcloud.replication import ReplicationFailure
from localcloud.replication.permissions import REASONS, allowed_by_iam
from tests.unit.localcloud.replication_world import ROLE, World, client, rule, world

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUST = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
BUCKET = {
    "Effect": "Allow",
    "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"],
    "Resource": "arn:aws:s3:::src",
}
SOURCE = {
    "Effect": "Allow",
    "Action": [
        "s3:GetObjectVersionForReplication",
        "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionTagging",
    ],
    "Resource": "arn:aws:s3:::src/*",
}
DESTINATION = {
    "Effect": "Allow",
    "Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
    "Resource": "arn:aws:s3:::dst/*",
}
STATEMENTS = [BUCKET, SOURCE, DESTINATION]


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@contextmanager
def cloud_with_role(
    *statements: dict[str, Any], trust: dict[str, Any] = TRUST, delay: float = 0.0
) -> Iterator[World]:
    with world(delay, allowed_by_iam) as cloud:
        iam = client("iam")
        iam.create_role(RoleName="replication", AssumeRolePolicyDocument=document(trust))
        iam.put_role_policy(RoleName="replication", PolicyName="p", PolicyDocument=document(*statements))
        yield cloud


def all_but(action: str) -> list[dict[str, Any]]:
    return [
        {**item, "Action": [allowed for allowed in item["Action"] if allowed != action]}
        for item in STATEMENTS
    ]


def test_the_documented_permissions_suffice() -> None:
    with cloud_with_role(*STATEMENTS) as cloud:
        cloud.configure(rule(markers=True))
        version = cloud.put("k", Tagging="team=red")
        cloud.s3.delete_object(Bucket="src", Key="k")
        cloud.settle()

        assert cloud.status("k", "src", version) == "COMPLETED"
        assert [marker for _, _, marker in cloud.versions()] == [False, True]


@pytest.mark.parametrize(
    "action", [action for statement in STATEMENTS for action in statement["Action"] if "Delete" not in action]
)
def test_each_missing_permission_has_its_reason(action: str) -> None:
    with cloud_with_role(*all_but(action)) as cloud:
        version = cloud.put(Tagging="team=red")
        cloud.configure(rule())

        with pytest.raises(ReplicationFailure, match=REASONS[action]):
            replication.replicate_version("src", "k", version)


def test_live_replication_without_permission_fails_with_the_reason() -> None:
    with cloud_with_role(BUCKET, SOURCE) as cloud:
        cloud.configure(rule())
        version = cloud.put()
        cloud.settle()

        assert (cloud.status("k", "src"), cloud.versions()) == ("FAILED", [])
        assert replication.failure_reason("src", "k", version).startswith("DstPutObjectNotPermitted: ")


def test_delete_markers_need_replicate_delete() -> None:
    with cloud_with_role(*all_but("s3:ReplicateDelete")) as cloud:
        cloud.put()
        marker = cloud.s3.delete_object(Bucket="src", Key="k")["VersionId"]
        cloud.configure(rule(markers=True))

        with pytest.raises(ReplicationFailure, match="DstDelObjNotPermitted"):
            replication.replicate_version("src", "k", marker)


def test_untagged_objects_need_no_permission_for_tags() -> None:
    with cloud_with_role(*all_but("s3:ReplicateTags")) as cloud:
        cloud.configure(rule())
        cloud.put()
        cloud.settle()

        assert cloud.status("k", "src") == "COMPLETED"


def test_an_owner_override_needs_its_permission() -> None:
    with cloud_with_role(*STATEMENTS) as cloud:
        version = cloud.put()
        cloud.configure(
            rule(
                Destination={"Account": "123456789012", "AccessControlTranslation": {"Owner": "Destination"}}
            )
        )

        with pytest.raises(ReplicationFailure, match="DstPutAclNotPermitted"):
            replication.replicate_version("src", "k", version)


@pytest.mark.parametrize("service", ["batchoperations.s3.amazonaws.com", "lambda.amazonaws.com"])
def test_a_role_that_does_not_trust_s3_is_not_assumed(service: str) -> None:
    with cloud_with_role(*STATEMENTS, trust={**TRUST, "Principal": {"Service": service}}) as cloud:
        version = cloud.put()
        cloud.configure(rule())

        with pytest.raises(ReplicationFailure, match="AssumeRoleNotPermitted"):
            replication.replicate_version("src", "k", version)


def test_a_role_that_does_not_exist_is_not_assumed() -> None:
    with world(allowed=allowed_by_iam) as cloud:
        cloud.configure(rule())
        version = cloud.put()
        cloud.settle()

        assert replication.failure_reason("src", "k", version).startswith("AssumeRoleNotPermitted: ")


def test_a_trust_in_one_source_bucket_is_evaluated() -> None:
    only = {**TRUST, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::src"}}}
    with cloud_with_role(*STATEMENTS, trust=only) as cloud:
        cloud.buckets("other")
        cloud.configure(rule())
        cloud.configure(rule(), source="other")
        cloud.put()
        elsewhere = cloud.put("k", "other")
        cloud.settle()

        assert cloud.status("k", "src") == "COMPLETED"
        assert replication.failure_reason("other", "k", elsewhere).startswith("AssumeRoleNotPermitted: ")


def test_a_bucket_policy_of_the_destination_can_deny() -> None:
    denial = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:ReplicateObject",
        "Resource": "arn:aws:s3:::dst/*",
    }
    with cloud_with_role(*STATEMENTS) as cloud:
        cloud.s3.put_bucket_policy(Bucket="dst", Policy=document(denial))
        version = cloud.put()
        cloud.configure(rule())

        with pytest.raises(ReplicationFailure, match="DstPutObjectNotPermitted"):
            replication.replicate_version("src", "k", version)


def test_a_condition_that_cannot_be_evaluated_is_refused_loudly() -> None:
    with cloud_with_role(
        BUCKET, SOURCE, {**DESTINATION, "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}
    ) as cloud:
        old = cloud.put("old")
        cloud.configure(rule())

        with pytest.raises(UnsupportedPolicy, match="aws:RequestedRegion"):
            replication.replicate_version("src", "old", old)

        new = cloud.put("new")
        cloud.settle()

        assert "aws:RequestedRegion" in replication.failure_reason("src", "new", new)


def test_permissions_are_asked_again_when_the_version_is_copied() -> None:
    with cloud_with_role(*STATEMENTS, delay=60.0) as cloud:
        cloud.configure(rule())
        version = cloud.put()
        client("iam").put_role_policy(
            RoleName=ROLE.rsplit("/", 1)[1], PolicyName="p", PolicyDocument=document(BUCKET, SOURCE)
        )
        cloud.settle(60)

        assert replication.failure_reason("src", "k", version).startswith("DstPutObjectNotPermitted: ")
