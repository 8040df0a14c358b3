from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from localcloud import replication
from localcloud.batch_operations import Settings
from localcloud.clock import ScaledClock
from localcloud.patching import Patches
from tests.unit.localcloud.batch_world import ACCOUNT, World, allow, client, failure, world

if TYPE_CHECKING:
    from collections.abc import Iterator

REPLICATE: dict[str, Any] = {"S3ReplicateObject": {}}
VERSIONED = ("Bucket", "Key", "VersionId")


@pytest.fixture
def cloud() -> Iterator[World]:
    patches = Patches()
    with world() as made:
        made.version("src", "dst")
        replication.install(patches, ScaledClock())
        yield made
        replication.stop()
        patches.undo()


def add_rule(cloud: World) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = cloud.make_role("replication", allow("s3:*"), trust=trust)
    rule = {
        "ID": "all",
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": "arn:aws:s3:::dst"},
    }
    client("s3").put_bucket_replication(
        Bucket="src", ReplicationConfiguration={"Role": role, "Rules": [rule]}
    )


def test_what_was_there_before_the_rule_is_replicated_with_its_version_id(cloud: World) -> None:
    version = cloud.put("old key", b"old", Metadata={"colour": "red"}, Tagging="team=red")["VersionId"]
    add_rule(cloud)
    job = cloud.run(cloud.manifest(f"src,old%20key,{version}\n", VERSIONED), REPLICATE)
    replication.drain()

    assert cloud.rows(job) == [["src", "old%20key", version, "succeeded", "200", "", "success"]]
    copied = cloud.s3.head_object(Bucket="dst", Key="old key")
    assert (copied["VersionId"], copied["Metadata"]) == (version, {"colour": "red"})
    source = cloud.s3.head_object(Bucket="src", Key="old key")
    assert (source["ReplicationStatus"], copied["ReplicationStatus"]) == ("COMPLETED", "REPLICA")


def test_a_bucket_without_a_rule_fails_every_task_with_a_replication_reason(cloud: World) -> None:
    version = cloud.put("a")["VersionId"]
    job = cloud.run(cloud.manifest(f"src,a,{version}\n", VERSIONED), REPLICATE)
    assert cloud.rows(job)[0][3:6] == ["failed", "500", "SrcBucketReplicationConfigMissing"]


def test_an_empty_version_id_is_an_invalid_version(cloud: World) -> None:
    job = cloud.run(cloud.manifest("src,a,\n", VERSIONED), REPLICATE)
    assert cloud.rows(job)[0][2:] == [
        r"\N",
        "failed",
        "500",
        "SrcObjectNotFound",
        "Object versionID is invalid",
    ]


def test_a_manifest_without_version_ids_fails_its_tasks(cloud: World) -> None:
    cloud.put("a")
    job = cloud.run(cloud.manifest("src,a\n"), REPLICATE)
    assert cloud.rows(job)[0][3:] == [
        "failed",
        "400",
        "InvalidRequest",
        "Task failed due to missing VersionId",
    ]


def test_the_job_role_needs_initiate_replication_and_nothing_else_on_the_source(cloud: World) -> None:
    version = cloud.put("a")["VersionId"]
    add_rule(cloud)
    ops = allow("s3:GetObject", "s3:PutObject", resource="arn:aws:s3:::ops/*")
    manifest = cloud.manifest(f"src,a,{version}\n", VERSIONED)
    idle = cloud.make_role("idle", ops)
    row = cloud.rows(cloud.run(manifest, REPLICATE, RoleArn=idle))[0]
    assert row[3:6] == ["failed", "500", "InitiateReplicationNotPermitted"]

    initiator = cloud.make_role("init", ops, allow("s3:InitiateReplication", resource="arn:aws:s3:::src/*"))
    assert cloud.rows(cloud.run(manifest, REPLICATE, RoleArn=initiator))[0][3] == "succeeded"


def test_a_replicate_job_outside_the_sources_region_fails(cloud: World) -> None:
    cloud.control = client("s3control", "eu-west-1")
    job = cloud.run(cloud.manifest("src,a,null\n", VERSIONED), REPLICATE)
    assert "create the job there" in failure(job)[1]


def test_replication_can_be_injected() -> None:
    asked: list[tuple[str, str, str | None]] = []
    with world(Settings(replicate=lambda *version: asked.append(version))) as cloud:
        cloud.run(cloud.manifest("src,a%2Bb,v1\n", VERSIONED), REPLICATE)
    assert asked == [("src", "a+b", "v1")]


def test_a_generated_manifest_of_eligible_versions_is_replicated_whole(cloud: World) -> None:
    versions = [cloud.put("a", body)["VersionId"] for body in (b"1", b"2")]
    add_rule(cloud)
    generator = {
        "SourceBucket": "arn:aws:s3:::src",
        "EnableManifestOutput": True,
        "ManifestOutputLocation": {
            "Bucket": "arn:aws:s3:::ops",
            "ManifestFormat": "S3InventoryReport_CSV_20211130",
            "ManifestPrefix": "generated",
            "ExpectedManifestBucketOwner": ACCOUNT,
        },
        "Filter": {"EligibleForReplication": True, "ObjectReplicationStatuses": ["NONE", "FAILED"]},
    }
    job = cloud.run(None, REPLICATE, ManifestGenerator={"S3JobManifestGenerator": generator})
    replication.drain()
    assert sorted(row[2] for row in cloud.rows(job)) == sorted(versions)
    descriptor = job["GeneratedManifestDescriptor"]
    assert descriptor["Format"] == "S3InventoryReport_CSV_20211130"
    body = cloud.read(descriptor["Location"]["ObjectArn"].split("/", 1)[1], "ops")
    assert json.loads(body)["fileSchema"] == "Bucket, Key, VersionId"

    again = cloud.run(None, REPLICATE, ManifestGenerator={"S3JobManifestGenerator": generator})
    assert failure(again)[1] == "Manifest generation found no keys matching the filter criteria."
