from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from moto.s3.models import s3_backends

from localcloud.batch_operations import Settings
from localcloud.batch_operations.task import decode_key
from tests.unit.localcloud.batch_world import ACCOUNT, World, copy_to, world

if TYPE_CHECKING:
    from collections.abc import Iterator

ODD_KEYS = [
    "with space",
    "plus+sign",
    "percent%sign",
    "literal%2Bescape",
    "a,b",
    'say "hi"',
    "it's",
    "line\nbreak",
    "smile-\N{GRINNING FACE}",
    "double//slash",
    "/leading",
    "trailing/",
    "ünï/cödé",
    "k" * 1024,
    "é" * 512,
    "?query=#fragment;x",
]


@pytest.fixture
def cloud() -> Iterator[World]:
    with world(Settings(max_copy_bytes=1000)) as made:
        yield made


def test_every_odd_key_is_decoded_once_copied_and_echoed_encoded_in_the_report(cloud: World) -> None:
    for number, key in enumerate(ODD_KEYS):
        cloud.put(key, str(number).encode())
    encoded = [quote(key, safe="/") for key in ODD_KEYS]
    job = cloud.run(cloud.manifest("".join(f"src,{key}\n" for key in encoded)))

    assert [row[1] for row in cloud.rows(job)] == encoded
    assert [cloud.read(key) for key in ODD_KEYS] == [str(number).encode() for number in range(len(ODD_KEYS))]


def test_a_raw_plus_in_a_manifest_means_a_space_unless_set_otherwise() -> None:
    assert decode_key("a+b") == "a b"
    assert decode_key("a+b", plus_is_space=False) == "a+b"
    assert decode_key("a%2Bb") == "a+b"


def test_a_key_longer_than_1024_bytes_fails_its_task_with_key_too_long(cloud: World) -> None:
    job = cloud.run(cloud.manifest(f"src,{'k' * 1025}\n"))
    assert cloud.rows(job)[0][3:6] == ["failed", "400", "KeyTooLongError"]


@pytest.mark.parametrize("key", ["bad%ZZescape", "cut%E2%82", "%"])
def test_an_undecodable_key_fails_its_task(cloud: World, key: str) -> None:
    job = cloud.run(cloud.manifest(f"src,{key}\n"))
    assert cloud.rows(job) == [
        ["src", key, "", "failed", "400", "InvalidRequest", "Task failed due to undecodable object key"]
    ]


def test_without_parameters_metadata_and_tags_are_copied(cloud: World) -> None:
    cloud.put("a", Metadata={"colour": "red"}, ContentType="text/plain", Tagging="team=blue")
    cloud.run(cloud.manifest("src,a\n"))

    copied = cloud.s3.head_object(Bucket="dst", Key="a")
    assert (copied["Metadata"], copied["ContentType"]) == ({"colour": "red"}, "text/plain")
    assert cloud.s3.get_object_tagging(Bucket="dst", Key="a")["TagSet"] == [{"Key": "team", "Value": "blue"}]


def test_new_metadata_tags_and_storage_class_replace_the_old(cloud: World) -> None:
    cloud.put("a", Metadata={"colour": "red"}, Tagging="team=blue")
    parameters = {
        "StorageClass": "STANDARD_IA",
        "MetadataDirective": "REPLACE",
        "NewObjectMetadata": {"ContentType": "text/csv", "UserMetadata": {"colour": "green"}},
        "NewObjectTagging": [{"Key": "team", "Value": "red + white @home"}],
    }
    cloud.run(cloud.manifest("src,a\n"), copy_to("dst", **parameters))

    copied = cloud.s3.head_object(Bucket="dst", Key="a")
    assert (copied["Metadata"], copied["ContentType"]) == ({"colour": "green"}, "text/csv")
    assert copied["StorageClass"] == "STANDARD_IA"
    tags = cloud.s3.get_object_tagging(Bucket="dst", Key="a")["TagSet"]
    assert tags == [{"Key": "team", "Value": "red + white @home"}]


def test_an_empty_new_tag_set_leaves_the_copy_without_tags(cloud: World) -> None:
    cloud.put("a", Tagging="team=blue")
    cloud.run(cloud.manifest("src,a\n"), copy_to("dst", NewObjectTagging=[]))
    assert cloud.s3.get_object_tagging(Bucket="dst", Key="a")["TagSet"] == []


def test_a_target_key_prefix_is_put_before_the_key(cloud: World) -> None:
    cloud.put("a/b")
    cloud.run(cloud.manifest("src,a/b\n"), copy_to("dst", TargetKeyPrefix="archive"))
    assert cloud.keys() == ["archive/a/b"]


def test_encryption_with_a_kms_key_is_asked_for(cloud: World) -> None:
    cloud.put("a")
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    cloud.run(cloud.manifest("src,a\n"), copy_to("dst", SSEAwsKmsKeyId=key, BucketKeyEnabled=True))
    copied = cloud.s3.head_object(Bucket="dst", Key="a")
    assert (copied["ServerSideEncryption"], copied["SSEKMSKeyId"]) == ("aws:kms", key)


def test_an_object_over_the_limit_fails_with_the_known_text(cloud: World) -> None:
    cloud.put("big", b"x" * 1001)
    cloud.put("fits", b"x" * 1000)
    job = cloud.run(cloud.manifest("src,big\nsrc,fits\n"))

    good, bad = cloud.rows(job)
    assert good[1] == "fits"
    assert bad[3:6] == ["failed", "400", "InvalidRequest"]
    text = "The specified copy source is larger than the maximum allowable size for a copy source: 1000 (Service: "
    assert bad[6].startswith(text + "Amazon S3; Status Code: 400; Error Code: InvalidRequest; Request ID: ")


def test_the_limit_is_5_gib() -> None:
    assert Settings().max_copy_bytes == 5_368_709_120


def test_an_archived_object_is_refused(cloud: World) -> None:
    cloud.put("frozen", StorageClass="GLACIER")
    job = cloud.run(cloud.manifest("src,frozen\n"))
    assert cloud.rows(job)[0][3:6] == ["failed", "403", "ObjectNotInActiveTierError"]


def test_a_glacier_instant_retrieval_object_is_copied(cloud: World) -> None:
    cloud.put("cold", StorageClass="GLACIER_IR")
    cloud.run(cloud.manifest("src,cold\n"))
    assert cloud.keys() == ["cold"]


def test_a_missing_object_fails_its_task_with_no_such_key(cloud: World) -> None:
    job = cloud.run(cloud.manifest("src,nothing\n"))
    assert cloud.rows(job)[0][3:6] == ["failed", "404", "NoSuchKey"]


def test_the_version_named_is_copied_and_null_is_the_null_version(cloud: World) -> None:
    cloud.put("a", b"null version")
    cloud.put("b", b"first")
    cloud.version("src")
    cloud.put("a", b"second")
    version = cloud.put("b", b"second")["VersionId"]
    cloud.put("b", b"third")
    cloud.run(cloud.manifest(f"src,a,null\nsrc,b,{version}\n", ("Bucket", "Key", "VersionId")))
    assert (cloud.read("a"), cloud.read("b")) == (b"null version", b"second")


def test_without_version_ids_the_version_current_at_execution_is_copied(cloud: World) -> None:
    cloud.version("src")
    cloud.put("a", b"first")
    manifest = cloud.manifest("src,a\n")
    cloud.put("a", b"second")
    cloud.run(manifest)
    assert cloud.read("a") == b"second"


def test_unknown_versions_and_delete_markers_fail_their_tasks(cloud: World) -> None:
    cloud.version("src")
    cloud.put("a")
    marker = cloud.s3.delete_object(Bucket="src", Key="a")["VersionId"]
    rows = f"src,a,unknown\nsrc,a,{marker}\n"
    job = cloud.run(cloud.manifest(rows, ("Bucket", "Key", "VersionId")))
    assert [row[4:6] for row in cloud.rows(job)] == [["404", "NoSuchVersion"], ["400", "InvalidRequest"]]


def test_an_empty_version_id_fails_a_copy_and_shows_as_backslash_n(cloud: World) -> None:
    cloud.put("a")
    job = cloud.run(cloud.manifest("src,a,\n", ("Bucket", "Key", "VersionId")))
    assert cloud.rows(job) == [
        ["src", "a", r"\N", "failed", "400", "InvalidRequest", "Task failed due to missing VersionId"]
    ]


@pytest.mark.parametrize(
    ("constraint", "days", "code"),
    [
        ("ModifiedSinceConstraint", 1, "PreconditionFailed"),
        ("ModifiedSinceConstraint", -1, ""),
        ("UnModifiedSinceConstraint", 1, ""),
        ("UnModifiedSinceConstraint", -1, "PreconditionFailed"),
    ],
)
def test_modification_constraints_decide_what_is_copied(
    cloud: World, constraint: str, days: int, code: str
) -> None:
    cloud.put("a")
    moment = datetime.now(UTC) + timedelta(days=days)
    job = cloud.run(cloud.manifest("src,a\n"), copy_to("dst", **{constraint: moment}))
    assert cloud.rows(job)[0][5] == code


def test_a_destination_without_versioning_is_overwritten(cloud: World) -> None:
    cloud.put("a", b"new")
    cloud.put("a", b"old", "dst")
    cloud.run(cloud.manifest("src,a\n"))
    assert cloud.read("a") == b"new"


def test_a_canned_acl_is_passed_on(cloud: World) -> None:
    cloud.put("a")
    cloud.run(cloud.manifest("src,a\n"), copy_to("dst", CannedAccessControlList="public-read"))
    acl = s3_backends[ACCOUNT]["aws"].get_object("dst", "a").acl
    assert acl.public_read


def test_grants_are_passed_on(cloud: World) -> None:
    cloud.put("a")
    grant = {
        "Grantee": {"TypeIdentifier": "uri", "Identifier": "http://acs.amazonaws.com/groups/global/AllUsers"},
        "Permission": "READ",
    }
    cloud.run(cloud.manifest("src,a\n"), copy_to("dst", AccessControlGrants=[grant]))
    assert s3_backends[ACCOUNT]["aws"].get_object("dst", "a").acl.public_read
