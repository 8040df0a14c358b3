"""What is known of an object to copy, and what of it an upload carries.

Contract: S3 API reference, HeadObject, GetObjectTagging and CreateMultipartUpload.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

from botocore.exceptions import ClientError

from seeder.errors import code_of
from seeder.large.notes import Item

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CARRIED = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "Metadata",
    "WebsiteRedirectLocation",
)
# STANDARD is what an object has without a word; other classes are not of general purpose buckets.
_CLASSES = frozenset(
    {
        "DEEP_ARCHIVE",
        "GLACIER",
        "GLACIER_IR",
        "INTELLIGENT_TIERING",
        "ONEZONE_IA",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
    }
)
# Whose checksum of the whole object S3 makes of those of its parts (S3 User Guide, "Checking object integrity").
_WHOLE = frozenset({"CRC32", "CRC32C", "CRC64NVME"})
# Tags that take more are put in a call of their own; request headers have 8 KB for all.
MOST_TAG_BYTES = 2048
CHANGED = frozenset({"412", "PreconditionFailed"})


class SourceChanged(Exception):
    """The object is not the one that was looked at before."""


class Checksum(NamedTuple):
    """Algorithm, type (FULL_OBJECT or COMPOSITE), and the value that the copy must have; "" where none is known."""

    algorithm: str
    kind: str
    value: str = ""


# What S3 computes of objects that are uploaded without a checksum.
DEFAULT_CHECKSUM = Checksum("CRC64NVME", "FULL_OBJECT")


class Source(NamedTuple):
    """An object as HeadObject shows it; `modified` is its time in ISO 8601, `head` the whole answer."""

    etag: str
    size: int
    modified: str
    head: dict[str, Any]

    @property
    def checksum(self) -> Checksum:
        """The checksum that a copy has: of the source's algorithm, and of its type where an upload takes that.

        What has none gets S3's default. A source in one piece has one of the whole object, which of an upload only the
        cyclic ones can be.
        """
        for name, value in self.head.items():
            if name.startswith("Checksum") and name != "ChecksumType":
                algorithm = name.removeprefix("Checksum")
                kind = self.head.get("ChecksumType") or ("COMPOSITE" if "-" in value else "FULL_OBJECT")
                if kind == "FULL_OBJECT" and algorithm in _WHOLE:
                    return Checksum(algorithm, kind, value)
                return Checksum(algorithm, "COMPOSITE", "")
        return DEFAULT_CHECKSUM


def look(s3: S3Client, item: Item) -> Source:
    """Look at the object. Raises ClientError."""
    head: dict[str, Any] = dict(s3.head_object(**_named(item), ChecksumMode="ENABLED"))
    return Source(head["ETag"], head["ContentLength"], head["LastModified"].isoformat(), head)


def part_sizes(s3: S3Client, item: Item, source: Source, streams: int) -> list[int]:
    """Return the sizes of the parts that the object was uploaded in; [] if it was not, or they can't be told.

    One HeadObject each, `streams` at once. Raises SourceChanged, ClientError.
    """

    def size_of(number: int) -> dict[str, Any]:
        return dict(s3.head_object(**_named(item), PartNumber=number, IfMatch=source.etag))

    try:
        first = size_of(1)
        count = first.get("PartsCount", 0)
        with ThreadPoolExecutor(streams, "look") as pool:
            others = list(pool.map(size_of, range(2, count + 1)))
    except ClientError as error:
        if code_of(error) in CHANGED:
            raise SourceChanged from error
        if code_of(error) in {"416", "InvalidPartNumber"}:
            return []
        raise
    return [head["ContentLength"] for head in (first, *others)] if count else []


def tags(s3: S3Client, item: Item) -> list[Any]:
    """Return the object's tags, as boto3 has them. Raises ClientError."""
    return list(s3.get_object_tagging(**_named(item))["TagSet"])


def fits_header(tag_set: list[Any]) -> bool:
    """Whether tags can be given with the upload."""
    return len(_encoded(tag_set)) <= MOST_TAG_BYTES


def upload_parameters(source: Source, tag_set: list[Any]) -> dict[str, Any]:
    """Return what CreateMultipartUpload takes to make an object like the source.

    Left to the destination: encryption, ACL, Object Lock. Left out: tags that don't fit a header, and an Expires that
    is no date.
    """
    given = {name: source.head[name] for name in _CARRIED if source.head.get(name)}
    if source.head.get("StorageClass") in _CLASSES:
        given["StorageClass"] = source.head["StorageClass"]
    if tag_set and fits_header(tag_set):
        given["Tagging"] = _encoded(tag_set)
    return given | {"ChecksumAlgorithm": source.checksum.algorithm, "ChecksumType": source.checksum.kind}


def completion_parameters(source: Source) -> dict[str, Any]:
    """Return what CompleteMultipartUpload takes for S3 itself to compare the copy with the source."""
    given: dict[str, Any] = {"MpuObjectSize": source.size}
    algorithm, kind, value = source.checksum
    if value:
        given |= {f"Checksum{algorithm}": value, "ChecksumType": kind}
    return given


def _named(item: Item) -> dict[str, Any]:
    named = {"Bucket": item.bucket, "Key": item.key}
    return named | ({"VersionId": item.version_id} if item.version_id else {})


def _encoded(tag_set: list[Any]) -> str:
    return urlencode([(tag["Key"], tag["Value"]) for tag in tag_set], quote_via=quote, safe="")
