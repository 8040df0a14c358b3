"""Each gap of moto's S3 twice: closed with our patches, and still open without them."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.s3.models import FakeKey, S3Backend, s3_backends

from localcloud import s3
from tests.unit.localcloud.replication_world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WRONG = '"00000000000000000000000000000000"'
SOURCE = "src/k"


@contextmanager
def cloud(*, patched: bool) -> Iterator[World]:
    made = World()
    with mock_aws():
        if patched:
            s3.install(made.patches)
        try:
            made.buckets("src")
            made.buckets("plain", versioned=False)
            yield made
        finally:
            made.patches.undo()


def outcome(call: Callable[..., Any], **fields: Any) -> tuple[int, str]:
    try:
        return int(call(**fields)["ResponseMetadata"]["HTTPStatusCode"]), ""
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return int(status), str(error.response["Error"]["Code"])
    except KeyError:
        return 500, "KeyError"


def versions_are_encoded(one: World) -> bool:
    one.put("a b\r", "plain")
    page = one.s3.list_object_versions(Bucket="plain", EncodingType="url", Prefix="a b", Delimiter="/")
    return [page["Versions"][0]["Key"], page["Prefix"], page["Delimiter"]] == ["a+b%0D", "a+b", "/"]


def a_carriage_return_in_a_key_survives_a_listing_of_versions(one: World) -> bool:
    one.put("a\rb", "plain")
    return bool(one.s3.list_object_versions(Bucket="plain")["Versions"][0]["Key"] == "a\rb")


def start_after_is_encoded(one: World) -> bool:
    page = one.s3.list_objects_v2(Bucket="plain", EncodingType="url", StartAfter="é", Delimiter="é")
    return (page["StartAfter"], page["Delimiter"]) == ("%C3%A9", "%C3%A9")


def the_prefix_of_the_first_version_of_listings_is_encoded(one: World) -> bool:
    return bool(one.s3.list_objects(Bucket="plain", EncodingType="url", Prefix="é")["Prefix"] == "%C3%A9")


def a_page_has_a_thousand_keys_at_most(one: World) -> bool:
    bucket = s3_backends["123456789012"]["aws"].get_bucket("plain")
    for number in range(1001):
        bucket.keys[str(number)] = FakeKey(str(number), b"", "123456789012", "us-east-1", bucket_name="plain")
    page = one.s3.list_objects_v2(Bucket="plain", MaxKeys=5000)
    return (len(page["Contents"]), page["IsTruncated"]) == (1000, True)


def no_versions_asked_for_is_an_empty_page(one: World) -> bool:
    one.put("k", "plain")
    return bool(one.s3.list_object_versions(Bucket="plain", MaxKeys=0)["IsTruncated"] is False)


def versions_go_on_after_a_key_marker(one: World) -> bool:
    for key in ("a", "b", "c"):
        one.put(key, "plain")
    page = one.s3.list_object_versions(Bucket="plain", KeyMarker="a0")
    return [item["Key"] for item in page["Versions"]] == ["b", "c"]


def versions_go_on_after_a_marker_that_was_deleted(one: World) -> bool:
    for key in ("a", "b", "c"):
        one.put(key)
    page = one.s3.list_object_versions(Bucket="src", MaxKeys=1)
    marker = page["NextVersionIdMarker"]
    one.s3.delete_object(Bucket="src", Key="a", VersionId=marker)
    rest = one.s3.list_object_versions(Bucket="src", KeyMarker="a", VersionIdMarker=marker)
    return [item["Key"] for item in rest.get("Versions", [])] == ["b", "c"]


def copies_check_if_none_match(one: World) -> bool:
    one.put()
    copy = {"Bucket": "src", "Key": "k", "CopySource": SOURCE, "MetadataDirective": "REPLACE"}
    return outcome(one.s3.copy_object, **copy, IfNoneMatch="*") == (412, "PreconditionFailed")


def copies_check_if_match(one: World) -> bool:
    one.put()
    copy = {"Bucket": "src", "Key": "other", "CopySource": SOURCE}
    return outcome(one.s3.copy_object, **copy, IfMatch=WRONG) == (404, "NoSuchKey")


def upload_in_parts(one: World, numbers: tuple[int, ...] = (1,), **condition: str) -> tuple[int, str]:
    where = {"Bucket": "plain", "Key": "k"}
    upload = one.s3.create_multipart_upload(**where)["UploadId"]
    etag = one.s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"x" * 5_242_880)["ETag"]
    one.s3.upload_part(**where, UploadId=upload, PartNumber=2, Body=b"x" * 5_242_880)
    parts = {"Parts": [{"PartNumber": number, "ETag": etag} for number in numbers]}
    return outcome(
        one.s3.complete_multipart_upload, **where, UploadId=upload, MultipartUpload=parts, **condition
    )


def completions_check_if_match(one: World) -> bool:
    one.put("k", "plain")
    return upload_in_parts(one, IfMatch=WRONG) == (412, "PreconditionFailed")


def parts_are_in_order(one: World) -> bool:
    return upload_in_parts(one, (2, 1)) == (400, "InvalidPartOrder")


def an_unknown_upload_is_not_found(one: World) -> bool:
    part = {"Bucket": "plain", "Key": "k", "UploadId": "unknown", "PartNumber": 1, "Body": b""}
    return outcome(one.s3.upload_part, **part) == (404, "NoSuchUpload")


def a_completion_without_versioning_has_no_version(one: World) -> bool:
    where = {"Bucket": "plain", "Key": "k"}
    upload = one.s3.create_multipart_upload(**where)["UploadId"]
    etag = one.s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    return "VersionId" not in one.s3.complete_multipart_upload(
        **where, UploadId=upload, MultipartUpload=parts
    )


def one_of_two_racing_creators_wins(one: World) -> bool:
    both_looked = threading.Barrier(2)
    look = S3Backend.get_object

    def slow_look(*args: Any, **kwargs: Any) -> Any:
        found = look(*args, **kwargs)
        with suppress(threading.BrokenBarrierError):
            both_looked.wait(0.05)
        return found

    def create(number: int) -> tuple[int, str]:
        return outcome(one.s3.put_object, Bucket="plain", Key="k", Body=bytes(number), IfNoneMatch="*")

    one.patches.replace(S3Backend, "get_object", slow_look)
    with ThreadPoolExecutor(2) as threads:
        return sorted(threads.map(create, range(2))) == [(200, ""), (412, "PreconditionFailed")]


def what_a_reader_found_is_read_though_it_is_overwritten(one: World) -> bool:
    look, busy = S3Backend.get_object, threading.Lock()

    def overtaken(*args: Any, **kwargs: Any) -> Any:
        found = look(*args, **kwargs)
        if busy.acquire(blocking=False):
            one.s3.put_object(Bucket="plain", Key="k", Body=b"new")
            busy.release()
        return found

    one.s3.put_object(Bucket="plain", Key="k", Body=b"old")
    one.patches.replace(S3Backend, "get_object", overtaken)
    try:
        read = one.s3.get_object(Bucket="plain", Key="k")
    except ValueError:
        return False
    return bool(read["ETag"] == f'"{hashlib.md5(read["Body"].read()).hexdigest()}"')


def any_object_can_be_the_condition_of_a_delete(one: World) -> bool:
    one.put("k", "plain")
    return outcome(one.s3.delete_object, Bucket="plain", Key="k", IfMatch="*") == (204, "")


def each_of_several_deletes_has_its_condition(one: World) -> bool:
    one.put("k", "plain")
    wanted = {"Objects": [{"Key": "k", "ETag": WRONG}]}
    answer = one.s3.delete_objects(Bucket="plain", Delete=wanted)
    return [error["Code"] for error in answer.get("Errors", [])] == ["PreconditionFailed"]


def quiet_deletes_name_errors_alone(one: World) -> bool:
    one.put("k", "plain")
    wanted = {"Objects": [{"Key": "k"}], "Quiet": True}
    return not one.s3.delete_objects(Bucket="plain", Delete=wanted).get("Deleted")


def a_deleted_delete_marker_is_called_one(one: World) -> bool:
    one.put()
    marker = one.s3.delete_object(Bucket="src", Key="k")["VersionId"]
    answer = one.s3.delete_object(Bucket="src", Key="k", VersionId=marker)
    return bool(answer.get("DeleteMarker") is True)


def reading_a_delete_marker_is_not_allowed(one: World) -> bool:
    one.put()
    marker = one.s3.delete_object(Bucket="src", Key="k")["VersionId"]
    return outcome(one.s3.get_object, Bucket="src", Key="k", VersionId=marker) == (405, "MethodNotAllowed")


def deleting_a_missing_key_leaves_a_delete_marker(one: World) -> bool:
    return bool(one.s3.delete_object(Bucket="src", Key="missing").get("DeleteMarker"))


def suspended_versioning_keeps_older_versions(one: World) -> bool:
    first = one.put()
    one.s3.put_bucket_versioning(Bucket="src", VersioningConfiguration={"Status": "Suspended"})
    one.s3.put_object(Bucket="src", Key="k", Body=b"null 1")
    one.s3.put_object(Bucket="src", Key="k", Body=b"null 2")
    one.s3.delete_object(Bucket="src", Key="k")
    kept = (
        one.s3.get_object(Bucket="src", Key="k", VersionId=first)["Body"].read()
        if one.versions("src")
        else b""
    )
    return (one.versions("src"), kept) == ([("k", first, False), ("k", "null", True)], b"body")


def sources_of_copies_must_match(one: World) -> bool:
    one.put()
    copy = {"Bucket": "src", "Key": "other", "CopySource": SOURCE}
    return outcome(one.s3.copy_object, **copy, CopySourceIfMatch=WRONG) == (412, "PreconditionFailed")


def sources_of_copies_must_be_as_old_as_demanded(one: World) -> bool:
    one.put()
    copy = {"Bucket": "src", "Key": "other", "CopySource": SOURCE}
    past = datetime.now(UTC) - timedelta(days=1)
    return outcome(one.s3.copy_object, **copy, CopySourceIfUnmodifiedSince=past) == (
        412,
        "PreconditionFailed",
    )


def copying_a_delete_marker_is_a_bad_request(one: World) -> bool:
    one.put()
    marker = one.s3.delete_object(Bucket="src", Key="k")["VersionId"]
    source = {"Bucket": "src", "Key": "k", "VersionId": marker}
    return outcome(one.s3.copy_object, Bucket="src", Key="o", CopySource=source) == (400, "InvalidRequest")


def part_copy(one: World, key: str, **fields: str) -> tuple[int, str]:
    one.put("k", "plain", Body=b"0123456789")
    upload = one.s3.create_multipart_upload(Bucket="plain", Key="o")["UploadId"]
    source = {"Bucket": "plain", "Key": key}
    where = {"Bucket": "plain", "Key": "o", "UploadId": upload, "PartNumber": 1}
    return outcome(one.s3.upload_part_copy, **where, CopySource=source, **fields)


def a_range_beyond_the_end_is_refused(one: World) -> bool:
    return part_copy(one, "k", CopySourceRange="bytes=5-10") == (400, "InvalidArgument")


def a_missing_source_of_a_part_has_an_error_code(one: World) -> bool:
    return part_copy(one, "none") == (404, "NoSuchKey")


def an_invalid_bucket_state_is_a_conflict(one: World) -> bool:
    lock = {"ObjectLockEnabled": "Enabled"}
    put = one.s3.put_object_lock_configuration
    return outcome(put, Bucket="plain", ObjectLockConfiguration=lock) == (409, "InvalidBucketState")


def multipart_copy_source(one: World) -> str:
    """Make src/parts of two parts of 5 MiB and 1 byte; return its ETag."""
    where = {"Bucket": "src", "Key": "parts"}
    upload = one.s3.create_multipart_upload(**where)["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ETag": one.s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=b"x" * size)["ETag"],
        }
        for number, size in ((1, 5 * 1024 * 1024), (2, 1))
    ]
    done = one.s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    return str(done["ETag"])


def a_part_is_headed_with_the_etag_of_its_object(one: World) -> bool:
    etag = multipart_copy_source(one)
    head = one.s3.head_object(Bucket="src", Key="parts", PartNumber=2)
    return (head["ETag"], head["ContentLength"], head["PartsCount"]) == (etag, 1, 2)


def a_part_is_read_by_its_number(one: World) -> bool:
    multipart_copy_source(one)
    return bool(one.s3.get_object(Bucket="src", Key="parts", PartNumber=2)["ContentLength"] == 1)


def a_copy_of_a_multipart_object_has_one_part(one: World) -> bool:
    multipart_copy_source(one)
    one.s3.copy_object(Bucket="src", Key="copy", CopySource="src/parts")
    head = one.s3.head_object(Bucket="src", Key="copy", PartNumber=1)
    return ("PartsCount" in head, head["ContentLength"]) == (False, 5 * 1024 * 1024 + 1)


def parts_of_archived_objects_are_not_copied(one: World) -> bool:
    one.put("frozen", StorageClass="GLACIER")
    upload = one.s3.create_multipart_upload(Bucket="src", Key="copy")["UploadId"]
    fields = {"Bucket": "src", "Key": "copy", "UploadId": upload, "PartNumber": 1, "CopySource": "src/frozen"}
    return outcome(one.s3.upload_part_copy, **fields)[0] == 403


def a_restore_takes_its_time(one: World) -> bool:
    one.put("frozen", StorageClass="GLACIER")
    one.s3.restore_object(Bucket="src", Key="frozen", RestoreRequest={"Days": 1})
    return bool(one.head("frozen")["Restore"] == 'ongoing-request="true"')


GAPS = [
    versions_are_encoded,
    a_carriage_return_in_a_key_survives_a_listing_of_versions,
    start_after_is_encoded,
    the_prefix_of_the_first_version_of_listings_is_encoded,
    a_page_has_a_thousand_keys_at_most,
    no_versions_asked_for_is_an_empty_page,
    versions_go_on_after_a_key_marker,
    versions_go_on_after_a_marker_that_was_deleted,
    copies_check_if_none_match,
    copies_check_if_match,
    completions_check_if_match,
    parts_are_in_order,
    an_unknown_upload_is_not_found,
    a_completion_without_versioning_has_no_version,
    one_of_two_racing_creators_wins,
    what_a_reader_found_is_read_though_it_is_overwritten,
    any_object_can_be_the_condition_of_a_delete,
    each_of_several_deletes_has_its_condition,
    quiet_deletes_name_errors_alone,
    a_deleted_delete_marker_is_called_one,
    reading_a_delete_marker_is_not_allowed,
    deleting_a_missing_key_leaves_a_delete_marker,
    suspended_versioning_keeps_older_versions,
    sources_of_copies_must_match,
    sources_of_copies_must_be_as_old_as_demanded,
    copying_a_delete_marker_is_a_bad_request,
    a_range_beyond_the_end_is_refused,
    a_missing_source_of_a_part_has_an_error_code,
    an_invalid_bucket_state_is_a_conflict,
    a_part_is_headed_with_the_etag_of_its_object,
    a_part_is_read_by_its_number,
    a_copy_of_a_multipart_object_has_one_part,
    parts_of_archived_objects_are_not_copied,
    a_restore_takes_its_time,
]
NAMES = [gap.__name__ for gap in GAPS]


@pytest.mark.parametrize("holds", GAPS, ids=NAMES)
def test_with_our_patches(holds: Callable[[World], bool]) -> None:
    with cloud(patched=True) as patched:
        assert holds(patched)


@pytest.mark.parametrize("holds", GAPS, ids=NAMES)
def test_moto_itself_does_not_yet(holds: Callable[[World], bool]) -> None:
    with cloud(patched=False) as bare:
        assert not holds(bare), "moto does so by itself now: take our patch away"
