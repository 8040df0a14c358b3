"""Objects declared by sizes that no disk holds."""

from __future__ import annotations

import tracemalloc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from localcloud import replication
from localcloud.s3.content import Content
from localcloud.s3.declared import declare_object
from tests.keys import TRAPS
from tests.unit.localcloud.multipart import copy_in_parts
from tests.unit.localcloud.replication_world import World, rule, world

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1024 * 1024


@contextmanager
def refused(code: str) -> Iterator[Any]:
    with pytest.raises(ClientError) as caught:
        yield caught
    assert caught.value.response["Error"]["Code"] == code


SIZES = [6 * 1024**3, 50 * 10**12]


@pytest.fixture
def cloud() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.mark.parametrize("size", SIZES)
def test_an_object_of_any_size_is_listed_headed_and_read_by_range(cloud: World, size: int) -> None:
    version = declare_object("src", "big", size, storage_class="STANDARD_IA")
    page = cloud.s3.list_objects_v2(Bucket="src")["Contents"]
    assert [(entry["Key"], entry["Size"], entry["StorageClass"]) for entry in page] == [
        ("big", size, "STANDARD_IA")
    ]
    assert cloud.s3.list_object_versions(Bucket="src")["Versions"][0]["Size"] == size
    head = cloud.head("big", version=version)
    first = cloud.s3.head_object(Bucket="src", Key="big", PartNumber=1)
    assert (head["ContentLength"], head["ETag"]) == (size, first["ETag"])
    assert head["ETag"].endswith(f'-{first["PartsCount"]}"')
    assert (
        first["ContentLength"] * (first["PartsCount"] - 1)
        < size
        <= first["ContentLength"] * first["PartsCount"]
    )
    found = cloud.s3.get_object(Bucket="src", Key="big", Range=f"bytes={size - 5000}-{size - 1}")
    assert found["ContentRange"] == f"bytes {size - 5000}-{size - 1}/{size}"
    assert found["Body"].read() == bytes(Content.of("big", size)[size - 5000 :])


def test_reading_a_huge_object_makes_no_more_than_is_read(cloud: World) -> None:
    declare_object("src", "big", SIZES[1], part_size=5 * 1024**3)
    tracemalloc.start()
    body = cloud.s3.get_object(Bucket="src", Key="big")["Body"]
    chunks = [next(body.iter_chunks(MIB)) for _ in range(3)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert b"".join(chunks) == bytes(Content.of("big", SIZES[1])[: 3 * MIB])
    assert peak < 40 * MIB


def test_a_copy_of_more_than_5_gib_is_refused_with_the_known_text(cloud: World) -> None:
    declare_object("src", "big", 5 * 1024**3 + 1)
    declare_object("src", "fits", 5 * 1024**3)
    with refused("InvalidRequest") as caught:
        cloud.s3.copy_object(Bucket="dst", Key="k", CopySource="src/big")
    assert caught.value.response["Error"]["Message"] == (
        "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"
    )
    cloud.s3.copy_object(Bucket="dst", Key="k", CopySource="src/fits")
    assert cloud.head("k", "dst")["ETag"] == cloud.head("fits")["ETag"]


def test_a_part_copied_is_5_gib_at_most_and_one_of_10000(cloud: World) -> None:
    declare_object("src", "big", 6 * 1024**3)
    where = {"Bucket": "src", "Key": "copy", "CopySource": "src/big"}
    upload_id = cloud.s3.create_multipart_upload(Bucket="src", Key="copy")["UploadId"]
    for fields, code in (
        ({"PartNumber": 1}, "InvalidRequest"),
        ({"PartNumber": 1, "CopySourceRange": f"bytes=0-{5 * 1024**3}"}, "InvalidRequest"),
        ({"PartNumber": 10_001, "CopySourceRange": "bytes=0-9"}, "InvalidArgument"),
    ):
        with refused(code):
            cloud.s3.upload_part_copy(**where, UploadId=upload_id, **fields)


def test_a_large_object_copied_in_parts_keeps_layout_etag_and_bytes(cloud: World) -> None:
    size, part = 6 * 1024**3 + 3, 512 * MIB
    declare_object("src", "big", size, part_size=part)
    etag = copy_in_parts(cloud, "big", "copy", [*range(0, size, part), size])
    assert etag == cloud.head("big")["ETag"]
    reads = [
        cloud.s3.get_object(Bucket="src", Key=key, Range="bytes=4294967290-4294967299")["Body"].read()
        for key in ("big", "copy")
    ]
    assert reads[0] == reads[1]


def test_a_source_that_changed_is_not_mixed_in(cloud: World) -> None:
    declare_object("src", "big", 6 * 1024**3)
    before = cloud.head("big")["ETag"]
    upload_id = cloud.s3.create_multipart_upload(Bucket="src", Key="copy")["UploadId"]
    declare_object("src", "big", 6 * 1024**3, seed="changed")
    with refused("PreconditionFailed"):
        cloud.s3.upload_part_copy(
            Bucket="src",
            Key="copy",
            UploadId=upload_id,
            PartNumber=1,
            CopySource="src/big",
            CopySourceRange="bytes=0-9999999",
            CopySourceIfMatch=before,
        )


@pytest.mark.parametrize("part_size", [None, 1024**3])
def test_a_declared_object_is_replicated_with_its_identity(cloud: World, part_size: int | None) -> None:
    cloud.configure(rule())
    size = 4 * 1024**3
    version = declare_object("src", "big", size, part_size=part_size, tags={"a": "b"}, metadata={"m": "n"})
    cloud.settle()
    here, there = (cloud.head("big", bucket, version) for bucket in ("src", "dst"))
    for name in ("ETag", "ContentLength", "Metadata", "VersionId", "TagCount"):
        assert here.get(name) == there.get(name)
    parts = [
        cloud.s3.head_object(Bucket=name, Key="big", PartNumber=1).get("PartsCount")
        for name in ("src", "dst")
    ]
    assert parts == [4 if part_size else None] * 2


def test_a_declared_object_from_before_the_rule_is_replicated_on_demand(cloud: World) -> None:
    version = declare_object("src", "big", SIZES[1])
    cloud.configure(rule())
    replication.replicate_version("src", "big", version)
    cloud.settle()
    assert cloud.head("big", "dst")["ContentLength"] == SIZES[1]


def test_versions_of_declared_objects_come_and_go(cloud: World) -> None:
    first, second = (declare_object("src", "big", size) for size in (1, SIZES[0]))
    assert cloud.head("big")["VersionId"] == second
    cloud.s3.delete_object(Bucket="src", Key="big", VersionId=second)
    assert (cloud.head("big")["VersionId"], cloud.head("big")["ContentLength"]) == (first, 1)
    cloud.s3.delete_object(Bucket="src", Key="big")
    assert "Contents" not in cloud.s3.list_objects_v2(Bucket="src")


@pytest.mark.parametrize("size", [0, 1, 5])
def test_small_and_empty_objects_are_objects(cloud: World, size: int) -> None:
    declare_object("src", "k", size)
    assert cloud.s3.get_object(Bucket="src", Key="k")["Body"].read() == bytes(Content.of("k", size))


@pytest.mark.parametrize("key", TRAPS)
def test_every_odd_key_can_be_declared(cloud: World, key: str) -> None:
    declare_object("src", key, 3)
    assert cloud.head(key)["ContentLength"] == 3


@pytest.mark.parametrize(
    ("size", "part_size", "message"),
    [
        (-1, None, "size is -1; give a number of bytes from 0"),
        (1, 0, "part_size is 0; give a number of bytes from 1 to 5368709120"),
        (10_001, 1, "size is 10001; 10000 parts of 1 bytes hold 10000"),
        (60 * 10**12, None, "size is 60000000000000; 10000 parts of 5368709120 bytes hold 53687091200000"),
    ],
)
def test_a_size_that_s3_does_not_take_is_refused(
    cloud: World, size: int, part_size: int | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        declare_object("src", "k", size, part_size=part_size)


def test_a_checksum_of_a_large_declared_object_is_refused_loudly(cloud: World) -> None:
    declare_object("src", "big", 4 * 1024**3)
    with refused("NotImplemented"):
        cloud.s3.copy_object(Bucket="dst", Key="k", CopySource="src/big", ChecksumAlgorithm="SHA256")
