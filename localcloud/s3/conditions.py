"""Conditional writes: If-Match and If-None-Match on the destination, checked and written in one step.

moto checks PutObject only (and If-None-Match of CompleteMultipartUpload), and lets two writers who race both
win.

Contract: S3 User Guide, "How to prevent object overwrites with conditional writes".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.s3.exceptions import MissingKey, PreconditionFailed, S3ClientError
from moto.s3.responses import S3Response

from localcloud.s3.locks import writing

if TYPE_CHECKING:
    from localcloud.patching import Patches

ONLY_ASTERISK = True
"""Whether If-None-Match with an ETag is refused (501): documented is `*` alone, the refusal unconfirmed."""


def install(patches: Patches) -> None:
    """Check the conditions of the three writing operations until the patches are undone."""
    for operation in ("put_object", "copy_object"):
        _guard(patches, operation)
    _guard_uploads(patches)


def _guard(patches: Patches, operation: str) -> None:
    def guarded(response: Any) -> Any:
        key = response.parse_key_name()
        with writing(response.bucket_name, key):
            _check(response, response.backend.get_object(response.bucket_name, key))
            return original(response)

    original = patches.replace(S3Response, operation, guarded)


def _guard_uploads(patches: Patches) -> None:
    def guarded(
        response: Any, request: Any, body: bytes, bucket: str, query: dict[str, Any], key: str
    ) -> Any:
        if "uploadId" not in query:
            return original(response, request, body, bucket, query, key)
        with writing(bucket, key):
            current = response.backend.get_object(bucket, key)
            if not _is_of_upload(current, query["uploadId"][0]):
                _check(response, current)
            return original(response, request, body, bucket, query, key)

    original = patches.replace(S3Response, "_key_response_post", guarded)


def _is_of_upload(version: Any, upload_id: str) -> bool:
    """Whether the upload was completed before, so that completing it again succeeds again."""
    return version is not None and version.multipart is not None and version.multipart.id == upload_id


def _check(response: Any, current: Any | None) -> None:
    none_match = response.headers.get("If-None-Match")
    if none_match and none_match != "*" and ONLY_ASTERISK:
        raise S3ClientError(
            "NotImplemented", "A header you provided implies functionality that is not implemented"
        )
    if none_match and current is not None:
        raise PreconditionFailed("If-None-Match")
    if if_match := response.headers.get("If-Match"):
        require_match(if_match, current)


def require_match(if_match: str, current: Any | None) -> None:
    """Raise MissingKey where there is no current version, PreconditionFailed where its ETag is another."""
    if current is None:
        raise MissingKey
    if not same_etag(if_match, current):
        raise PreconditionFailed("If-Match")


def same_etag(condition: str, version: Any) -> bool:
    """Whether a condition names the version's ETag, with or without its quotes."""
    return bool(condition.strip('"') == version.etag.strip('"'))
