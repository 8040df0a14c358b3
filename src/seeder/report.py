"""The completion report of a job: read file by file, row by row, and counted.

`ReportSchema` names the last columns in another order than the rows have them, so the HTTP status is told from
the error code by its content: three digits, 100 to 599. A key is the manifest's, still encoded; it is decoded once.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from botocore.exceptions import ClientError
from pydantic import BaseModel

from seeder.errors import NotYetVisible, UnexpectedAnswer, code_of
from seeder.jobs import Job

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_COLUMNS = 7
_READ_BYTES = 1024 * 1024


class Row(NamedTuple):
    """One task of a report; `key` decoded, `code` empty on success."""

    bucket: str
    key: str
    version_id: str
    succeeded: bool
    http_status: int
    code: str
    message: str


class Failure(BaseModel):
    """Failed tasks of one error code."""

    code: str
    count: int
    example_key: str
    message: str


class Report(BaseModel):
    """What a report says: counts, and the failures by code, most frequent first."""

    total: int = 0
    succeeded: int = 0
    failed: int = 0
    failures: list[Failure] = []


def read(s3: S3Client, bucket: str, prefix: str, job: Job) -> Report:
    """Return the summary of a finished job's report.

    Raises NotYetVisible when a job that is Complete has no report yet, UnexpectedAnswer, ClientError.
    """
    files = find(s3, bucket, prefix, job.id)
    if not files and job.status == "Complete":
        raise NotYetVisible(f"job {job.id} is Complete, but its report is not there yet")
    return summarise(row for key in files for row in rows(s3, bucket, key))


def find(s3: S3Client, bucket: str, prefix: str, job_id: str) -> list[str]:
    """Return the keys of the report's result files, in `bucket`.

    Empty when there is no report: a job that failed before its first task has none. Raises ClientError.
    """
    try:
        body = s3.get_object(Bucket=bucket, Key=f"{prefix}/job-{job_id}/manifest.json")["Body"].read()
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey"}:
            return []
        raise
    return [result["Key"] for result in json.loads(body)["Results"]]


def rows(s3: S3Client, bucket: str, key: str) -> Iterator[Row]:
    """Stream the rows of one result file. Raises UnexpectedAnswer for a row that is not understood."""
    body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    stream = io.TextIOWrapper(io.BufferedReader(_Reader(body), _READ_BYTES), encoding="utf-8", newline="")
    for cells in csv.reader(stream):
        yield parse_row(cells)


def parse_row(cells: list[str]) -> Row:
    """Return a row of a report. Raises UnexpectedAnswer where columns can't be told apart."""
    if len(cells) != _COLUMNS or cells[3] not in {"succeeded", "failed"}:
        raise UnexpectedAnswer(f"report row {cells!r}: {_COLUMNS} columns with a task status are expected")
    bucket, key, version, status, first, second, message = cells
    if _is_status(second) and not _is_status(first):
        first, second = second, first
    if not _is_status(first):
        raise UnexpectedAnswer(f"report row {cells!r}: no column is an HTTP status")
    return Row(bucket, unquote(key), version, status == "succeeded", int(first), second, message)


def summarise(tasks: Iterable[Row]) -> Report:
    """Count the rows, and group those that failed by error code."""
    succeeded = 0
    failures: dict[str, Failure] = {}
    for row in tasks:
        if row.succeeded:
            succeeded += 1
        elif row.code in failures:
            failures[row.code].count += 1
        else:
            failures[row.code] = Failure(code=row.code, count=1, example_key=row.key, message=row.message)
    failed = sum(failure.count for failure in failures.values())
    return Report(
        total=succeeded + failed,
        succeeded=succeeded,
        failed=failed,
        failures=sorted(failures.values(), key=lambda item: (-item.count, item.code)),
    )


def _is_status(text: str) -> bool:
    return len(text) == 3 and text.isdigit() and 100 <= int(text) <= 599


class _Reader(io.RawIOBase):
    """A botocore body as a raw stream, so that the standard library can buffer and decode it."""

    def __init__(self, body: object) -> None:
        self._read = getattr(body, "read")  # noqa: B009

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill the buffer with what comes next."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        chunk = self._read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)
