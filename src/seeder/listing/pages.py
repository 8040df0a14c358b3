"""Pages of ListObjectsV2, in the order of the keys' UTF-8 bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from seeder.errors import UnexpectedAnswer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Listed(NamedTuple):
    """An object as a listing shows it; `size` in bytes, `etag` opaque and quoted."""

    key: str
    size: int
    etag: str


def pages(s3: S3Client, bucket: str, prefix: str = "", after: str = "") -> Iterator[list[Listed]]:
    """Yield pages of at most 1,000 objects whose keys begin with `prefix` and come after the key `after`.

    boto3 asks for `encoding-type=url` and decodes the keys. Raises UnexpectedAnswer for a page whose count does
    not agree with its content, or that is said to go on but does not; ClientError.
    """
    token = ""
    while True:
        more = {"ContinuationToken": token} if token else {"StartAfter": after} if after else {}
        page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, **more)  # type: ignore[arg-type]
        listed = [Listed(item["Key"], item["Size"], item["ETag"]) for item in page.get("Contents", [])]
        if page["KeyCount"] != len(listed):
            raise UnexpectedAnswer(
                f"bucket '{bucket}': a page with KeyCount {page['KeyCount']} holds {len(listed)} keys"
            )
        yield listed
        if not page["IsTruncated"]:
            return
        following = page.get("NextContinuationToken", "")
        if not following or following == token:
            raise UnexpectedAnswer(f"bucket '{bucket}': the listing goes on, but without a new token")
        token = following
