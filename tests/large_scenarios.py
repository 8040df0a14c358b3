"""What must hold of copies in parts on any S3; `sizes` are those of the source's parts, `given` is for the copier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.large_objects import Deaths, Died, Watched, assert_copied, copier, note, upload, uploads


def uploads_of_others_to_the_key_are_left_alone(s3: Any, key: str, sizes: list[int], **given: Any) -> None:
    other = s3.create_multipart_upload(Bucket="destination", Key=key)["UploadId"]
    longer = s3.create_multipart_upload(Bucket="destination", Key=f"{key}2")["UploadId"]
    item = upload(s3, key, sizes)
    with pytest.raises(Died):
        copier(Deaths(2, after=True).of(s3), **given).copy(item)
    assert len(uploads(s3)) == 3
    assert copier(s3, **given).copy(item).code == "Succeeded"
    assert sorted(uploads(s3)) == sorted([other, longer])
    for upload_id, name in ((other, key), (longer, f"{key}2")):
        s3.abort_multipart_upload(Bucket="destination", Key=name, UploadId=upload_id)


def two_calls_at_once_make_one_object(
    s3: Any, key: str, sizes: list[int], created: bool, **given: Any
) -> None:
    """The second call comes while the first has noted that it begins, and not yet its upload's id."""
    item, second = upload(s3, key, sizes), []

    def call(name: str, original: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        answer = original(**arguments) if created or name != "create_multipart_upload" else None
        if name == "create_multipart_upload":
            second.append(copier(s3, **given).copy(item))
        return answer or original(**arguments)

    first = copier(Watched(s3, call), **given).copy(item)
    assert [outcome.code for outcome in second] == ["Succeeded"]
    assert first == ("TemporaryFailure", "Conflict: another call copies this object too")
    assert copier(s3, **given).copy(item).text == f"copied before: {sum(sizes)} bytes"
    assert_copied(s3, key)


def a_source_deleted_in_the_middle_leaves_no_upload(
    s3: Any, key: str, sizes: list[int], **given: Any
) -> None:
    item = upload(s3, key, sizes)
    copier(s3, remaining=lambda: 0, **given).copy(item)
    s3.delete_object(Bucket="source", Key=key)
    assert copier(s3, **given).copy(item).code == "PermanentFailure"
    assert (uploads(s3), note(s3, item).state) == ([], "failed")
