"""What the real server does in its own way, each line proven: a way that is gone fails here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from seeder.errors import Conflict, code_of
from seeder.lake import objects
from seeder.large.plan import MIB
from tests.keys import TRAPS
from tests.servers import Server, on_real

REFUSED = {"InvalidRequest", "KeyTooLongError", "NoSuchKey"}


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    return server.buckets("ways", "folders")


def uploaded(s3: Any, parts: Sequence[tuple[int, bytes]]) -> dict[str, Any]:
    given = {"Bucket": "ways", "Key": f"parts-{len(parts)}"}
    given["UploadId"] = s3.create_multipart_upload(**given)["UploadId"]
    for number, body in parts:
        s3.upload_part(**given, PartNumber=number, Body=body)
    return given


@pytest.mark.parametrize("key", [key for key in TRAPS if "\\" in key or "/" in key or len(key) > 255])
def test_a_key_that_can_be_held_is_listed_as_it_was_put_and_no_other_is(
    server: Server, s3: Any, key: str
) -> None:
    body = b"body of a key"
    try:
        s3.put_object(Bucket="ways", Key=key, Body=body)
        listed = [item["Key"] for item in s3.list_objects_v2(Bucket="ways")["Contents"]]
        held = key in listed and s3.get_object(Bucket="ways", Key=key)["Body"].read() == body
    except ClientError as error:
        held = code_of(error) not in REFUSED
    assert held == server.ways.can_hold(key)


def test_keys_are_listed_in_the_order_of_their_bytes_or_by_folders(server: Server, s3: Any) -> None:
    for key in ("B/1", "B.x"):
        s3.put_object(Bucket="folders", Key=key)
    listed = [item["Key"] for item in s3.list_objects_v2(Bucket="folders")["Contents"]]
    assert listed == (["B.x", "B/1"] if server.ways.is_ordered else ["B/1", "B.x"])


@on_real
def test_a_part_that_is_too_small_is_refused(server: Server, s3: Any) -> None:
    given = uploaded(s3, [(1, b"x" * (server.ways.smallest_part - 1)), (2, b"y")])
    parts = [
        {"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in s3.list_parts(**given)["Parts"]
    ]
    with pytest.raises(ClientError, match="EntityTooSmall"):
        s3.complete_multipart_upload(**given, MultipartUpload={"Parts": parts})
    s3.abort_multipart_upload(**given)
    assert server.ways.smallest_part == 5 * MIB


def test_what_if_match_without_an_object_is_taken_for(server: Server, s3: Any) -> None:
    with pytest.raises(Conflict) as raised:
        objects.replace(s3, "ways", "never there", b"1", '"0"')
    assert type(raised.value) is server.ways.when_gone


def test_a_part_that_was_uploaded_again_is_listed_once_or_each_time(server: Server, s3: Any) -> None:
    """S3 replaces it (API reference, UploadPart); this server lists both, in no order."""
    given = uploaded(s3, [(1, b"first"), (1, b"other"), (2, b"y")])
    listed = [part["PartNumber"] for part in s3.list_parts(**given)["Parts"]]
    s3.abort_multipart_upload(**given)
    assert listed == ([1, 2] if server.ways.replaces_parts else [1, 1, 2])
