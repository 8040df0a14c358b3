"""A source object in parts, buckets to copy it between, and clients that fail where a test wants it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from seeder.large.copier import Copier
from seeder.large.notes import Item, Note, Notes
from seeder.large.opening import Destination, Work
from seeder.large.plan import Bounds

BOUNDS = Bounds(least=100, most=1000, parts=20, usual=200)
RUN = "run"
SIZES = [300, 250, 300, 40]
MANY_TAGS = [{"Key": f"{number}", "Value": "é" * 250} for number in range(10)]
WRITES = frozenset(
    {
        "abort_multipart_upload",
        "complete_multipart_upload",
        "create_multipart_upload",
        "put_object",
        "put_object_tagging",
        "upload_part_copy",
    }
)


class Died(Exception):
    pass


class Deaths:
    """Ends the caller at the nth write that its clients make together, before or after it is carried out."""

    def __init__(self, at: int, after: bool) -> None:
        self._left, self._after, self._lock = at, after, threading.Lock()

    def of(self, s3: Any) -> Any:
        return Watched(s3, self._call)

    def _call(self, name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        if name not in WRITES:
            return original(**given)
        with self._lock:
            self._left -= 1
            mine = self._left == 0
        if mine and not self._after:
            raise Died(name)
        answer = original(**given)
        if mine:
            raise Died(name)
        return answer


class Watched:
    """An S3 client whose calls go through a function of a test: (name, call, arguments) → answer."""

    def __init__(self, s3: Any, call: Callable[[str, Callable[..., Any], dict[str, Any]], Any]) -> None:
        self._s3, self._call = s3, call

    def __getattr__(self, name: str) -> Any:
        original = getattr(self._s3, name)
        if name == "get_paginator" or not callable(original):
            return original
        return lambda **given: self._call(name, original, given)


def copier(
    s3: Any,
    source_s3: Any = None,
    state_s3: Any = None,
    remaining: Callable[[], float] = lambda: 900,
    **other: Any,
) -> Copier:
    """A copier from bucket `source` to bucket `destination` with its notes in bucket `state`."""
    settings: dict[str, Any] = {"bounds": BOUNDS, "streams": 4, **other}
    to = Destination(s3, "destination", "us-east-1")
    return Copier(Work(source_s3 or s3, to, Notes(state_s3 or s3, "state", RUN), remaining, **settings))


def upload(s3: Any, key: str, sizes: list[int], salt: int = 0, **given: Any) -> Item:
    """Write an object in parts of these sizes to bucket `source`."""
    upload_id = s3.create_multipart_upload(Bucket="source", Key=key, **given)["UploadId"]
    parts = []
    for number, size in enumerate(sizes, 1):
        body = bytes([(number + salt) % 256]) * size
        etag = s3.upload_part(Bucket="source", Key=key, UploadId=upload_id, PartNumber=number, Body=body)[
            "ETag"
        ]
        parts.append({"PartNumber": number, "ETag": etag})
    s3.complete_multipart_upload(
        Bucket="source", Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
    )
    return Item("source", key)


def assert_copied(s3: Any, key: str) -> None:
    """The destination holds the object once, equal to the source's, and no upload is left."""
    there, here = (s3.get_object(Bucket=bucket, Key=key) for bucket in ("source", "destination"))
    assert here["Body"].read() == there["Body"].read()
    assert here["ETag"] == there["ETag"]
    assert here["Metadata"] == there["Metadata"]
    assert len(s3.list_object_versions(Bucket="destination", Prefix=key).get("Versions", [])) == 1
    assert uploads(s3) == []


def uploads(s3: Any) -> list[str]:
    """The ids of unfinished uploads to the destination."""
    return [one["UploadId"] for one in s3.list_multipart_uploads(Bucket="destination").get("Uploads", [])]


def note(s3: Any, item: Item) -> Note:
    found = Notes(s3, "state", RUN).load(item).note
    assert found
    return found


def refusing(s3: Any, operation: str, code: str, status: int, times: int = 1) -> Any:
    """A client whose first calls of an operation are refused."""
    left, lock = [times], threading.Lock()

    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        with lock:
            struck = name == operation and left[0] > 0
            left[0] -= struck
        if struck:
            error: Any = {
                "Error": {"Code": code, "Message": "no"},
                "ResponseMetadata": {"HTTPStatusCode": status},
            }
            raise ClientError(error, operation)
        return original(**given)

    return Watched(s3, call)


def counting(s3: Any, counts: dict[str, int]) -> Any:
    def call(name: str, original: Callable[..., Any], given: dict[str, Any]) -> Any:
        counts[name] = counts.get(name, 0) + 1
        return original(**given)

    return Watched(s3, call)
