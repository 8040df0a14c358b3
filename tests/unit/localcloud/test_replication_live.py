from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from localcloud import replication
from localcloud.clock import ManualClock
from localcloud.patching import Patches
from tests.unit.localcloud.replication_world import World, everything, rule, world

if TYPE_CHECKING:
    from collections.abc import Iterator

RED = {"Key": "team", "Value": "red"}
MIB5 = 5 * 1024 * 1024


@pytest.fixture
def cloud() -> Iterator[World]:
    with world() as made:
        yield made


def upload_in_parts(cloud: World, key: str, **fields: Any) -> str:
    where = {"Bucket": "src", "Key": key}
    upload = cloud.s3.create_multipart_upload(**where, **fields)["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ETag": cloud.s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=body)["ETag"],
        }
        for number, body in ((1, b"x" * MIB5), (2, b"y"))
    ]
    return str(
        cloud.s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})[
            "VersionId"
        ]
    )


def test_a_replica_has_the_identity_of_its_source(cloud: World) -> None:
    cloud.configure(rule())
    version = cloud.put(
        "a/é +%.txt",
        Body=b"content",
        Metadata={"owner": "me"},
        ContentType="text/plain",
        CacheControl="no-store",
        StorageClass="STANDARD_IA",
        Tagging="team=red&empty=",
    )
    cloud.settle()

    source, copy = (cloud.head("a/é +%.txt", bucket, version) for bucket in ("src", "dst"))
    body = cloud.s3.get_object(Bucket="dst", Key="a/é +%.txt", VersionId=version)["Body"].read()
    tags = cloud.s3.get_object_tagging(Bucket="dst", Key="a/é +%.txt", VersionId=version)["TagSet"]

    assert (source.pop("ReplicationStatus"), copy.pop("ReplicationStatus")) == ("COMPLETED", "REPLICA")
    assert {**source, "ResponseMetadata": 0} == {**copy, "ResponseMetadata": 0}
    assert body == b"content"
    assert tags == [RED, {"Key": "empty", "Value": ""}]


def test_a_multipart_upload_is_replicated_with_its_etag(cloud: World) -> None:
    cloud.configure(rule())
    version = upload_in_parts(cloud, "big", Tagging="team=red")
    cloud.settle()

    copy = cloud.head("big", "dst", version)

    assert copy["ETag"] == cloud.head("big", "src", version)["ETag"]
    assert copy["ETag"].endswith('-2"')
    assert copy["ContentLength"] == MIB5 + 1
    assert copy["TagCount"] == 1


def test_a_copied_object_is_replicated(cloud: World) -> None:
    cloud.put("before")
    cloud.configure(rule())
    version = cloud.s3.copy_object(Bucket="src", Key="after", CopySource="src/before")["VersionId"]
    cloud.settle()

    assert cloud.versions() == [("after", version, False)]
    assert cloud.status("before") is None


def test_what_was_written_before_the_rule_is_not_replicated(cloud: World) -> None:
    cloud.put("old")
    cloud.configure(rule())
    cloud.settle()

    assert cloud.versions() == []
    assert cloud.status("old") is None


def test_what_is_written_after_the_configuration_is_deleted_is_not_replicated(cloud: World) -> None:
    cloud.configure(rule())
    cloud.s3.delete_bucket_replication(Bucket="src")
    cloud.put("late")
    cloud.settle()

    assert cloud.versions() == []


def test_every_version_of_a_key_is_replicated_in_order(cloud: World) -> None:
    cloud.configure(rule())
    versions = [cloud.put("k", Body=body) for body in (b"1", b"2", b"3")]
    cloud.settle()

    assert [version for _, version, _ in cloud.versions()] == versions[::-1]
    assert cloud.s3.get_object(Bucket="dst", Key="k")["Body"].read() == b"3"


def test_the_status_is_pending_until_the_delay_has_passed() -> None:
    with world(delay=60.0) as cloud:
        cloud.configure(rule())
        cloud.put("k")
        cloud.clock.advance(59)
        time.sleep(0.05)

        assert (cloud.status("k"), cloud.versions()) == ("PENDING", [])

        cloud.settle(1)

        assert cloud.status("k") == "COMPLETED"


def test_each_version_waits_its_own_delay() -> None:
    delays = iter([60.0, 10.0])
    clock, patches = ManualClock(), Patches()
    with world() as cloud:
        replication.install(patches, clock, lambda: next(delays), everything)
        cloud.configure(rule())
        cloud.put("slow")
        cloud.put("fast")
        clock.advance(10)
        deadline = time.monotonic() + 5
        while cloud.status("fast") != "COMPLETED" and time.monotonic() < deadline:
            time.sleep(0.005)

        assert (cloud.status("fast"), cloud.status("slow")) == ("COMPLETED", "PENDING")
        replication.stop()
        patches.undo()


def test_an_object_without_a_matching_rule_has_no_status(cloud: World) -> None:
    cloud.configure(rule(Filter={"Prefix": "in/"}))
    cloud.put("out/k")
    cloud.put("in/k")
    cloud.settle()

    assert cloud.status("out/k") is None
    assert [key for key, _, _ in cloud.versions()] == ["in/k"]


def test_a_tag_given_later_does_not_start_replication(cloud: World) -> None:
    cloud.configure(rule(Filter={"Tag": RED}))
    cloud.put("born", Tagging="team=red")
    cloud.put("later")
    cloud.s3.put_object_tagging(Bucket="src", Key="later", Tagging={"TagSet": [RED]})
    cloud.settle()

    assert [key for key, _, _ in cloud.versions()] == ["born"]


def test_archived_objects_are_not_replicated(cloud: World) -> None:
    cloud.configure(rule())
    cloud.put("cold", StorageClass="GLACIER")
    cloud.settle()

    assert cloud.versions() == []


def test_the_destination_can_set_another_storage_class(cloud: World) -> None:
    cloud.configure(rule(Destination={"StorageClass": "ONEZONE_IA"}))
    cloud.put()
    cloud.settle()

    assert "StorageClass" not in cloud.head("k", "src")
    assert cloud.head("k", "dst")["StorageClass"] == "ONEZONE_IA"


def test_kms_objects_are_replicated_with_the_replica_key(cloud: World) -> None:
    cloud.configure(
        rule(
            SourceSelectionCriteria={"SseKmsEncryptedObjects": {"Status": "Enabled"}},
            Destination={"EncryptionConfiguration": {"ReplicaKmsKeyID": "there"}},
        )
    )
    cloud.put("secret", ServerSideEncryption="aws:kms", SSEKMSKeyId="here")
    cloud.settle()

    assert cloud.head("secret", "dst")["SSEKMSKeyId"] == "there"


def test_several_destinations_each_get_the_version(cloud: World) -> None:
    cloud.buckets("two")
    cloud.configure(rule("dst", 1), rule("two", 2))
    version = cloud.put()
    cloud.settle()

    assert cloud.versions("dst") == cloud.versions("two") == [("k", version, False)]
    assert cloud.status() == "COMPLETED"


def test_one_failing_destination_of_several_fails_the_object(cloud: World) -> None:
    cloud.buckets("two")
    cloud.configure(rule("dst", 1), rule("two", 2))
    cloud.s3.put_bucket_versioning(Bucket="two", VersioningConfiguration={"Status": "Suspended"})
    version = cloud.put()
    cloud.settle()

    assert cloud.versions("dst") == [("k", version, False)]
    assert cloud.status() == "FAILED"
    assert replication.failure_reason("src", "k", version).startswith("DstBucketUnversioned: ")


def test_a_missing_destination_fails_the_object(cloud: World) -> None:
    cloud.configure(rule())
    cloud.s3.delete_bucket(Bucket="dst")
    version = cloud.put()
    cloud.settle()

    assert cloud.status() == "FAILED"
    assert replication.failure_reason("src", "k", version).startswith("DstBucketNotFound: ")


def test_locked_objects_need_object_lock_at_the_destination(cloud: World) -> None:
    cloud.s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    cloud.configure(rule(), source="locked")
    version = cloud.put("k", "locked", ObjectLockLegalHoldStatus="ON", ChecksumAlgorithm="CRC32")
    cloud.settle()

    assert cloud.status("k", "locked") == "FAILED"
    reason = replication.failure_reason("locked", "k", version)
    assert reason.startswith("DstBucketObjectLockConfigMissing: ")


def test_stop_ends_the_thread_though_versions_wait() -> None:
    with world(delay=3600.0) as cloud:
        cloud.configure(rule())
        cloud.put()
        began = time.monotonic()
        replication.stop()

        assert time.monotonic() - began < 1
        assert not [thread for thread in threading.enumerate() if thread.name == "s3-replication"]


def test_drain_gives_up_after_its_timeout() -> None:
    with world(delay=3600.0) as cloud:
        cloud.configure(rule())
        cloud.put()

        with pytest.raises(TimeoutError, match="1 versions are still to be replicated"):
            replication.drain(0.01)


def test_asking_a_replication_that_does_not_run_says_how_to_start_it() -> None:
    with pytest.raises(RuntimeError, match=r"localcloud\.replication\.install"):
        replication.drain()
