from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localcloud import replication
from localcloud.replication import ReplicationFailure
from tests.unit.localcloud.replication_world import World, rule, world

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cloud() -> Iterator[World]:
    with world() as made:
        yield made


def failure(bucket: str, key: str, version: str | None) -> tuple[int, str]:
    with pytest.raises(ReplicationFailure) as caught:
        replication.replicate_version(bucket, key, version)
    assert caught.value.message
    return caught.value.status, caught.value.code


def test_a_version_from_before_the_rule_is_replicated(cloud: World) -> None:
    version = cloud.put()
    cloud.configure(rule())
    replication.replicate_version("src", "k", version)
    cloud.settle()

    assert cloud.versions() == [("k", version, False)]
    assert (cloud.status("k", "src"), cloud.status("k", "dst")) == ("COMPLETED", "REPLICA")


def test_success_means_that_replication_was_initiated_not_that_it_is_done() -> None:
    with world(delay=60.0) as cloud:
        version = cloud.put()
        cloud.configure(rule())
        replication.replicate_version("src", "k", version)

        assert (cloud.status("k", "src"), cloud.versions()) == ("PENDING", [])

        cloud.settle(60)

        assert cloud.status("k", "src") == "COMPLETED"


def test_the_null_version_keeps_its_version_id(cloud: World) -> None:
    cloud.buckets("young", versioned=False)
    cloud.s3.put_object(Bucket="young", Key="k", Body=b"old")
    cloud.s3.put_bucket_versioning(Bucket="young", VersioningConfiguration={"Status": "Enabled"})
    newer = cloud.put("k", "young", Body=b"new")
    cloud.configure(rule(), source="young")
    replication.replicate_version("young", "k", "null")
    replication.replicate_version("young", "k", newer)
    cloud.settle()

    assert cloud.versions() == [("k", newer, False), ("k", "null", False)]
    assert cloud.s3.get_object(Bucket="dst", Key="k", VersionId="null")["Body"].read() == b"old"
    assert cloud.status("k", "young", "null") == "COMPLETED"


def test_an_older_version_does_not_become_the_current_one(cloud: World) -> None:
    old = cloud.put(Body=b"old")
    cloud.configure(rule())
    new = cloud.put(Body=b"new")
    cloud.settle()
    replication.replicate_version("src", "k", old)
    cloud.settle()

    assert cloud.versions() == [("k", new, False), ("k", old, False)]
    assert cloud.s3.get_object(Bucket="dst", Key="k")["Body"].read() == b"new"


def test_a_version_that_is_there_already_counts_as_delivered(cloud: World) -> None:
    cloud.configure(rule())
    version = cloud.put()
    cloud.settle()
    replication.replicate_version("src", "k", version)
    cloud.settle()

    assert cloud.versions() == [("k", version, False)]
    assert cloud.status("k", "src") == "COMPLETED"


def test_a_failed_version_is_replicated_once_the_cause_is_gone(cloud: World) -> None:
    cloud.configure(rule())
    cloud.s3.put_bucket_versioning(Bucket="dst", VersioningConfiguration={"Status": "Suspended"})
    version = cloud.put()
    cloud.settle()
    assert cloud.status("k", "src") == "FAILED"

    cloud.s3.put_bucket_versioning(Bucket="dst", VersioningConfiguration={"Status": "Enabled"})
    replication.replicate_version("src", "k", version)
    cloud.settle()

    assert cloud.status("k", "src") == "COMPLETED"
    assert replication.failure_reason("src", "k", version) == ""


def test_a_replica_can_be_replicated_to_a_new_destination(cloud: World) -> None:
    cloud.buckets("third")
    cloud.configure(rule())
    version = cloud.put()
    cloud.settle()
    cloud.configure(rule("third"), source="dst")
    replication.replicate_version("dst", "k", version)
    cloud.settle()

    assert cloud.versions("third") == [("k", version, False)]
    assert cloud.status("k", "dst") == "REPLICA"


def test_a_delete_marker_is_replicated_where_the_rule_says_so(cloud: World) -> None:
    cloud.put()
    marker = cloud.s3.delete_object(Bucket="src", Key="k")["VersionId"]
    cloud.configure(rule(markers=True))
    replication.replicate_version("src", "k", marker)
    cloud.settle()

    assert cloud.versions() == [("k", marker, True)]


def test_a_delete_marker_is_not_eligible_where_the_rule_says_disabled(cloud: World) -> None:
    cloud.put()
    marker = cloud.s3.delete_object(Bucket="src", Key="k")["VersionId"]
    cloud.configure(rule(markers=False))

    assert failure("src", "k", marker) == (500, "SrcObjectNotEligible")


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_is_not_eligible_and_gets_no_status(cloud: World, storage_class: str) -> None:
    version = cloud.put(StorageClass=storage_class)
    cloud.configure(rule())

    with pytest.raises(
        ReplicationFailure, match="SrcObjectNotEligible: Object is not eligible for replication"
    ):
        replication.replicate_version("src", "k", version)

    assert cloud.status("k", "src") is None


def test_an_object_without_a_matching_rule_is_not_eligible(cloud: World) -> None:
    version = cloud.put("out/k")
    cloud.configure(rule(Filter={"Prefix": "in/"}))

    assert failure("src", "out/k", version) == (500, "SrcObjectNotEligible")


def test_an_unversioned_destination_fails_the_task_and_the_object(cloud: World) -> None:
    version = cloud.put()
    cloud.configure(rule())
    cloud.s3.put_bucket_versioning(Bucket="dst", VersioningConfiguration={"Status": "Suspended"})

    assert failure("src", "k", version) == (500, "DstBucketUnversioned")
    assert cloud.status("k", "src") == "FAILED"


def test_a_broken_rule_beside_a_good_one_fails_the_task(cloud: World) -> None:
    cloud.buckets("gone")
    version = cloud.put()
    cloud.configure(rule("dst", 1), rule("gone", 2))
    cloud.s3.delete_bucket(Bucket="gone")

    assert failure("src", "k", version) == (500, "DstBucketNotFound")


def test_a_version_deleted_for_good_at_the_destination_is_not_replicated_again(cloud: World) -> None:
    cloud.configure(rule())
    version = cloud.put()
    cloud.settle()
    cloud.s3.delete_object(Bucket="dst", Key="k", VersionId=version)

    assert failure("src", "k", version) == (500, "DstObjectHardDeleted")

    cloud.s3.delete_bucket(Bucket="dst")
    cloud.buckets("dst")

    assert failure("src", "k", version) == (500, "DstObjectHardDeleted")


def test_a_copy_in_place_can_be_replicated_after_a_hard_delete(cloud: World) -> None:
    cloud.configure(rule())
    version = cloud.put()
    cloud.settle()
    cloud.s3.delete_object(Bucket="dst", Key="k", VersionId=version)
    again = cloud.s3.copy_object(
        Bucket="src", Key="k", CopySource="src/k", MetadataDirective="REPLACE", Metadata={"again": "1"}
    )["VersionId"]
    cloud.settle()

    assert cloud.versions() == [("k", again, False)]


@pytest.mark.parametrize(
    ("bucket", "key", "version", "code"),
    [
        ("nowhere", "k", "null", "SrcBucketNotFound"),
        ("dst", "k", "null", "SrcBucketReplicationConfigMissing"),
        ("src", "none", "null", "SrcKeyNotFound"),
        ("src", "k", "null", "SrcVersionNotFound"),
        ("src", "k", "", "SrcObjectNotFound"),
        ("src", "k", None, "SrcObjectNotFound"),
    ],
)
def test_a_missing_source_has_its_own_reason(
    cloud: World, bucket: str, key: str, version: str | None, code: str
) -> None:
    cloud.put("k")
    cloud.configure(rule())

    assert failure(bucket, key, version) == (500, code)
