"""ListObjects, ListObjectsV2 and ListObjectVersions as AWS documents them.

moto leaves fields unencoded under encoding-type=url (control characters break the answer), knows no limit of
1,000 keys, skips an entry after a key marker, loses its place when a marker's version is deleted, lists delete
markers after all versions, and takes time and memory for a whole bucket on every page.

Contract: S3 API reference, the three operations; S3 User Guide, "Listing object keys programmatically".
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from moto import settings
from moto.core.responses import ActionResult
from moto.s3.exceptions import InvalidContinuationToken, S3ClientError
from moto.s3.models import OWNER, FakeDeleteMarker
from moto.s3.responses import S3Response

from localcloud.s3 import restore
from localcloud.s3.index import sorted_keys
from localcloud.s3.interleaving import MARKER, VERSION, interleaved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from localcloud.patching import Patches

MAX_KEYS = 1000

SPACE_AS_PLUS = True
"""Whether encoding-type=url writes a space as `+` or as `%20`. Unconfirmed: users' reports say `+`."""

_OWNER = {"ID": OWNER, "DisplayName": "webfile"}


def install(patches: Patches) -> None:
    """Answer the three operations until the patches are undone."""
    patches.replace(S3Response, "list_objects", _list_objects)
    patches.replace(S3Response, "list_objects_v2", _list_objects_v2)
    patches.replace(S3Response, "list_object_versions", _list_object_versions)


@dataclass
class _Request:
    """What all three operations are asked for."""

    prefix: str
    delimiter: str
    limit: int
    encode: Callable[[str], str]
    fields: dict[str, Any]
    """The members of the answer that repeat the question."""
    tells_restores: bool = False


@dataclass
class _Page:
    """What all three answer with."""

    versions: list[Any] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: tuple[str, str | None] = ("", None)
    """The last entry: a key and its version id, or a common prefix and None."""
    truncated: bool = False


def encode_key(name: str) -> str:
    """Return a name as encoding-type=url writes it."""
    return quote_plus(name, safe="/") if SPACE_AS_PLUS else quote(name)


def _read(response: Any, query: dict[str, Any]) -> _Request:
    prefix, delimiter = _one(query, "prefix"), _one(query, "delimiter")
    asked = int(_one(query, "max-keys") or settings.get_s3_default_max_keys())
    if asked < 0:
        raise S3ClientError("InvalidArgument", "maxKeys cannot be negative")
    encoding = _one(query, "encoding-type")
    encode = encode_key if encoding == "url" else str
    fields = {
        "Name": response.bucket_name,
        "Prefix": encode(prefix),
        "Delimiter": encode(delimiter) or None,
        "MaxKeys": asked,
        "EncodingType": encoding or None,
    }
    told = response.headers.get("x-amz-optional-object-attributes", "")
    return _Request(prefix, delimiter, min(asked, MAX_KEYS), encode, fields, "RestoreStatus" in told)


def _one(query: dict[str, Any], name: str) -> str:
    return str(query.get(name, [""])[0])


def _fill(request: _Request, entries: Iterator[Any], after: str) -> _Page:
    """Gather entries up to the limit; those sharing a common prefix count once, and not again once passed."""
    page = _Page()
    for version in entries:
        rolled_up = _common_prefix(version.name, request)
        if rolled_up and (rolled_up <= after or page.last == (rolled_up, None)):
            continue
        if len(page.versions) + len(page.prefixes) >= request.limit:
            page.truncated = request.limit > 0
            break
        if rolled_up:
            page.prefixes.append(rolled_up)
            page.last = (rolled_up, None)
        else:
            page.versions.append(version)
            page.last = (version.name, str(version.version_id))
    return page


def _common_prefix(key: str, request: _Request) -> str:
    if not request.delimiter:
        return ""
    end = key.find(request.delimiter, len(request.prefix))
    return "" if end < 0 else key[: end + len(request.delimiter)]


def _keys(bucket: Any, request: _Request, start: str, *, including: bool = False) -> Iterator[str]:
    """Yield the keys with the prefix that come after `start`, passing over those under one common prefix."""
    keys = sorted_keys(bucket.keys)
    bound = bisect_left if including else bisect_right
    place = max(bisect_left(keys, request.prefix), bound(keys, start) if start else 0)
    while place < len(keys) and keys[place].startswith(request.prefix):
        yield keys[place]
        place += 1


def _current(bucket: Any, request: _Request, after: str) -> Iterator[Any]:
    for key in _keys(bucket, request, after):
        version = bucket.keys.get(key)
        if version is not None and not isinstance(version, FakeDeleteMarker):
            yield version


def _list_objects_v2(response: Any) -> Any:
    query = response._get_querystring(response.request, response.uri)
    request = _read(response, query)
    after = _one(query, "start-after")
    token = _one(query, "continuation-token")
    if "continuation-token" in query:
        after = _decode_token(token)
    bucket = response.backend.get_bucket(response.bucket_name)
    page = _fill(request, _current(bucket, request, after), after)
    owner = {"Owner": _OWNER} if _one(query, "fetch-owner") == "true" else {}
    result = {
        **_answer(request, page, owner),
        "KeyCount": len(page.versions) + len(page.prefixes),
        "ContinuationToken": token or None,
        "NextContinuationToken": _encode_token(page.last[0]) if page.truncated else None,
        "StartAfter": request.encode(_one(query, "start-after")) or None,
    }
    return _serialized(response, "ListObjectsV2", result)


def _list_objects(response: Any) -> Any:
    query = response._get_querystring(response.request, response.uri)
    request = _read(response, query)
    after = _one(query, "marker")
    bucket = response.backend.get_bucket(response.bucket_name)
    page = _fill(request, _current(bucket, request, after), after)
    marked = page.truncated and request.delimiter
    result = {
        **_answer(request, page, {"Owner": _OWNER}),
        "Marker": request.encode(after),
        "NextMarker": request.encode(page.last[0]) if marked else None,
    }
    return _serialized(response, "ListObjects", result)


def _answer(request: _Request, page: _Page, owner: dict[str, Any]) -> dict[str, Any]:
    return {
        **request.fields,
        "IsTruncated": page.truncated,
        "Contents": [{**_object(request, version), **owner} for version in page.versions],
        "CommonPrefixes": [{"Prefix": request.encode(prefix)} for prefix in page.prefixes] or None,
    }


def _object(request: _Request, version: Any) -> dict[str, Any]:
    restored = restore.status(version) if request.tells_restores else None
    return {
        **({"RestoreStatus": restored} if restored else {}),
        "Key": request.encode(version.name),
        "LastModified": version.last_modified_ISO8601,
        "ETag": version.etag,
        "Size": version.size,
        "StorageClass": version.storage_class,
        "ChecksumAlgorithm": [version.checksum_algorithm] if version.checksum_algorithm else None,
    }


def _list_object_versions(response: Any) -> Any:
    query = response._get_querystring(response.request, response.uri)
    request = _read(response, query)
    key_marker, version_marker = _one(query, "key-marker"), _one(query, "version-id-marker")
    if version_marker and not key_marker:
        raise S3ClientError(
            "InvalidArgument", "A version-id marker cannot be specified without a key marker."
        )
    bucket = response.backend.get_bucket(response.bucket_name)
    page = _fill(request, _versions(bucket, request, key_marker, version_marker), key_marker)
    latest = {version.name: bucket.keys.get(version.name) for version in page.versions}
    entries = [(version, _version(request, version, latest[version.name])) for version in page.versions]
    result = {
        **request.fields,
        "IsTruncated": page.truncated,
        "KeyMarker": request.encode(key_marker),
        "VersionIdMarker": version_marker,
        "NextKeyMarker": request.encode(page.last[0]) if page.truncated else None,
        "NextVersionIdMarker": page.last[1] if page.truncated else None,
        "Versions": [
            {**entry, **_object(request, version)}
            for version, entry in entries
            if not isinstance(version, FakeDeleteMarker)
        ],
        "DeleteMarkers": [entry for version, entry in entries if isinstance(version, FakeDeleteMarker)],
        "CommonPrefixes": [{"Prefix": request.encode(prefix)} for prefix in page.prefixes] or None,
    }
    status, headers, body = _serialized(response, "ListObjectVersions", result)
    kinds = [MARKER if isinstance(version, FakeDeleteMarker) else VERSION for version in page.versions]
    return status, headers, interleaved(body, kinds)


def _version(request: _Request, version: Any, latest: Any) -> dict[str, Any]:
    return {
        "Key": request.encode(version.name),
        "VersionId": version.version_id,
        "IsLatest": version is latest,
        "LastModified": version.last_modified_ISO8601,
        "Owner": _OWNER,
    }


def _versions(bucket: Any, request: _Request, key_marker: str, version_marker: str) -> Iterator[Any]:
    """Yield versions by key, newest first, after the markers; a key whose marked version has gone starts anew."""
    for key in _keys(bucket, request, key_marker, including=bool(version_marker)):
        held = list(reversed(bucket.keys.getlist(key, [])))
        ids = [str(version.version_id) for version in held]
        seen = ids.index(version_marker) + 1 if key == key_marker and version_marker in ids else 0
        yield from held[seen:]


def _serialized(response: Any, action: str, result: dict[str, Any]) -> Any:
    response.data["Action"] = action
    present = {name: value for name, value in result.items() if value is not None}
    return response.serialized(ActionResult(present))


def _encode_token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _decode_token(token: str) -> str:
    try:
        name = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        raise InvalidContinuationToken from None
    if not name:
        raise InvalidContinuationToken
    return name
