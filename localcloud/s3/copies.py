"""Sources of CopyObject and UploadPartCopy: conditions, delete markers, ranges.

moto knows x-amz-copy-source-if-none-match alone, does not tell a delete marker from a missing version, cuts a
range that is too long, answers 404 without an error code, copies any number of bytes, and parts of archived
objects.

Contract: S3 API reference, CopyObject and UploadPartCopy.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from moto.core.utils import str_to_rfc_1123_datetime
from moto.s3.exceptions import MissingKey, MissingVersion, PreconditionFailed, S3ClientError
from moto.s3.models import FakeDeleteMarker
from moto.s3.responses import S3Response

from localcloud.s3.conditions import same_etag
from localcloud.s3.restore import is_archived

if TYPE_CHECKING:
    from localcloud.patching import Patches

MAX_BYTES = 5 * 1024**3
"""The largest object or range that one copy takes."""

MAX_PARTS = 10_000

ARCHIVED_SOURCE = "InvalidObjectState"
"""Code for an archived source. Unconfirmed: the API reference of CopyObject says ObjectNotInActiveTierError."""

_ARCHIVED = "Operation is not valid for the source object's storage class"
_TOO_LARGE = "The specified copy source is larger than the maximum allowable size for a copy source: {}"
_PART_NUMBER = "Part number must be an integer between 1 and 10000, inclusive"
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_MARKER = "The source of a copy request may not specifically refer to a delete marker by version id."
_RANGE_FORM = (
    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
    "zero-based offsets of the first and last bytes to copy"
)


def install(patches: Patches) -> None:
    """Check the sources of copies until the patches are undone."""

    def copy_object(response: Any) -> Any:
        _check_size(_source(response).size)
        return original_copy(response)

    def upload_part_copy(response: Any) -> Any:
        _check_part(response)
        _check_range(response, _source(response))
        return original_part_copy(response)

    original_copy = patches.replace(S3Response, "copy_object", copy_object)
    original_part_copy = patches.replace(S3Response, "upload_part_copy", upload_part_copy)


def _source(response: Any) -> Any:
    """Return the version to copy. Raises S3ClientError where it is missing, a marker, or not as demanded."""
    header = response.headers["x-amz-copy-source"]
    parts = urlsplit(header.decode() if isinstance(header, bytes) else header)
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    version_id = parse_qs(parts.query).get("versionId", [None])[0]
    version = response.backend.get_object(bucket, key, version_id=version_id, return_delete_marker=True)
    if isinstance(version, FakeDeleteMarker) and version_id:
        raise S3ClientError("InvalidRequest", _MARKER)
    if version is None and version_id:
        raise MissingVersion
    if version is None or isinstance(version, FakeDeleteMarker):
        raise MissingKey(key=key)
    _check_conditions(response.headers, version)
    if is_archived(version):
        raise S3ClientError(ARCHIVED_SOURCE, _ARCHIVED)
    return version


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise S3ClientError("InvalidRequest", _TOO_LARGE.format(MAX_BYTES))


def _check_conditions(headers: Any, version: Any) -> None:
    """Where both kinds are given, the ETag decides over the date ("CopyObject", request headers)."""
    name = "x-amz-copy-source-if-{}".format
    match, none_match = headers.get(name("match")), headers.get(name("none-match"))
    since, until = headers.get(name("modified-since")), headers.get(name("unmodified-since"))
    modified = version.last_modified.replace(microsecond=0)
    if match:
        failed = not same_etag(match, version)
    else:
        failed = bool(until and modified > str_to_rfc_1123_datetime(until))
    if none_match:
        failed = failed or same_etag(none_match, version)
    elif since:
        failed = failed or modified <= str_to_rfc_1123_datetime(since)
    if failed:
        raise PreconditionFailed("x-amz-copy-source")


def _check_part(response: Any) -> None:
    if not 1 <= response._get_int_param("partNumber") <= MAX_PARTS:
        raise S3ClientError("InvalidArgument", _PART_NUMBER)


def _check_range(response: Any, version: Any) -> None:
    asked = response.headers.get("x-amz-copy-source-range")
    if not asked:
        _check_size(version.size)
        return
    found = _RANGE.fullmatch(asked)
    if not found or int(found[1]) > int(found[2]):
        raise S3ClientError("InvalidArgument", _RANGE_FORM)
    if int(found[2]) >= version.size:
        raise S3ClientError(
            "InvalidArgument", f"Range specified is not valid for source object of size: {version.size}"
        )
    _check_size(int(found[2]) - int(found[1]) + 1)
