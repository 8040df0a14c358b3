from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from moto.s3.models import s3_backends

from tests.unit.localcloud.batch_world import ACCOUNT, INVENTORY, World, allow, client, deny, failure, world

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime.now(UTC)
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"


@pytest.fixture
def cloud() -> Iterator[World]:
    with world() as made:
        yield made


def generator(wanted: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    whole = {"SourceBucket": "arn:aws:s3:::src", "EnableManifestOutput": False, **changes}
    if wanted is not None:
        whole["Filter"] = wanted
    return {"S3JobManifestGenerator": whole}


def output(**changes: Any) -> dict[str, Any]:
    place = {"Bucket": "arn:aws:s3:::ops", "ManifestFormat": "S3InventoryReport_CSV_20211130", **changes}
    return {"EnableManifestOutput": True, "ManifestOutputLocation": place}


def selected(cloud: World, wanted: dict[str, Any]) -> list[str]:
    job = cloud.run(ManifestGenerator=generator(wanted))
    return [row[1] for row in cloud.rows(job)]


def test_without_a_filter_every_current_object_is_a_task(cloud: World) -> None:
    cloud.version("src")
    for key in ("b", "a b", "gone"):
        cloud.put(key, b"old")
        version = cloud.put(key, b"new")["VersionId"]
    cloud.s3.delete_object(Bucket="src", Key="gone")
    job = cloud.run(ManifestGenerator=generator())
    assert [row[1] for row in cloud.rows(job)] == ["a%20b", "b"]
    assert version not in [row[2] for row in cloud.rows(job)]
    assert cloud.read("a b") == b"new"
    assert "GeneratedManifestDescriptor" not in job


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ({"MatchAnyPrefix": ["in/"]}, ["in/1.csv", "in/2.txt"]),
        ({"MatchAnySuffix": [".csv"]}, ["in/1.csv", "out/1.csv"]),
        ({"MatchAnySubstring": ["t/"]}, ["out/1.csv"]),
        ({"MatchAnyPrefix": ["in/"], "MatchAnySuffix": [".csv"]}, ["in/1.csv"]),
    ],
    ids=str,
)
def test_names_are_filtered(cloud: World, constraint: dict[str, list[str]], expected: list[str]) -> None:
    for key in ("in/1.csv", "in/2.txt", "out/1.csv"):
        cloud.put(key)
    assert selected(cloud, {"KeyNameConstraint": constraint}) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"ObjectSizeGreaterThanBytes": 2}, ["three"]),
        ({"ObjectSizeLessThanBytes": 2}, ["one"]),
        ({"ObjectSizeGreaterThanBytes": 1, "ObjectSizeLessThanBytes": 3}, ["two"]),
    ],
    ids=str,
)
def test_sizes_are_filtered(cloud: World, wanted: dict[str, Any], expected: list[str]) -> None:
    for size, key in enumerate(("one", "two", "three"), 1):
        cloud.put(key, b"x" * size)
    assert selected(cloud, wanted) == expected


def test_creation_times_are_filtered(cloud: World) -> None:
    for year in (2020, 2022, 2024):
        cloud.put(str(year))
        s3_backends[ACCOUNT]["aws"].get_object("src", str(year)).last_modified = datetime(year, 1, 1)
    between = {
        "CreatedAfter": datetime(2021, 1, 1, tzinfo=UTC),
        "CreatedBefore": datetime(2023, 1, 1, tzinfo=UTC),
    }
    assert selected(cloud, between) == ["2022"]


def test_storage_classes_are_filtered(cloud: World) -> None:
    cloud.put("hot")
    cloud.put("cool", StorageClass="STANDARD_IA")
    assert selected(cloud, {"MatchAnyStorageClass": ["STANDARD_IA", "GLACIER_IR"]}) == ["cool"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({"SSES3": {}}, ["s3"]),
        ({"SSEKMS": {}}, ["kms"]),
        ({"SSEKMS": {"KmsKeyArn": KEY, "BucketKeyEnabled": False}}, ["kms"]),
        ({"NOTSSE": {}}, ["plain"]),
    ],
    ids=str,
)
def test_encryption_is_filtered(cloud: World, kind: dict[str, Any], expected: list[str]) -> None:
    cloud.put("plain")
    cloud.put("s3", ServerSideEncryption="AES256")
    cloud.put("kms", ServerSideEncryption="aws:kms", SSEKMSKeyId=KEY)
    assert selected(cloud, {"MatchAnyObjectEncryption": [kind]}) == expected


def test_without_replication_every_object_has_the_status_none(cloud: World) -> None:
    cloud.put("a")
    assert selected(cloud, {"ObjectReplicationStatuses": ["NONE"]}) == ["a"]


def test_eligible_for_replication_false_selects_what_no_rule_covers(cloud: World) -> None:
    cloud.put("a")
    assert selected(cloud, {"EligibleForReplication": False}) == ["a"]


def test_no_matching_key_fails_the_job_with_the_known_text(cloud: World) -> None:
    job = cloud.run(ManifestGenerator=generator({"KeyNameConstraint": {"MatchAnyPrefix": ["none"]}}))
    assert failure(job)[1] == "Manifest generation found no keys matching the filter criteria."


def test_a_manifest_put_out_can_be_the_manifest_of_another_job(cloud: World) -> None:
    cloud.put("a b")
    job = cloud.run(ManifestGenerator=generator(**output(ManifestPrefix="made")))
    location = job["GeneratedManifestDescriptor"]["Location"]
    assert location["ObjectArn"] == f"arn:aws:s3:::ops/made/job-{job['JobId']}/manifest.json"
    document = json.loads(cloud.read(location["ObjectArn"].split("/", 1)[1], "ops"))
    (entry,) = document["files"]
    body = cloud.read(entry["key"], "ops")
    assert (entry["size"], entry["MD5checksum"]) == (len(body), hashlib.md5(body).hexdigest())
    assert gzip.decompress(body).decode() == '"src","a%20b","null"\n'

    again = cloud.run({"Spec": {"Format": INVENTORY}, "Location": location})
    assert again["ProgressSummary"]["NumberOfTasksSucceeded"] == 1


def test_a_manifest_put_out_is_encrypted_as_asked(cloud: World) -> None:
    cloud.put("a")
    wanted = {"SSEKMS": {"KeyId": KEY}}
    job = cloud.run(ManifestGenerator=generator(**output(ManifestEncryption=wanted)))
    key = job["GeneratedManifestDescriptor"]["Location"]["ObjectArn"].split("/", 1)[1]
    assert cloud.s3.head_object(Bucket="ops", Key=key)["SSEKMSKeyId"] == KEY


def test_an_output_that_may_not_be_written_fails_the_job_with_the_known_text(cloud: World) -> None:
    cloud.put("a")
    role = cloud.make_role("mute", allow("s3:*"), deny("s3:PutObject", resource="arn:aws:s3:::ops/*"))
    job = cloud.run(ManifestGenerator=generator(**output()), RoleArn=role)
    assert failure(job)[1] == "Error occurred when preparing manifest: Failed to write manifest"


def test_generating_needs_put_inventory_configuration(cloud: World) -> None:
    cloud.put("a")
    role = cloud.make_role("narrow", allow("s3:*"), deny("s3:PutInventoryConfiguration"))
    assert (
        "s3:PutInventoryConfiguration" in failure(cloud.run(ManifestGenerator=generator(), RoleArn=role))[1]
    )


def test_filtering_by_eligibility_needs_get_replication_configuration(cloud: World) -> None:
    cloud.put("a")
    role = cloud.make_role("narrow", allow("s3:*"), deny("s3:GetReplicationConfiguration"))
    job = cloud.run(ManifestGenerator=generator({"EligibleForReplication": True}), RoleArn=role)
    assert "s3:GetReplicationConfiguration" in failure(job)[1]


def test_a_source_in_another_region_fails_the_job(cloud: World) -> None:
    cloud.bucket("far", "eu-west-1")
    job = cloud.run(ManifestGenerator=generator(SourceBucket="arn:aws:s3:::far"))
    assert "create the job there" in failure(job)[1]


@pytest.mark.parametrize(
    "changes",
    [{"ExpectedBucketOwner": "999999999999"}, output(ExpectedManifestBucketOwner="999999999999")],
    ids=["source", "output"],
)
def test_another_owner_than_expected_fails_the_job(cloud: World, changes: dict[str, Any]) -> None:
    assert "expected account" in failure(cloud.run(ManifestGenerator=generator(**changes)))[1]


def test_a_generator_is_described_as_it_was_asked(cloud: World) -> None:
    cloud.put("a")
    wanted = generator({"CreatedBefore": datetime(2100, 1, 1, tzinfo=UTC)})
    job = cloud.run(ManifestGenerator=wanted)
    assert job["ManifestGenerator"] == wanted
    assert "Manifest" not in job
    assert client("s3control").list_jobs(AccountId=ACCOUNT)["Jobs"][0]["Status"] == "Complete"
