"""S3ComputeObjectChecksum. Contract: S3 User Guide, "Compute checksums" (result as JSON in ResultMessage)."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

from localcloud.batch_operations import store
from localcloud.batch_operations.operations.base import Operation
from localcloud.batch_operations.task import Outcome, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_CRC32C, _CRC64NVME = 0x82F63B78, 0x9A6C9329AC4BC9B5


class ChecksumOperation(Operation):
    """Reads each object with the job role and reports the checksum of its bytes."""

    def perform(self, task: Task, key: str) -> Outcome:
        """Compute one checksum."""
        extra = {"s3:VersionId": task.version_id} if task.version_id else None
        action = "s3:GetObjectVersion" if task.version_id else "s3:GetObject"
        if not self.session.may_object(action, task.bucket, key, extra):
            return self.denied()
        held = store.version(task.bucket, key, task.version_id)
        with_bucket_key = held is not None and str(held.bucket_key_enabled).lower() == "true"
        key_id = store.kms_key_of(held) if held else None
        if refusal := self.key_refusal("kms:Decrypt", key_id, task.bucket, key, bucket_key=with_bucket_key):
            return refusal
        call = {"Bucket": task.bucket, "Key": key} | (
            {"VersionId": task.version_id} if task.version_id else {}
        )
        answer = self.session.s3(task.bucket).get_object(**call)
        algorithm = self.parameters.get("ChecksumAlgorithm") or self.settings.checksum_algorithm
        digest = ALGORITHMS[algorithm](iter(lambda: answer["Body"].read(1 << 20), b""))
        text = json.dumps(
            {
                "checksum_base64": base64.b64encode(digest).decode(),
                "etag": answer["ETag"].strip('"'),
                "checksumAlgorithm": algorithm,
                "checksumType": "FULL_OBJECT",
                "checksum_hex": digest.hex().upper(),
            },
            separators=(",", ":"),
        )
        return Outcome(True, message=text.replace("=", r"\u003d"))


def _hash(name: str) -> Callable[[Iterable[bytes]], bytes]:
    def compute(chunks: Iterable[bytes]) -> bytes:
        digest = hashlib.new(name, usedforsecurity=False)
        for chunk in chunks:
            digest.update(chunk)
        return digest.digest()

    return compute


def _crc32(chunks: Iterable[bytes]) -> bytes:
    value = 0
    for chunk in chunks:
        value = zlib.crc32(chunk, value)
    return value.to_bytes(4, "big")


def _crc(polynomial: int, size: int) -> Callable[[Iterable[bytes]], bytes]:
    def compute(chunks: Iterable[bytes]) -> bytes:
        table, ones = _table(polynomial), (1 << 8 * size) - 1
        value = ones
        for chunk in chunks:
            for byte in chunk:
                value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        return (value ^ ones).to_bytes(size, "big")

    return compute


@lru_cache(maxsize=2)
def _table(polynomial: int) -> tuple[int, ...]:
    def entry(value: int) -> int:
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        return value

    return tuple(map(entry, range(256)))


ALGORITHMS: dict[str, Callable[[Iterable[bytes]], bytes]] = {
    "CRC32": _crc32,
    "CRC32C": _crc(_CRC32C, 4),
    "CRC64NVME": _crc(_CRC64NVME, 8),
    "MD5": _hash("md5"),
    "SHA1": _hash("sha1"),
    "SHA256": _hash("sha256"),
    "SHA512": _hash("sha512"),
}
