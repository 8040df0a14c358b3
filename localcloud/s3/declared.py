"""Objects put by their size: of any number of bytes, without the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends
from moto.s3.utils import CaseInsensitiveDict

from localcloud import replication
from localcloud.s3.content import Content
from localcloud.s3.copies import MAX_BYTES, MAX_PARTS
from localcloud.s3.locks import writing

if TYPE_CHECKING:
    from collections.abc import Mapping

_MIB = 1024 * 1024
_PART = 1024 * _MIB


def declare_object(
    bucket: str,
    key: str,
    size: int,
    *,
    storage_class: str | None = None,
    metadata: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    part_size: int | None = None,
    seed: str | None = None,
) -> str:
    """Put an object of `size` bytes; return its version id, "null" where there are no versions.

    It behaves as if its bytes had been uploaded in parts of `part_size` bytes, or without one in a single put;
    more than 5 GiB always come in parts. The bytes are `Content.of(seed or key, size)`, for comparisons: the same
    seed gives the same bytes, from the start on. `metadata` is the user's own, without `x-amz-meta-`.

    Raises ValueError for a size or part size that S3 does not take, S3ClientError as PutObject answers.
    """
    if size > MAX_BYTES and part_size is None:
        part_size = min(max(_PART, -(-size // (MAX_PARTS * _MIB)) * _MIB), MAX_BYTES)
    _check(size, part_size)
    place = s3_backends.bucket_accounts.get(bucket)
    if place is None:
        raise MissingBucket(bucket=bucket)
    backend = s3_backends[place[1]][place[0]]
    content = Content.of(key if seed is None else seed, size)
    user = CaseInsensitiveDict(
        {f"x-amz-meta-{name.lower()}": text for name, text in (metadata or {}).items()}
    )
    acl = backend.get_bucket(bucket).acl
    with writing(bucket, key):
        if part_size is not None:
            upload = backend.create_multipart_upload(bucket, key, user, storage_class, tags, acl, None, None)
            parts = [content[start : start + part_size] for start in range(0, max(size, 1), part_size)]
            etags = [(number, upload.set_part(number, part).etag) for number, part in enumerate(parts, 1)]
            return str(backend.complete_multipart_upload(bucket, upload.id, iter(etags)).version_id)
        version = backend.put_object(bucket, key, content, storage=storage_class)
        version.set_metadata(user)
        version.set_acl(acl)
        backend.put_object_tagging(version, tags)
    replication.written(bucket, key, str(version.version_id))
    return str(version.version_id)


def _check(size: int, part_size: int | None) -> None:
    if size < 0:
        raise ValueError(f"size is {size}; give a number of bytes from 0")
    if part_size is None:
        return
    if not 1 <= part_size <= MAX_BYTES:
        raise ValueError(f"part_size is {part_size}; give a number of bytes from 1 to {MAX_BYTES}")
    if size > part_size * MAX_PARTS:
        raise ValueError(
            f"size is {size}; {MAX_PARTS} parts of {part_size} bytes hold {part_size * MAX_PARTS}"
        )
