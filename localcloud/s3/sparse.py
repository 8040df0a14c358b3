"""Contents that are described instead of stored, wherever moto holds the bytes of an object.

A version, or a part of an upload, keeps a `Content` in place of bytes. Copies, parts copied from it, completed
uploads and replicas are described in their turn, so that an object of any size costs nothing.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from moto.core import botocore_stubber
from moto.s3 import models, responses
from moto.s3.exceptions import EntityTooSmall, InvalidPart, MalformedXML, S3ClientError
from moto.s3.models import FakeKey, FakeMultipart, MultipartChecksumBuilder

from localcloud.s3.content import EXACT_BYTES, Content, ContentStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcloud.patching import Patches

_NO_CHECKSUM = f"The local cloud computes no checksum of declared content over {EXACT_BYTES} bytes"


def install(patches: Patches) -> None:
    """Let versions and parts hold a Content until the patches are undone."""

    def get_value(key: Any) -> Any:
        return key.__dict__.get("content") or original_value.fget(key)

    def set_value(key: Any, value: Any) -> None:
        if not isinstance(value, Content):
            key.__dict__.pop("content", None)
            original_value.fset(key, value)
            return
        key.content, key.contentsize = value, len(value)
        if key._etag is None:
            key._etag = value.md5()

    def complete(upload: Any, body: Iterator[tuple[int, str]]) -> Any:
        if not any("content" in part.__dict__ for part in upload.parts.values()):
            return original_complete(upload, body)
        return _complete(upload, body)

    def checksum(body: Any, *args: Any, **kwargs: Any) -> bytes:
        if isinstance(body, Content) and len(body) > EXACT_BYTES:
            raise S3ClientError("NotImplemented", _NO_CHECKSUM)
        return bytes(original_checksum(bytes(body), *args, **kwargs))

    def raw(body: Any) -> Any:
        return ContentStream(body) if isinstance(body, Content) else original_raw(body)

    original_value = patches.replace(FakeKey, "value", property(get_value, set_value))
    original_complete = patches.replace(FakeMultipart, "complete", complete)
    original_checksum = patches.replace(responses, "compute_checksum", checksum)
    original_raw = patches.replace(botocore_stubber, "MockRawResponse", raw)


def _complete(upload: Any, body: Iterator[tuple[int, str]]) -> tuple[Content, str, Any]:
    """Return content, ETag and checksum of an upload, as FakeMultipart.complete does."""
    parts: list[Any] = []
    for number, etag in body:
        part = upload.parts.get(number)
        if part is None or part.etag.strip('"') != etag.strip('"'):
            raise InvalidPart
        if parts and parts[-1].contentsize < models.S3_UPLOAD_PART_MIN_SIZE:
            raise EntityTooSmall
        parts.append(part)
    if not parts:
        raise MalformedXML
    digests = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
    etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
    content = Content.joined(part.value for part in parts)
    return content, etag, _checksum(upload, parts) if len(content) <= EXACT_BYTES else None


def _checksum(upload: Any, parts: list[Any]) -> Any:
    algorithm, kind = (upload.metadata.get(f"x-amz-checksum-{name}") for name in ("algorithm", "type"))
    builder = MultipartChecksumBuilder(algorithm, kind)
    for part in parts:
        builder.addPart(bytes(part.value))
    return builder.build()
