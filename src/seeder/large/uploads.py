"""Multipart uploads at the destination: found, listed, aborted. All of it can be repeated.

Contract: S3 API reference, ListMultipartUploads, ListParts, AbortMultipartUpload.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from seeder.errors import UnexpectedAnswer, code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Parts under way when an upload is aborted may still arrive; it is to be aborted until none is left.
MOST_ABORTS = 5


def abort(s3: S3Client, bucket: str, key: str, upload_id: str) -> None:
    """Abort an upload, whether or not it is there. Raises UnexpectedAnswer if parts keep arriving, ClientError."""
    for _ in range(MOST_ABORTS):
        try:
            s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
            s3.list_parts(Bucket=bucket, Key=key, UploadId=upload_id, MaxParts=1)
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":
                raise
            return
    raise UnexpectedAnswer(f"s3://{bucket}/{key}: upload {upload_id} is there although it was aborted")


def of_key(s3: S3Client, bucket: str, key: str) -> list[Any]:
    """Return the unfinished uploads of exactly this key, as boto3 has them. Raises ClientError.

    One answer is enough: it is in the order of keys, and the key itself comes before those that begin with it.
    """
    answer = s3.list_multipart_uploads(Bucket=bucket, Prefix=key, EncodingType="url")
    decode = unquote_plus if answer.get("EncodingType") == "url" else str
    return [upload for upload in answer.get("Uploads", []) if decode(upload["Key"]) == key]


def abort_lost(s3: S3Client, bucket: str, key: str, known: Iterable[str], ours: Callable[[str], bool]) -> int:
    """Abort the uploads of a key whose ids are not known, if `ours` says so of who began them; return how many.

    Raises UnexpectedAnswer, ClientError.
    """
    lost = [
        upload["UploadId"]
        for upload in of_key(s3, bucket, key)
        if upload["UploadId"] not in known and ours(initiator(upload))
    ]
    for upload_id in lost:
        abort(s3, bucket, key, upload_id)
    return len(lost)


def initiator(upload: Any) -> str:
    """Return who began an upload: the ARN of a user or of a role's session; "" where the server does not say."""
    return str(upload.get("Initiator", {}).get("ID", ""))


def parts(s3: S3Client, bucket: str, key: str, upload_id: str) -> dict[int, Any]:
    """Return the parts that are there by number, as boto3 has them. Raises ClientError, of NoSuchUpload too."""
    pages = s3.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=upload_id)
    return {part["PartNumber"]: part for page in pages for part in page.get("Parts", [])}


def etag_of(parts_in_order: Sequence[Any]) -> str:
    """Return the ETag that these parts make, in quotes: the MD5 of their MD5s; "" if their ETags are no MD5s.

    S3 User Guide, "Checking object integrity" (part-level checksums). Used to know an object again, never as proof
    that one differs.
    """
    try:
        digests = b"".join(bytes.fromhex(part["ETag"].strip('"')) for part in parts_in_order)
    except ValueError:
        return ""
    return f'"{hashlib.md5(digests).hexdigest()}-{len(parts_in_order)}"'
