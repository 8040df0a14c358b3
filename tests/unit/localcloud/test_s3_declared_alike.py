"""Objects declared by their size, against the same bytes uploaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.s3.content import Content
from localcloud.s3.declared import declare_object
from tests.unit.localcloud.multipart import copy_in_parts
from tests.unit.localcloud.replication_world import World, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1024 * 1024
SIZE = 20 * MIB + 7
PART = 8 * MIB
BODY = bytes(Content.of("k", SIZE))
VOLATILE = ("LastModified", "VersionId", "ResponseMetadata", "CopySourceVersionId")


@pytest.fixture(scope="module")
def both() -> Iterator[World]:
    """Objects `put` and `parts`: declared in `src`, uploaded in `dst`."""
    with world() as cloud:
        for key, part_size in (("put", None), ("parts", PART)):
            declare_object(
                "src",
                key,
                SIZE,
                part_size=part_size,
                seed="k",
                metadata={"Color": "red"},
                tags={"team": "a b"},
            )
            upload(cloud, key, part_size)
        yield cloud


def upload(cloud: World, key: str, part_size: int | None) -> None:
    fields = {"Bucket": "dst", "Key": key, "Metadata": {"Color": "red"}, "Tagging": "team=a%20b"}
    if part_size is None:
        cloud.s3.put_object(**fields, Body=BODY)
        return
    where = {"Bucket": "dst", "Key": key}
    upload_id = cloud.s3.create_multipart_upload(**fields)["UploadId"]
    parts = [
        {
            "PartNumber": n + 1,
            "ETag": cloud.s3.upload_part(
                **where, UploadId=upload_id, PartNumber=n + 1, Body=BODY[n * PART : (n + 1) * PART]
            )["ETag"],
        }
        for n in range(3)
    ]
    cloud.s3.complete_multipart_upload(**where, UploadId=upload_id, MultipartUpload={"Parts": parts})


def answer(call: Callable[..., Any], **fields: Any) -> dict[str, Any]:
    """Return an answer without what differs between any two objects; the body as bytes."""
    try:
        given = dict(call(**fields))
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return {"error": error.response["Error"]["Code"], "status": status}
    status = given["ResponseMetadata"]["HTTPStatusCode"]
    kept = {name: value for name, value in given.items() if name not in VOLATILE}
    kept.pop("ChecksumCRC32", None)
    kept.pop("ChecksumType", None)
    if "Body" in kept:
        kept["Body"] = kept["Body"].read()
    return {**kept, "status": status}


def alike(cloud: World, name: str, key: str, **fields: Any) -> dict[str, Any]:
    call = getattr(cloud.s3, name)
    declared, uploaded = (answer(call, Bucket=bucket, Key=key, **fields) for bucket in ("src", "dst"))
    assert declared == uploaded
    return declared


KEYS = pytest.mark.parametrize("key", ["put", "parts"])


@KEYS
@pytest.mark.parametrize(
    "fields",
    [{}, {"PartNumber": 1}, {"PartNumber": 2}, {"PartNumber": 3}, {"PartNumber": 4}, {"Range": "bytes=5-9"}],
    ids=str,
)
def test_head_and_get_answer_as_for_uploaded_bytes(both: World, key: str, fields: dict[str, Any]) -> None:
    alike(both, "head_object", key, **fields)
    alike(both, "get_object", key, **fields)


@KEYS
@given(start=st.integers(0, SIZE + 2), length=st.integers(1, 3000))
@settings(max_examples=20)
def test_any_range_answers_as_for_uploaded_bytes(both: World, key: str, start: int, length: int) -> None:
    for wanted in (f"bytes={start}-{start + length - 1}", f"bytes=-{length}"):
        found = alike(both, "get_object", key, Range=wanted)
        assert found.get("Body") != b""


@KEYS
def test_tags_and_listings_are_as_for_uploaded_bytes(both: World, key: str) -> None:
    assert alike(both, "get_object_tagging", key)["TagSet"] == [{"Key": "team", "Value": "a b"}]
    declared, uploaded = (
        [
            {name: value for name, value in entry.items() if name not in (*VOLATILE, "ChecksumAlgorithm")}
            for entry in both.s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
        ]
        for bucket in ("src", "dst")
    )
    assert declared == uploaded


@KEYS
def test_a_copy_is_as_a_copy_of_uploaded_bytes(both: World, key: str) -> None:
    heads = []
    for bucket in ("src", "dst"):
        both.s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/{key}", MetadataDirective="COPY")
        heads.append(answer(both.s3.head_object, Bucket=bucket, Key="copy", PartNumber=1))
    assert heads[0] == heads[1]
    assert "PartsCount" not in heads[0]


def test_parts_copied_with_the_same_layout_give_the_same_etag_and_bytes(both: World) -> None:
    etag = copy_in_parts(both, "parts", "again", [0, PART, 2 * PART, SIZE])
    assert etag == both.head("parts")["ETag"] == both.head("parts", "dst")["ETag"]
    assert both.s3.get_object(Bucket="src", Key="again")["Body"].read() == BODY
    assert copy_in_parts(both, "parts", "other", [0, 6 * MIB, SIZE]) != etag


def test_uploaded_and_copied_parts_may_be_mixed(both: World) -> None:
    where = {"Bucket": "src", "Key": "mixed"}
    upload_id = both.s3.create_multipart_upload(**where)["UploadId"]
    first = both.s3.upload_part(**where, UploadId=upload_id, PartNumber=1, Body=b"x" * 5 * MIB)["ETag"]
    second = both.s3.upload_part_copy(**where, UploadId=upload_id, PartNumber=2, CopySource="src/put")
    etags = [first, second["CopyPartResult"]["ETag"]]
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    both.s3.complete_multipart_upload(**where, UploadId=upload_id, MultipartUpload={"Parts": parts})
    assert both.s3.get_object(Bucket="src", Key="mixed")["Body"].read() == b"x" * 5 * MIB + BODY
