"""A copy in parts that is refused, for good or for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from seeder.large.notes import Item
from tests import large_scenarios
from tests.large_objects import (
    BOUNDS,
    SIZES,
    Watched,
    assert_copied,
    copier,
    counting,
    note,
    refusing,
    upload,
    uploads,
)


@pytest.mark.parametrize(
    "operation", ["create_multipart_upload", "upload_part_copy", "complete_multipart_upload", "head_object"]
)
def test_a_destination_that_denies_is_told_and_left_without_an_upload(s3: Any, operation: str) -> None:
    item = upload(s3, "key", SIZES)
    outcome = copier(refusing(s3, operation, "AccessDenied", 403), source_s3=s3).copy(item)
    assert outcome.code == "PermanentFailure"
    assert outcome.text.startswith("AccessDenied: ")
    assert uploads(s3) == []
    assert note(s3, item).reason == outcome.text
    assert copier(s3).copy(item).code == "Succeeded"


@pytest.mark.parametrize(
    ("item", "code"),
    [(Item("source", "missing"), "NoSuchKey: "), (Item("nowhere", "key"), "NoSuchBucket: ")],
)
def test_an_object_that_is_not_there_is_a_permanent_failure(s3: Any, item: Item, code: str) -> None:
    outcome = copier(s3).copy(item)
    assert (outcome.code, outcome.text[: len(code)]) == ("PermanentFailure", code)


def test_a_source_deleted_in_the_middle_leaves_no_upload(s3: Any) -> None:
    large_scenarios.a_source_deleted_in_the_middle_leaves_no_upload(s3, "key", SIZES)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("SlowDown", 503),
        ("InternalError", 500),
        ("RequestTimeout", 400),
        ("OperationAborted", 409),
        ("502", 502),
    ],
)
@pytest.mark.parametrize(
    "operation",
    ["create_multipart_upload", "upload_part_copy", "complete_multipart_upload", "head_object", "put_object"],
)
def test_what_passes_is_tried_again_and_goes_on(s3: Any, operation: str, code: str, status: int) -> None:
    item = upload(s3, "key", SIZES)
    one = copier(refusing(s3, operation, code, status))
    outcome = one.copy(item)
    assert (outcome.code, outcome.text.split(":")[0]) == ("TemporaryFailure", code)
    assert one.copy(item).code == "Succeeded"
    assert_copied(s3, "key")


def test_a_connection_that_breaks_is_a_temporary_failure(s3: Any) -> None:
    item = upload(s3, "key", SIZES)

    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        if name == "upload_part_copy":
            raise ConnectTimeoutError(endpoint_url="https://example.com")
        return original(**given)

    outcome = copier(Watched(s3, call)).copy(item)
    assert (outcome.code, outcome.text.split(":")[0]) == ("TemporaryFailure", "ServiceUnavailable")


def test_after_an_error_no_further_part_is_begun(s3: Any) -> None:
    item, counts = upload(s3, "key", [100] * 10), dict[str, int]()
    denied = refusing(counting(s3, counts), "upload_part_copy", "AccessDenied", 403)
    copier(denied, streams=1).copy(item)
    assert "upload_part_copy" not in counts


def test_an_object_no_upload_can_hold_is_refused(s3: Any) -> None:
    s3.put_object(Bucket="source", Key="key", Body=b"x" * 21)
    outcome = copier(s3, bounds=BOUNDS._replace(most=1)).copy(Item("source", "key"))
    assert (outcome.code, outcome.text[:15]) == ("PermanentFailure", "InvalidRequest:")
