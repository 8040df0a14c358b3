"""Multipart uploads: the order of parts, uploads that do not exist, no version id without versioning.

Contract: S3 API reference, CompleteMultipartUpload and UploadPart (InvalidPartOrder, NoSuchUpload).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.s3.exceptions import InvalidPartOrder, NoSuchUpload
from moto.s3.models import MultipartDict
from moto.s3.responses import S3Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcloud.patching import Patches


def install(patches: Patches) -> None:
    """Answer as documented until the patches are undone."""

    def parts(response: Any, body: bytes) -> Iterator[tuple[int, str]]:
        before = 0
        for number, etag in original_parts(response, body):
            if number <= before:
                raise InvalidPartOrder
            before = number
            yield number, etag

    def post(response: Any, *args: Any) -> Any:
        status, headers, body = original_post(response, *args)
        if headers.get("x-amz-version-id") == "null":
            del headers["x-amz-version-id"]
        return status, headers, body

    def upload(uploads: Any, upload_id: str) -> Any:
        try:
            return original_upload(uploads, upload_id)
        except KeyError:
            raise NoSuchUpload(upload_id=upload_id) from None

    original_upload = patches.replace(MultipartDict, "__getitem__", upload)
    original_parts = patches.replace(S3Response, "_complete_multipart_body", parts)
    original_post = patches.replace(S3Response, "_key_response_post", post)
