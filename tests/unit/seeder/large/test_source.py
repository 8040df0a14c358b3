from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from seeder.large.source import Checksum, Source, completion_parameters, fits_header, upload_parameters


def source(**head: Any) -> Source:
    return Source('"etag"', 10, "2026-01-01T00:00:00+00:00", head)


@pytest.mark.parametrize(
    ("head", "checksum"),
    [
        ({}, ("CRC64NVME", "FULL_OBJECT", "")),
        (
            {"ChecksumCRC64NVME": "v", "ChecksumType": "FULL_OBJECT"},
            ("CRC64NVME", "FULL_OBJECT", "v"),
        ),
        ({"ChecksumCRC32": "v", "ChecksumType": "FULL_OBJECT"}, ("CRC32", "FULL_OBJECT", "v")),
        ({"ChecksumCRC32": "v-3", "ChecksumType": "COMPOSITE"}, ("CRC32", "COMPOSITE", "")),
        ({"ChecksumCRC32C": "v-3"}, ("CRC32C", "COMPOSITE", "")),
        ({"ChecksumCRC32": "v"}, ("CRC32", "FULL_OBJECT", "v")),
        ({"ChecksumSHA256": "v", "ChecksumType": "FULL_OBJECT"}, ("SHA256", "COMPOSITE", "")),
    ],
)
def test_the_checksum_is_the_sources_where_an_upload_takes_it(
    head: dict[str, str], checksum: tuple[str, str, str]
) -> None:
    assert source(**head).checksum == Checksum(*checksum)


def test_s3_is_asked_to_compare_size_and_checksum() -> None:
    asked = completion_parameters(source(ChecksumCRC32="v", ChecksumType="FULL_OBJECT"))
    assert asked == {"MpuObjectSize": 10, "ChecksumCRC32": "v", "ChecksumType": "FULL_OBJECT"}
    assert completion_parameters(source()) == {"MpuObjectSize": 10}


def test_what_an_object_has_and_an_upload_takes_is_carried_and_nothing_else() -> None:
    expires = datetime(2030, 1, 1, tzinfo=UTC)
    carried: dict[str, Any] = {"ContentType": "text/plain", "Expires": expires, "Metadata": {"a": "b"}}
    left = {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "k",
        "ObjectLockMode": "GOVERNANCE",
        "ETag": "e",
    }
    given = upload_parameters(source(**carried, **left, StorageClass="GLACIER_IR"), [])
    checksum = {"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "FULL_OBJECT"}
    assert given == carried | {"StorageClass": "GLACIER_IR"} | checksum


@pytest.mark.parametrize("storage_class", ["STANDARD", "EXPRESS_ONEZONE", None])
def test_a_class_that_needs_no_word_or_is_of_other_buckets_is_not_asked_for(
    storage_class: str | None,
) -> None:
    assert "StorageClass" not in upload_parameters(source(StorageClass=storage_class), [])


def test_tags_go_with_the_upload_while_they_fit_a_header() -> None:
    small, large = [{"Key": "a b", "Value": "c+d"}], [{"Key": "k", "Value": "é" * 250}] * 10
    assert upload_parameters(source(), small)["Tagging"] == "a%20b=c%2Bd"
    assert (fits_header(small), fits_header(large)) == (True, False)
    assert "Tagging" not in upload_parameters(source(), large)
