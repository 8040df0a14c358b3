"""A copy in parts that is continued, repeated, made twice at once, and died at every write."""

from __future__ import annotations

from typing import Any

import pytest

from tests import large_scenarios
from tests.large_objects import (
    MANY_TAGS,
    SIZES,
    Deaths,
    Died,
    assert_copied,
    copier,
    counting,
    upload,
    uploads,
)

# Three notes, the upload, four parts, the completion, and the last note; tags that fit no header are one more.
WRITES_OF_A_COPY = 10


def test_a_copy_that_stands_is_not_made_again(s3: Any) -> None:
    item, counts = upload(s3, "key", SIZES), dict[str, int]()
    copier(s3).copy(item)
    assert copier(counting(s3, counts)).copy(item) == ("Succeeded", "copied before: 890 bytes")
    assert "upload_part_copy" not in counts


@pytest.mark.parametrize("deleted", [False, True])
def test_a_copy_that_was_overwritten_or_deleted_is_made_again(s3: Any, deleted: bool) -> None:
    item = upload(s3, "key", SIZES)
    copier(s3).copy(item)
    if deleted:
        s3.delete_object(Bucket="destination", Key="key")
    else:
        s3.put_object(Bucket="destination", Key="key", Body=b"x" * 890)
    assert copier(s3).copy(item).text.startswith("copied 890 bytes")
    assert_copied(s3, "key")


def test_what_another_wrote_at_the_destination_is_never_taken_for_the_copy(s3: Any) -> None:
    item = upload(s3, "key", SIZES, Metadata={"new": "1"})
    s3.put_object(
        Bucket="destination", Key="key", Body=s3.get_object(Bucket="source", Key="key")["Body"].read()
    )
    assert copier(s3).copy(item).text.startswith("copied 890 bytes")
    assert_copied(s3, "key")


def test_out_of_time_the_next_call_copies_only_what_is_missing(s3: Any) -> None:
    item, counts, texts = upload(s3, "key", [100] * 10), dict[str, int](), []
    for calls in range(1, 20):
        left = iter([900.0] * (calls + 1) + [0.0] * 30)
        outcome = copier(counting(s3, counts), remaining=left.__next__, streams=1).copy(item)
        if outcome.code == "Succeeded":
            break
        assert outcome.code == "TemporaryFailure"
        assert len(uploads(s3)) == 1
        texts.append(outcome.text)
    assert texts[0] == "OutOfTime: 1 of 10 parts are there; the next call goes on"
    assert len(texts) > 2
    assert_copied(s3, "key")
    assert (counts["upload_part_copy"], counts["create_multipart_upload"]) == (10, 1)


def test_a_part_of_another_size_is_copied_again(s3: Any) -> None:
    item = upload(s3, "key", [100] * 4)
    copier(s3, remaining=lambda: 0).copy(item)
    s3.upload_part(Bucket="destination", Key="key", UploadId=uploads(s3)[0], PartNumber=2, Body=b"short")
    assert copier(s3).copy(item).code == "Succeeded"
    assert_copied(s3, "key")


def test_an_upload_that_vanished_is_begun_anew(s3: Any) -> None:
    item = upload(s3, "key", SIZES)
    copier(s3, remaining=lambda: 0).copy(item)
    s3.abort_multipart_upload(Bucket="destination", Key="key", UploadId=uploads(s3)[0])
    assert copier(s3).copy(item).code == "Succeeded"
    assert_copied(s3, "key")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("at", "tags"),
    [(at, tags) for tags in (False, True) for at in range(1, WRITES_OF_A_COPY + tags + 1)],
)
def test_a_death_at_any_write_leaves_one_object_and_no_upload(
    s3: Any, at: int, after: bool, tags: bool
) -> None:
    s3.put_bucket_versioning(Bucket="destination", VersioningConfiguration={"Status": "Enabled"})
    item = upload(s3, "key", SIZES, Metadata={"a": "b"})
    if tags:
        s3.put_object_tagging(Bucket="source", Key="key", Tagging={"TagSet": MANY_TAGS})
    with pytest.raises(Died):
        copier(Deaths(at, after).of(s3), streams=1).copy(item)
    assert copier(s3).copy(item).code == "Succeeded"
    assert_copied(s3, "key")
    assert s3.get_object_tagging(Bucket="destination", Key="key")["TagSet"] == (MANY_TAGS if tags else [])


@pytest.mark.parametrize("first", range(1, WRITES_OF_A_COPY + 1))
def test_deaths_in_a_row_leave_one_object_and_no_upload(s3: Any, first: int) -> None:
    item, died = upload(s3, "key", SIZES), 0
    for at in (2, first, 3, 2):
        try:
            copier(Deaths(at, after=True).of(s3), streams=1).copy(item)
        except Died:
            died += 1
    assert died >= 2
    assert copier(s3).copy(item).code == "Succeeded"
    assert_copied(s3, "key")


def test_uploads_of_others_to_the_key_are_left_alone(s3: Any) -> None:
    large_scenarios.uploads_of_others_to_the_key_are_left_alone(s3, "key", SIZES)


@pytest.mark.parametrize("created", [False, True])
def test_two_calls_at_once_make_one_object(s3: Any, created: bool) -> None:
    large_scenarios.two_calls_at_once_make_one_object(s3, "key", SIZES, created)
