"""The manifest of a run: rows of `bucket,key`, streamed into one multipart upload that can be continued.

Rows follow the S3 User Guide, "Create an S3 Batch Operations job" (keys URL-encoded, no header, no quotes). A raw
`+` is never written: AWS's own readers disagree on whether it is a space.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder.errors import UnexpectedAnswer, code_of
from seeder.listing.pages import Listed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_BYTES = 8 * 1024 * 1024
_TAKEN = frozenset({"ConditionalRequestConflict", "PreconditionFailed"})


class Progress(BaseModel):
    """How far a manifest is; all that the next call needs to go on. `etag` is set when it is done."""

    model_config = ConfigDict(frozen=True)

    bucket: str
    key: str
    upload_id: str = ""
    parts: int = 0
    count: int = 0
    after: str = ""
    done: bool = False
    etag: str = ""


def encode_key(key: str) -> str:
    """Return a key as a manifest holds it: percent-encoded UTF-8, `/` left as it is."""
    return quote(key, safe="/")


def encode_rows(bucket: str, page: Iterable[Listed]) -> bytes:
    """Return the rows of a page, each ended by a line feed."""
    return "".join(f"{bucket},{encode_key(listed.key)}\n" for listed in page).encode("ascii")


def write(
    s3: S3Client,
    progress: Progress,
    source: str,
    pages: Iterable[list[Listed]],
    out_of_time: Callable[[], bool] = lambda: False,
) -> Progress:
    """Write rows for `pages`, which begin after `progress.after`, until they end or time is out.

    Only whole parts count as progress: what was listed after the last one is listed again by the next call. A
    call that has not stored a part goes on in any case, so each call gets further. Nothing is created for an
    empty bucket. Raises UnexpectedAnswer, ClientError.
    """
    finished = _finished(s3, progress)
    if finished is not None:
        return finished
    rows, listed, last = bytearray(), 0, progress.after
    start = progress
    for page in pages:
        if page:
            rows += encode_rows(source, page)
            listed, last = listed + len(page), page[-1].key
        if len(rows) >= PART_BYTES:
            progress = _store(s3, progress, rows, listed, last)
            rows, listed = bytearray(), 0
        if out_of_time() and progress is not start:
            return progress
    if rows:
        progress = _store(s3, progress, rows, listed, last)
    return _complete(s3, progress)


def abandon(s3: S3Client, progress: Progress) -> None:
    """Give up an unfinished manifest, so that its parts cost nothing more. Can be repeated."""
    if progress.upload_id and not progress.done:
        try:
            s3.abort_multipart_upload(Bucket=progress.bucket, Key=progress.key, UploadId=progress.upload_id)
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":
                raise


def _store(s3: S3Client, progress: Progress, rows: bytearray, listed: int, last: str) -> Progress:
    upload_id = progress.upload_id
    if not upload_id:
        answer = s3.create_multipart_upload(
            Bucket=progress.bucket,
            Key=progress.key,
            ContentType="text/csv",
            ServerSideEncryption="AES256",
        )
        upload_id = answer["UploadId"]
    number = progress.parts + 1
    s3.upload_part(
        Bucket=progress.bucket, Key=progress.key, UploadId=upload_id, PartNumber=number, Body=bytes(rows)
    )
    return progress.model_copy(
        update={
            "upload_id": upload_id,
            "parts": number,
            "count": progress.count + listed,
            "after": last,
        }
    )


def _complete(s3: S3Client, progress: Progress) -> Progress:
    """Note what the manifest will be, then make it: whoever dies in between is finished by `_finished`."""
    if not progress.parts:
        return progress.model_copy(update={"done": True})
    try:
        s3.put_object(
            Bucket=progress.bucket,
            Key=_note_key(progress),
            Body=progress.model_dump_json().encode(),
            ContentType="application/json",
            IfNoneMatch="*",
        )
    except ClientError as error:
        if code_of(error) not in _TAKEN:
            raise
    finished = _finished(s3, progress)
    if finished is None:
        raise UnexpectedAnswer(f"s3://{progress.bucket}/{_note_key(progress)} was written but is not there")
    return finished


def _finished(s3: S3Client, progress: Progress) -> Progress | None:
    """Return the finished manifest if its note exists, completing the upload if that is still to be done."""
    try:
        body = s3.get_object(Bucket=progress.bucket, Key=_note_key(progress))["Body"].read()
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey"}:
            return None
        raise
    noted = Progress.model_validate(json.loads(body))
    try:
        etag = s3.complete_multipart_upload(
            Bucket=noted.bucket,
            Key=noted.key,
            UploadId=noted.upload_id,
            MultipartUpload={"Parts": _parts(s3, noted)},  # type: ignore[typeddict-item]
            IfNoneMatch="*",
        )["ETag"]
    except ClientError as error:
        if code_of(error) not in {"NoSuchUpload", *_TAKEN}:
            raise
        etag = s3.head_object(Bucket=noted.bucket, Key=noted.key)["ETag"]
    return noted.model_copy(update={"done": True, "etag": etag})


def _note_key(progress: Progress) -> str:
    return progress.key.removesuffix(".csv") + ".json"


def _parts(s3: S3Client, progress: Progress) -> list[dict[str, object]]:
    """The parts that count; a call that died may have left more, or others that were stored again."""
    listing = s3.get_paginator("list_parts").paginate(
        Bucket=progress.bucket, Key=progress.key, UploadId=progress.upload_id
    )
    parts = [
        {"PartNumber": part["PartNumber"], "ETag": part["ETag"]}
        for page in listing
        for part in page.get("Parts", [])
        if part["PartNumber"] <= progress.parts
    ]
    if len(parts) != progress.parts:
        raise UnexpectedAnswer(
            f"s3://{progress.bucket}/{progress.key}: {len(parts)} parts of {progress.parts} are there"
        )
    return parts
