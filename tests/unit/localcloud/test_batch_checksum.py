from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from localcloud.batch_operations.operations.checksum import ALGORITHMS
from tests.unit.localcloud.batch_world import ACCOUNT, World, allow, report, world

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNED = report(ExpectedBucketOwner=ACCOUNT)


@pytest.fixture
def cloud() -> Iterator[World]:
    with world() as made:
        yield made


def operation(**parameters: Any) -> dict[str, Any]:
    return {"S3ComputeObjectChecksum": parameters}


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("CRC32", "CBF43926"),
        ("CRC32C", "E3069283"),
        ("CRC64NVME", "AE8B14860A799888"),
        ("MD5", "25F9E794323B453885F5181F1B624D0B"),
        ("SHA1", "F7C3BC1D808E04732ADF679965CCC34CA7AE3441"),
        ("SHA256", "15E2B0D3C33891EBB0F1EF609EC419420C20E320CE94C65FBC8C3312448EB225"),
    ],
)
def test_checksums_of_123456789_are_those_of_the_catalogues(algorithm: str, expected: str) -> None:
    assert ALGORITHMS[algorithm]([b"1234", b"56789"]).hex().upper() == expected


def test_the_result_is_json_as_captured_with_escaped_equals_signs(cloud: World) -> None:
    etag = cloud.put("obj", b"123456789")["ETag"].strip('"')
    job = cloud.run(cloud.manifest("src,obj\n"), operation(ChecksumAlgorithm="CRC32"), Report=OWNED)
    assert cloud.rows(job)[0][3:] == [
        "succeeded",
        "200",
        "",
        r'{"checksum_base64":"y/Q5Jg\u003d\u003d",'
        f'"etag":"{etag}","checksumAlgorithm":"CRC32","checksumType":"FULL_OBJECT","checksum_hex":"CBF43926"}}',
    ]


def test_the_checksum_of_a_named_version_is_computed(cloud: World) -> None:
    cloud.version("src")
    version = cloud.put("a", b"123456789")["VersionId"]
    cloud.put("a", b"other")
    manifest = cloud.manifest(f"src,a,{version}\n", ("Bucket", "Key", "VersionId"))
    job = cloud.run(manifest, operation(), Report=OWNED)
    result = json.loads(cloud.rows(job)[0][6])
    assert result["checksumAlgorithm"] == "CRC64NVME"
    assert base64.b64decode(result["checksum_base64"]).hex().upper() == "AE8B14860A799888"


def test_a_role_that_may_not_read_gets_access_denied(cloud: World) -> None:
    cloud.put("a")
    role = cloud.make_role("narrow", allow("s3:*", resource="arn:aws:s3:::ops/*"))
    job = cloud.run(cloud.manifest("src,a\n"), operation(), Report=OWNED, RoleArn=role)
    assert cloud.rows(job)[0][3:6] == ["failed", "403", "AccessDenied"]


def test_a_missing_object_is_no_such_key(cloud: World) -> None:
    job = cloud.run(cloud.manifest("src,none\n"), operation(), Report=OWNED)
    assert cloud.rows(job)[0][3:6] == ["failed", "404", "NoSuchKey"]
