"""What happens to versions after they are written: deleted, tagged, replicated from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.localcloud.replication_world import World, rule, v1_rule, world

if TYPE_CHECKING:
    from collections.abc import Iterator

RED = {"Key": "team", "Value": "red"}


@pytest.fixture
def cloud() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.mark.parametrize("one", [rule(markers=True), v1_rule()])
def test_a_delete_marker_is_replicated_with_its_version_id(cloud: World, one: dict[str, Any]) -> None:
    cloud.configure(one)
    version = cloud.put()
    marker = cloud.s3.delete_object(Bucket="src", Key="k")["VersionId"]
    cloud.settle()

    assert cloud.versions() == [("k", version, False), ("k", marker, True)]
    with pytest.raises(ClientError, match="NoSuchKey"):
        cloud.s3.get_object(Bucket="dst", Key="k")


def test_delete_markers_of_delete_objects_are_replicated(cloud: World) -> None:
    cloud.configure(rule(markers=True))
    cloud.put("a")
    cloud.put("b")
    cloud.s3.delete_objects(Bucket="src", Delete={"Objects": [{"Key": "a"}, {"Key": "b"}]})
    cloud.settle()

    assert [key for key, _, marker in cloud.versions() if marker] == ["a", "b"]


def test_a_delete_marker_stays_where_the_rule_says_disabled(cloud: World) -> None:
    cloud.configure(rule(markers=False))
    cloud.put()
    cloud.s3.delete_object(Bucket="src", Key="k")
    cloud.settle()

    assert cloud.head("k", "dst")["ReplicationStatus"] == "REPLICA"


def test_the_permanent_deletion_of_a_version_is_not_replicated(cloud: World) -> None:
    cloud.configure(rule(markers=True))
    version = cloud.put()
    cloud.settle()
    cloud.s3.delete_object(Bucket="src", Key="k", VersionId=version)
    cloud.settle()

    assert cloud.versions() == [("k", version, False)]


def test_a_version_deleted_before_its_turn_is_not_replicated() -> None:
    with world(delay=60.0) as cloud:
        cloud.configure(rule())
        version = cloud.put()
        cloud.s3.delete_object(Bucket="src", Key="k", VersionId=version)
        cloud.settle(60)

        assert cloud.versions() == []


def test_replicas_are_not_replicated_on(cloud: World) -> None:
    cloud.buckets("third")
    cloud.configure(rule("dst"))
    cloud.configure(rule("third"), source="dst")
    cloud.put()
    cloud.settle()

    assert cloud.versions("third") == []


def test_two_buckets_can_replicate_to_each_other(cloud: World) -> None:
    cloud.configure(rule("dst"))
    cloud.configure(rule("src"), source="dst")
    here, there = cloud.put("here", "src"), cloud.put("there", "dst")
    cloud.settle()

    assert cloud.versions("src") == cloud.versions("dst") == [("here", here, False), ("there", there, False)]


def test_a_change_of_tags_follows_the_replicated_version(cloud: World) -> None:
    cloud.configure(rule())
    version = cloud.put()
    cloud.settle()
    cloud.s3.put_object_tagging(Bucket="src", Key="k", VersionId=version, Tagging={"TagSet": [RED]})
    assert cloud.status() in ("PENDING", "COMPLETED")
    cloud.settle()

    assert cloud.s3.get_object_tagging(Bucket="dst", Key="k")["TagSet"] == [RED]

    cloud.s3.delete_object_tagging(Bucket="src", Key="k")
    cloud.settle()

    assert cloud.s3.get_object_tagging(Bucket="dst", Key="k")["TagSet"] == []
    assert cloud.status() == "COMPLETED"


@pytest.mark.parametrize(("setting", "expected"), [("Enabled", [RED]), ("Disabled", [])])
def test_a_change_on_a_replica_goes_back_only_with_replica_modifications(
    cloud: World, setting: str, expected: list[dict[str, str]]
) -> None:
    cloud.configure(rule("dst"))
    back = rule("src", SourceSelectionCriteria={"ReplicaModifications": {"Status": setting}})
    cloud.configure(back, source="dst")
    cloud.put()
    cloud.settle()
    cloud.s3.put_object_tagging(Bucket="dst", Key="k", Tagging={"TagSet": [RED]})
    cloud.settle()

    assert cloud.s3.get_object_tagging(Bucket="src", Key="k")["TagSet"] == expected
    assert (cloud.status("k", "src"), cloud.status("k", "dst")) == ("COMPLETED", "REPLICA")
