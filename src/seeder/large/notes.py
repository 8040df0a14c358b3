"""What is noted of each large object of a run: `runs/<run id>/large/<sha256 of key and version>.json`.

Notes are swapped by conditional writes alone (S3 User Guide, "How to prevent object overwrites with conditional
writes"), so that of two calls at the same object one knows that it came second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder.errors import SeederError, code_of
from seeder.sink import TAKEN

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Later(SeederError):
    """What did not come to its end and can be tried again: `code: why`."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


class Item(NamedTuple):
    """An object to copy; `version_id` is "" for the current one."""

    bucket: str
    key: str
    version_id: str = ""


class Note(BaseModel):
    """How far the copy of one object is.

    `begun`: an upload may have been created, its id is not known; `others` are the uploads that were there before.
    `copying`: parts are copied to `upload_id`. `completing`: all are there; `copied_etag` is what the copy will have.
    `done`: the copy stood at the destination with `copied_etag`. `failed`: the upload is aborted, `reason` says why.

    `etag`, `size` (bytes) and `modified` (ISO 8601) are the source's. `parts` are packed (bytes, how many in a row).
    `tags_later` tells that the tags don't fit a header and are put once the object is there.
    """

    model_config = ConfigDict(frozen=True)

    state: Literal["begun", "copying", "completing", "done", "failed"]
    bucket: str
    key: str
    version_id: str
    destination: str
    region: str
    etag: str
    size: int
    modified: str
    parts: list[tuple[int, int]]
    others: list[str] = []
    tags_later: bool = False
    upload_id: str = ""
    copied_etag: str = ""
    reason: str = ""

    @property
    def item(self) -> Item:
        """The object that is copied."""
        return Item(self.bucket, self.key, self.version_id)


class Noted(NamedTuple):
    """A note as it stands, and the ETag with which it can be swapped; neither where there is none."""

    note: Note | None = None
    mark: str = ""


class Notes:
    """The notes of one run."""

    def __init__(self, s3: S3Client, bucket: str, run_id: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._folder = f"runs/{run_id}/large/"

    def keys(self) -> Iterator[str]:
        """Yield where notes stand."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._folder)
        for page in pages:
            yield from (entry["Key"] for entry in page.get("Contents", []))

    def load(self, item: Item) -> Noted:
        """Return the note of an object. Raises ClientError."""
        return self.read(self._key(item))

    def read(self, key: str) -> Noted:
        """Return the note that stands at a key. Raises ClientError."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if code_of(error) != "NoSuchKey":
                raise
            return Noted()
        return Noted(Note.model_validate_json(answer["Body"].read()), answer["ETag"])

    def swap(self, before: Noted, note: Note) -> Noted:
        """Write a note in place of the one before. Raises Later where another call did so first, ClientError.

        A note that stands there already is a success: the answer of an earlier attempt was lost.
        """
        key, body = self._key(note.item), note.model_dump_json().encode()
        condition = {"IfMatch": before.mark} if before.mark else {"IfNoneMatch": "*"}
        try:
            answer = self._s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                **condition,  # type: ignore[arg-type]  # the stubs want each name told apart
            )
        except ClientError as error:
            if code_of(error) not in {*TAKEN, "NoSuchKey"}:
                raise
            noted = self.read(key)
            if noted.note != note:
                raise Later("Conflict", "another call copies this object too") from error
            return noted
        return Noted(note, answer["ETag"])

    def _key(self, item: Item) -> str:
        identity = f"{item.key}\0{item.version_id}".encode()
        return f"{self._folder}{hashlib.sha256(identity).hexdigest()}.json"
