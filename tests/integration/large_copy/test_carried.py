"""Large objects copied in parts: what of the source its copy has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from seeder.large.notes import Item
from tests.keys import TRAPS
from tests.large_objects import (
    BOUNDS,
    MANY_TAGS,
    SIZES,
    Watched,
    assert_copied,
    copier,
    note,
    upload,
)


def test_a_copy_has_the_sources_parts_and_so_its_etag(s3: Any) -> None:
    item = upload(s3, "key", SIZES)
    assert copier(s3).copy(item) == ("Succeeded", "copied 890 bytes in 4 parts")
    assert_copied(s3, "key")
    assert s3.head_object(Bucket="destination", Key="key")["ETag"].endswith('-4"')
    assert note(s3, item).state == "done"


def test_an_object_of_one_piece_is_copied_in_parts(s3: Any) -> None:
    s3.put_object(Bucket="source", Key="key", Body=bytes(range(256)) * 4)
    assert copier(s3).copy(Item("source", "key")).text == "copied 1024 bytes in 6 parts"
    body = s3.get_object(Bucket="destination", Key="key")["Body"].read()
    assert body == bytes(range(256)) * 4


def test_headers_metadata_class_and_tags_are_carried(s3: Any) -> None:
    headers: dict[str, Any] = {
        "CacheControl": "no-cache",
        "ContentDisposition": "attachment",
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "text/plain",
        "WebsiteRedirectLocation": "/elsewhere",
    }
    item = upload(
        s3,
        "key",
        SIZES,
        **headers,
        Metadata={"one": "1", "two": "zwei"},
        StorageClass="STANDARD_IA",
        Tagging="a=b%20%2B&%C3%A9=1",
    )
    copier(s3).copy(item)
    head = s3.head_object(Bucket="destination", Key="key")
    assert headers.items() <= head.items()
    assert (head["Metadata"], head["StorageClass"]) == ({"one": "1", "two": "zwei"}, "STANDARD_IA")
    tag_set = s3.get_object_tagging(Bucket="destination", Key="key")["TagSet"]
    assert tag_set == [{"Key": "a", "Value": "b +"}, {"Key": "é", "Value": "1"}]


def test_tags_that_fit_no_header_are_put_once_the_object_is_there(s3: Any) -> None:
    item = upload(s3, "key", SIZES)
    s3.put_object_tagging(Bucket="source", Key="key", Tagging={"TagSet": MANY_TAGS})
    assert copier(s3).copy(item).code == "Succeeded"
    assert s3.get_object_tagging(Bucket="destination", Key="key")["TagSet"] == MANY_TAGS


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, ("CRC64NVME", "FULL_OBJECT")),
        ({"ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"}, ("SHA256", "COMPOSITE")),
        ({"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}, ("CRC32", "FULL_OBJECT")),
    ],
)
def test_the_checksum_is_of_the_sources_kind(s3: Any, given: dict[str, Any], asked: tuple[str, str]) -> None:
    item = upload(s3, "key", SIZES, **given)
    seen: dict[str, Any] = {}

    def call(name: str, original: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        seen[name] = arguments
        return original(**arguments)

    assert copier(Watched(s3, call), source_s3=s3).copy(item).code == "Succeeded"
    created, completed = seen["create_multipart_upload"], seen["complete_multipart_upload"]
    assert (created["ChecksumAlgorithm"], created["ChecksumType"]) == asked
    source, copy = (
        s3.head_object(Bucket=b, Key="key", ChecksumMode="ENABLED") for b in ("source", "destination")
    )
    if given:
        name = f"Checksum{asked[0]}"
        assert copy[name] == source[name]
        assert completed.get(name) == (source[name] if asked[1] == "FULL_OBJECT" else None)
    assert completed["MpuObjectSize"] == 890


@pytest.mark.parametrize("key", TRAPS)
def test_a_key_with_traps_is_copied_under_its_name(s3: Any, key: str) -> None:
    item = upload(s3, key, [300, 10])
    assert copier(s3).copy(item).code == "Succeeded"
    assert s3.get_object(Bucket="destination", Key=key)["Body"].read() == b"\x01" * 300 + b"\x02" * 10


def test_a_version_is_copied_when_one_is_named(s3: Any) -> None:
    for bucket in ("source", "destination"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    upload(s3, "key", [300, 10])
    first = s3.head_object(Bucket="source", Key="key")["VersionId"]
    upload(s3, "key", [200, 20], salt=7)
    assert copier(s3).copy(Item("source", "key", first)).code == "Succeeded"
    assert s3.head_object(Bucket="destination", Key="key")["ContentLength"] == 310


def test_an_object_over_5_gib_is_copied_whole(cloud: LocalCloud, s3: Any) -> None:
    size = 6 * 1024**3 + 1
    cloud.declare_object("source", "key", size, part_size=512 * 1024**2)
    found = copier(s3, bounds=BOUNDS._replace(most=5 * 1024**3)).copy(Item("source", "key"))
    assert found == ("Succeeded", f"copied {size} bytes in 13 parts")
    there, here = (s3.head_object(Bucket=bucket, Key="key") for bucket in ("source", "destination"))
    assert (here["ContentLength"], here["ETag"]) == (size, there["ETag"])
