"""An object store with the conditional calls of S3, and clients of it whose calls fail as their fates say."""

from __future__ import annotations

import hashlib
import io
import itertools
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple

from botocore.exceptions import ClientError, ReadTimeoutError

from seeder.lake.retry import Retry


class Died(Exception):
    """The caller's process ended."""


class Fate(Enum):
    """What becomes of one call. Reading calls know no difference between done and not done."""

    GOOD = "good"
    CONFLICT = "409, not done"
    SLOW_DOWN = "503, not done"
    FAILED = "500, but done"
    NO_ANSWER = "timeout, but done"
    IN_FLIGHT = "timeout, done later"
    REPEATED = "done, the answer lost, and made again by the client"
    DENIED = "403, not done"
    DENIED_AGAIN = "done, the answer lost, and 403 when made again by the client"
    DIES_BEFORE = "death before"
    DIES_AFTER = "death after"


WRITES = {"put_object", "delete_object", "complete_multipart_upload"}
WRITTEN_AT = datetime(2024, 1, 1, tzinfo=UTC)
DEATHS = {Fate.DIES_BEFORE, Fate.DIES_AFTER}


class Object(NamedTuple):
    body: bytes
    metadata: dict[str, str]
    content_type: str

    @property
    def etag(self) -> str:
        """Of the bytes alone, as S3's is without KMS: the same bytes have the same again."""
        return f'"{hashlib.md5(self.body).hexdigest()}"'


class Store:
    """One bucket without versions. It refuses what is not conditional; `history` holds each state of each key."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.history: list[tuple[str, Object | None]] = []
        self.in_flight: list[Callable[[], object]] = []
        self.uploads: dict[str, tuple[str, dict[str, str], str, dict[int, bytes]]] = {}
        self._upload_ids = itertools.count(1)

    def bodies(self, key: str) -> list[bytes | None]:
        return [entry and entry.body for name, entry in self.history if name == key]

    def land(self) -> None:
        """Let the oldest call arrive whose caller waits no more."""
        if self.in_flight:
            late = self.in_flight.pop(0)
            with suppress(ClientError):
                late()

    def get_object(self, Bucket: str, Key: str, IfMatch: str = "") -> dict[str, Any]:  # noqa: N803 - boto3's names
        if IfMatch:
            self._match(Key, IfMatch)
        held = self._held(Key)
        return {**self._head(held), "Body": io.BytesIO(held.body)}

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:
            raise error("404", 404)
        return self._head(self.objects[Key])

    def put_object(self, Bucket: str, Key: str, Body: bytes, **given: Any) -> dict[str, Any]:  # noqa: N803
        self._require_condition(Key, given)
        written = Object(Body, dict(given["Metadata"]), given["ContentType"])
        self._set(Key, written)
        return {"ETag": written.etag}

    def delete_object(self, Bucket: str, Key: str, IfMatch: str) -> dict[str, Any]:  # noqa: N803
        self._match(Key, IfMatch)
        self._set(Key, None)
        return {}

    def create_multipart_upload(self, Bucket: str, Key: str, **given: Any) -> dict[str, Any]:  # noqa: N803
        upload_id = f"upload-{next(self._upload_ids)}"
        self.uploads[upload_id] = (Key, dict(given["Metadata"]), given["ContentType"], {})
        return {"UploadId": upload_id}

    def upload_part(self, UploadId: str, PartNumber: int, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        self._upload(UploadId)[3][PartNumber] = Body
        return {"ETag": f'"{hashlib.md5(Body).hexdigest()}"'}

    def complete_multipart_upload(self, UploadId: str, **given: Any) -> dict[str, Any]:  # noqa: N803
        key, metadata, content_type, parts = self._upload(UploadId)
        self._require_condition(key, given)
        numbers = [part["PartNumber"] for part in given["MultipartUpload"]["Parts"]]
        assert numbers == sorted(parts)
        written = Object(b"".join(parts[number] for number in numbers), metadata, content_type)
        self._set(key, written)
        del self.uploads[UploadId]
        return {"ETag": written.etag}

    def abort_multipart_upload(self, UploadId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self._upload(UploadId)
        del self.uploads[UploadId]
        return {}

    def get_paginator(self, _: str) -> Store:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        found = [(key, held) for key, held in sorted(self.objects.items()) if key.startswith(Prefix)]
        return [
            {
                "Contents": [
                    {"Key": key, "Size": len(held.body), "ETag": held.etag, "LastModified": WRITTEN_AT}
                    for key, held in found
                ]
            }
        ]

    def _upload(self, upload_id: str) -> tuple[str, dict[str, str], str, dict[int, bytes]]:
        if upload_id not in self.uploads:
            raise error("NoSuchUpload", 404)
        return self.uploads[upload_id]

    def _require_condition(self, key: str, given: dict[str, Any]) -> None:
        if "IfMatch" in given:
            self._match(key, given["IfMatch"])
        elif given.get("IfNoneMatch") != "*":
            raise error("AccessDenied", 403)
        elif key in self.objects:
            raise error("PreconditionFailed", 412)

    def _set(self, key: str, value: Object | None) -> None:
        if value is None:
            del self.objects[key]
        else:
            self.objects[key] = value
        self.history.append((key, value))

    def _held(self, key: str) -> Object:
        if key not in self.objects:
            raise error("NoSuchKey", 404)
        return self.objects[key]

    def _match(self, key: str, etag: str) -> None:
        if self._held(key).etag != etag:
            raise error("PreconditionFailed", 412)

    def _head(self, held: Object) -> dict[str, Any]:
        return {
            "ETag": held.etag,
            "Metadata": dict(held.metadata),
            "ContentType": held.content_type,
            "ContentLength": len(held.body),
        }


def error(code: str, status: int, repeated: int = 0) -> ClientError:
    metadata = {"HTTPStatusCode": status, "RetryAttempts": repeated}
    document: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": metadata}
    return ClientError(document, "Operation")


class Client:
    """A client of the store that asks for the fate of each call; `calls` names those it was given."""

    def __init__(self, store: Store, fate: Callable[[str], Fate]) -> None:
        self._store, self._fate = store, fate
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        original = getattr(self._store, name)

        def call(*names: str, **given: Any) -> Any:
            self.calls.append(name)
            return self._meet(self._fate(name), lambda: original(*names, **given), name in WRITES)

        return call

    def _meet(self, fate: Fate, call: Callable[[], Any], is_write: bool) -> Any:
        if fate is Fate.DIES_BEFORE:
            raise Died
        if fate is Fate.CONFLICT and is_write:
            raise error("ConditionalRequestConflict", 409)
        if fate is Fate.DENIED:
            raise error("AccessDenied", 403)
        if fate is Fate.IN_FLIGHT and is_write:
            self._store.in_flight.append(call)
            raise ReadTimeoutError(endpoint_url="https://s3")
        if fate in {Fate.CONFLICT, Fate.SLOW_DOWN, Fate.IN_FLIGHT}:
            raise error("SlowDown", 503)
        answer = call()
        return self._lose(fate, call, is_write, answer)

    def _lose(self, fate: Fate, call: Callable[[], Any], is_write: bool, answer: Any) -> Any:
        if fate is Fate.DIES_AFTER:
            raise Died
        if fate is Fate.FAILED:
            raise error("InternalError", 500)
        if fate is Fate.NO_ANSWER:
            raise ReadTimeoutError(endpoint_url="https://s3")
        if fate is Fate.DENIED_AGAIN and is_write:
            raise error("AccessDenied", 403, repeated=1)
        if fate is Fate.REPEATED and is_write:
            try:
                return call()
            except ClientError as refusal:
                raise error(refusal.response["Error"]["Code"], 412, repeated=1) from refusal
        return answer


def scripted(store: Store, *fates: Fate | Callable[[], object]) -> Client:
    """Return a client whose calls meet these fates, then good ones; a function is what happens just before."""
    script = iter(fates)

    def fate(_: str) -> Fate:
        for each in script:
            if isinstance(each, Fate):
                return each
            each()
        return Fate.GOOD

    return Client(store, fate)


_IDS = itertools.count(1)


def timeless(deadline_seconds: float = 60) -> Retry:
    """Return how to retry with a clock that only sleeping moves, the longest waits, and ids that are counted."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        assert seconds >= 0
        now[0] += seconds

    return Retry(deadline_seconds, sleep, lambda: now[0], lambda low, high: high, lambda: f"id-{next(_IDS)}")
