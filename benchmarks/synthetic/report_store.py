"""A bucket in memory that holds a completion report, and takes what is written about it without keeping it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

BUCKET = "state"
_BLOCK_ROWS = 50_000
_SUCCEEDED = "source,logs/2026/object%20{n:07d}.bin,{version},succeeded,200,,Successful\r\n"
_FAILED = (
    "source,logs/2026/object%20{n:07d}.bin,{version},failed,503,SlowDown,Please reduce your request rate. "
    "(Service: Amazon S3; Status Code: 503; Error Code: SlowDown; Request ID: {n:016X})\r\n"
)


@dataclass(frozen=True)
class Part:
    """A result file: `status` of its rows ("mixed": each fourth failed), how many, and the version of each."""

    status: str
    rows: int
    version: str

    def fails(self, number: int) -> bool:
        """Tell whether a row is one of a failure."""
        return self.status == "failed" or (self.status == "mixed" and number % 4 == 3)


class Body(io.RawIOBase):
    """The bytes of a result file: a block of rows, again and again, as many rows as the file has."""

    def __init__(self, part: Part) -> None:
        self._block = _block(part, min(part.rows, _BLOCK_ROWS))
        self._times, rest = divmod(part.rows, _BLOCK_ROWS)
        self._last = _block(part, rest)
        self._at = 0
        self.size = self._times * len(self._block) + len(self._last)

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what comes next."""
        view = memoryview(buffer)
        chunk = self.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, as many as asked unless the file ends."""
        pieces, wanted = [], size
        while wanted and (piece := self._next(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def _next(self, most: int) -> bytes:
        number, start = divmod(self._at, len(self._block))
        if number > self._times:
            return b""
        source = self._block if number < self._times else self._last
        piece = source[start : start + most]
        self._at += len(piece)
        return piece


class Store:
    """As much of an S3 client as reading a report needs."""

    job = "job"
    prefix = "reports"

    def __init__(self, parts: list[Part]) -> None:
        self._parts = {f"{self.prefix}/results/{number}.csv": part for number, part in enumerate(parts)}
        self._kept = {f"{self.prefix}/job-{self.job}/manifest.json": self._manifest()}
        self._uploaded: dict[str, int] = {}

    def texts(self) -> Iterator[io.TextIOWrapper]:
        """Open the result files as text, for the csv module."""
        for part in self._parts.values():
            raw = io.BufferedReader(Body(part), 1024 * 1024)
            yield io.TextIOWrapper(raw, encoding="utf-8", newline="")

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """Answer with a result file, or with what was kept."""
        if Key in self._parts:
            body = Body(self._parts[Key])
            return {"Body": body, "ETag": '"etag"', "ContentLength": body.size}
        if Key not in self._kept:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self._kept[Key])}

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Keep a small object."""
        self._kept[Key] = Body
        return {}

    def create_multipart_upload(self, *, Key: str, **_: Any) -> dict[str, str]:  # noqa: N803
        """Begin an upload."""
        self._uploaded[Key] = 0
        return {"UploadId": Key}

    def upload_part(self, *, Key: str, PartNumber: int, **_: Any) -> dict[str, str]:  # noqa: N803
        """Count a part and drop it."""
        self._uploaded[Key] = max(self._uploaded[Key], PartNumber)
        return {}

    def complete_multipart_upload(self, **_: Any) -> dict[str, str]:
        """End an upload."""
        return {"ETag": '"etag"'}

    def get_paginator(self, _: str) -> Store:
        """Return what lists the parts."""
        return self

    def paginate(self, *, Key: str, **_: Any) -> list[dict[str, Any]]:  # noqa: N803
        """List the parts of an upload."""
        return [{"Parts": [{"PartNumber": n + 1, "ETag": '"etag"'} for n in range(self._uploaded[Key])]}]

    def _manifest(self) -> bytes:
        results = [
            {
                "TaskExecutionStatus": part.status,
                "Bucket": BUCKET,
                "MD5Checksum": _md5(part),
                "Key": key,
            }
            for key, part in self._parts.items()
        ]
        return json.dumps({"Format": "Report_CSV_20180820", "Results": results}).encode()


@cache
def _block(part: Part, rows: int) -> bytes:
    lines = (
        (_FAILED if part.fails(n) else _SUCCEEDED).format(n=n, version=part.version) for n in range(rows)
    )
    return "".join(lines).encode()


def _md5(part: Part) -> str:
    digest, body = hashlib.md5(), Body(part)
    while chunk := body.read(1024 * 1024):
        digest.update(chunk)
    return digest.hexdigest()
