"""Compares two buckets, read back through S3."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from seeder.listing.difference import Difference, compare
from seeder.listing.wire import Wire
from seeder_cli.samples import Sample

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def compare_buckets(
    source: tuple[S3Client, str], destination: tuple[S3Client, str], samples: Iterable[Sample]
) -> Difference:
    """Compare all objects by size and ETag, and those of `samples` by metadata and tags too."""
    difference = compare(Wire(*source), Wire(*destination), workers=2)
    for sample in samples:
        if (sample.metadata or sample.tags) and not _same_extras(source, destination, sample.key):
            difference.equal -= 1
            difference.different += 1
            difference.different_example = difference.different_example or sample.key
    return difference


def _same_extras(source: tuple[S3Client, str], destination: tuple[S3Client, str], key: str) -> bool:
    """Tell whether an object has the same metadata and tags on both sides; true where one is missing."""
    answers = []
    for s3, bucket in (source, destination):
        try:
            metadata = s3.head_object(Bucket=bucket, Key=key)["Metadata"]
            tags = s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        except s3.exceptions.ClientError:
            return True
        answers.append((metadata, {tag["Key"]: tag["Value"] for tag in tags}))
    return answers[0] == answers[1]
