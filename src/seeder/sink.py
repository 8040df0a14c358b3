"""A file of rows in S3, streamed into one multipart upload that other calls can continue.

What is streamed counts only once it stands in a whole part, or in the tail that a pause leaves behind: both are named
by the `Upload` document, so a call that died is as if it had not been.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder.errors import AlreadyExists, NotYetVisible, UnexpectedAnswer, code_of
from seeder.lake import objects
from seeder.lake.retry import Retry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PartTypeDef

SMALLEST_PART_BYTES = 8 * 1024 * 1024
PARTS_BEFORE_DOUBLING = 1250
MOST_PARTS = 10_000
UPLOADS_AT_ONCE = 2
NOTE_SECONDS = 20
CONFLICT = "ConditionalRequestConflict"
TAKEN = frozenset({CONFLICT, "PreconditionFailed"})
# The tag of what a pause leaves behind. Nothing deletes it, for a call may be repeated: a lifecycle rule expires it.
TEMPORARY = "seeder=temporary"


class Upload(BaseModel):
    """How far a file is: its parts and rows so far, the key of its tail, and its ETag once it is complete.

    `tails` begins the keys of its tails, "" stands for the file's own: where all is written once they stand elsewhere.
    """

    model_config = ConfigDict(frozen=True)

    bucket: str
    key: str
    tails: str = ""
    upload_id: str = ""
    parts: int = 0
    count: int = 0
    tail: str = ""
    etag: str = ""


def part_bytes(number: int) -> int:
    """Return the size of a part: 8 MiB, doubled every 1,250 parts, so that 10,000 parts hold 2.5 TB of rows."""
    return SMALLEST_PART_BYTES << (number - 1) // PARTS_BEFORE_DOUBLING


class Sink:
    """Takes rows for one file. Parts are uploaded by threads of its own; callers wait when those fall behind."""

    def __init__(self, s3: S3Client, upload: Upload) -> None:
        self._s3 = s3
        self._upload = upload
        self._rows = bytearray(_get(s3, upload.bucket, upload.tail) if upload.tail else b"")
        self._count = upload.count
        self._parts = upload.parts
        self._pool: ThreadPoolExecutor | None = None
        self._room = threading.BoundedSemaphore(UPLOADS_AT_ONCE)
        self._futures: list[Future[None]] = []

    @property
    def upload(self) -> Upload:
        """The upload, begun or not."""
        return self._upload

    @property
    def count(self) -> int:
        """The rows taken so far, those of earlier calls included."""
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether one part alone is left, for the rows taken already."""
        return self._parts >= MOST_PARTS - 1

    def write(self, rows: bytes, count: int) -> None:
        """Take rows, each ended by a line feed. Calls must be serialised. Raises what an upload raised."""
        self._rows += rows
        self._count += count
        if len(self._rows) >= part_bytes(self._parts + 1):
            self._store()

    def pause(self) -> Upload:
        """Store what was taken, so that another sink can go on from the document returned."""
        self._wait()
        tail = ""
        if self._rows:
            tail = f"{self._upload.tails or self._upload.key}.tail-{self._parts}-{self._count}"
            self._s3.put_object(
                Bucket=self._upload.bucket, Key=tail, Body=bytes(self._rows), Tagging=TEMPORARY
            )
        return self._document(tail)

    def finish(self) -> Upload:
        """Store the last part; return the document with which the file can be completed."""
        if self._rows:
            self._store()
        self._wait()
        return self._document("")

    def close(self) -> None:
        """End the threads, whatever they were doing."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _document(self, tail: str) -> Upload:
        update = {"parts": self._parts, "count": self._count, "tail": tail}
        return self._upload.model_copy(update=update)

    def _store(self) -> None:
        """Hand the rows to a thread as the next part."""
        if self._parts == MOST_PARTS:
            raise UnexpectedAnswer(
                f"s3://{self._upload.bucket}/{self._upload.key}: more than {MOST_PARTS} parts"
            )
        if not self._upload.upload_id:
            self._upload = self._begin()
        self._parts += 1
        body, self._rows = bytes(self._rows), bytearray()
        self._room.acquire()
        self._pool = self._pool or ThreadPoolExecutor(UPLOADS_AT_ONCE, "part")
        self._futures = [future for future in self._futures if not future.done() or future.result()]
        self._futures.append(self._pool.submit(self._put_part, self._parts, body))

    def _put_part(self, number: int, body: bytes) -> None:
        try:
            self._s3.upload_part(
                Bucket=self._upload.bucket,
                Key=self._upload.key,
                UploadId=self._upload.upload_id,
                PartNumber=number,
                Body=body,
            )
        finally:
            self._room.release()

    def _wait(self) -> None:
        for future in self._futures:
            future.result()
        self._futures = []

    def _begin(self) -> Upload:
        answer = self._s3.create_multipart_upload(
            Bucket=self._upload.bucket,
            Key=self._upload.key,
            ContentType="text/csv",
            ServerSideEncryption="AES256",
        )
        return self._upload.model_copy(update={"upload_id": answer["UploadId"]})


def note(s3: S3Client, bucket: str, key: str, body: bytes) -> None:
    """Write an object once; what an earlier call has written there stands.

    Raises Throttled or Undecided where S3 decides nothing for 20 seconds, AccessDenied, UnexpectedAnswer.
    """
    with suppress(AlreadyExists):
        objects.create(s3, bucket, key, body, retry=Retry(deadline_seconds=NOTE_SECONDS))


def complete(s3: S3Client, upload: Upload) -> Upload:
    """Make the file of a finished sink; can be repeated. A file without rows is not made.

    Raises NotYetVisible while another call makes it, UnexpectedAnswer, ClientError.
    """
    if not upload.parts:
        return upload
    try:
        etag = s3.complete_multipart_upload(
            Bucket=upload.bucket,
            Key=upload.key,
            UploadId=upload.upload_id,
            MultipartUpload={"Parts": _parts(s3, upload)},  # type: ignore[typeddict-item]
            IfNoneMatch="*",
        )["ETag"]
    except ClientError as error:
        if code_of(error) not in {"NoSuchUpload", *TAKEN}:
            raise
        etag = _etag_after(s3, upload, error)
    return upload.model_copy(update={"etag": etag})


def _etag_after(s3: S3Client, upload: Upload, refusal: ClientError) -> str:
    """Return the ETag of the file that stands there, as S3's refusal to make it says, if it was decided."""
    try:
        return s3.head_object(Bucket=upload.bucket, Key=upload.key)["ETag"]
    except ClientError as error:
        if code_of(error) == "404" and code_of(refusal) == CONFLICT:
            raise NotYetVisible(f"another call makes s3://{upload.bucket}/{upload.key}") from refusal
        raise


def abandon(s3: S3Client, upload: Upload) -> None:
    """Give up an unfinished file, so that its parts cost nothing more. Can be repeated."""
    if not upload.upload_id or upload.etag:
        return
    try:
        s3.abort_multipart_upload(Bucket=upload.bucket, Key=upload.key, UploadId=upload.upload_id)
    except ClientError as error:
        if code_of(error) != "NoSuchUpload":
            raise


def abandon_all(s3: S3Client, bucket: str, prefix: str) -> None:
    """Give up all unfinished files below a prefix, those too that a call has begun which died. Can be repeated."""
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
    for upload in [item for page in pages for item in page.get("Uploads", [])]:
        abandon(s3, Upload(bucket=bucket, key=upload["Key"], upload_id=upload["UploadId"]))


def _get(s3: S3Client, bucket: str, key: str) -> bytes:
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def _parts(s3: S3Client, upload: Upload) -> list[dict[str, object]]:
    """The parts that count; a call that died may have left more, or others that were stored again.

    S3 lists the last part of a number alone; a server that lists them all is read as S3 would answer.
    """
    listing = s3.get_paginator("list_parts").paginate(
        Bucket=upload.bucket, Key=upload.key, UploadId=upload.upload_id
    )
    newest: dict[int, PartTypeDef] = {}
    for part in (part for page in listing for part in page.get("Parts", [])):
        before = newest.setdefault(part["PartNumber"], part)
        if part["LastModified"] > before["LastModified"]:
            newest[part["PartNumber"]] = part
        elif part["LastModified"] == before["LastModified"] and part["ETag"] != before["ETag"]:
            raise UnexpectedAnswer(
                f"s3://{upload.bucket}/{upload.key}: two parts {part['PartNumber']} are equally new; run again"
            )
    parts = [newest[number] for number in sorted(newest) if number <= upload.parts]
    if len(parts) != upload.parts:
        raise UnexpectedAnswer(
            f"s3://{upload.bucket}/{upload.key}: {len(parts)} parts of {upload.parts} are there"
        )
    return [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]
