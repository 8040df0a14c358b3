"""The objects that a run failed at in the end, one by one, from the files of failures that its rounds have left.

Each job's report left a file with a row for each failed task, and a manifest of those that were tried again, in the
same order (`seeder.report`). What the next round tried is not final there; what that failed at stands in its own
file.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from botocore import exceptions as boto

from seeder.documents import shown
from seeder.errors import UnexpectedAnswer
from seeder.report import LONGEST_ROW_BYTES
from seeder.run import FAILURES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from seeder.record import Record

PIECE_BYTES = 8 * 1024 * 1024
TRIES = 4
_STEMS = {"restore": "archived"}
"""How the manifests of a job are named that is not named after its operation (`seeder.manifest`)."""
_DAY, _NUMBER = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), re.compile(r"[0-9]{1,9}")
_NAME = re.compile(r"(?P<stem>(?:copy|replicate|large|archived)(?:-[0-9]{1,9})?)-(?P<round>[0-9]{1,9})")


class FailedRow(NamedTuple):
    """A failed task. `encoded_key` is percent-encoded as in a manifest, `version_id` "" where none was asked for."""

    bucket: str
    encoded_key: str
    version_id: str
    code: str
    http_status: str
    message: str
    operation: str
    round: str

    @property
    def key(self) -> str:
        """The key itself."""
        return unquote(self.encoded_key)

    @property
    def document(self) -> dict[str, Any]:
        """The row with its key decoded and its numbers as numbers."""
        told = {name: value for name, value in self._asdict().items() if name != "encoded_key"}
        return {"key": self.key, **told, "http_status": int(self.http_status), "round": int(self.round)}


class Round(NamedTuple):
    """One round of a manifest: `stem` is the manifest's name, such as `copy` or `copy-2`."""

    stem: str
    number: int

    @property
    def next(self) -> Round:
        """The round after it."""
        return Round(self.stem, self.number + 1)

    def __str__(self) -> str:
        return f"{self.stem}-{self.number}"


def final_rows(s3: S3Client, state_bucket: str, record: Record) -> Iterator[FailedRow]:
    """Yield what a run failed at in the end, in the order of its rounds; constant in memory.

    Of a run that broke off, what was being tried again counts as failed, for nobody knows what became of it.
    Raises UnexpectedAnswer for files that are not understood, ClientError.
    """
    files = _files(s3, state_bucket, record)
    concluded = concluded_rounds(record.jobs, set(files), came_to_its_end=bool(record.verification))
    for at, key in files.items():
        rows = _rows(s3, state_bucket, key)
        next(rows, None)
        if at.next not in concluded:
            yield from map(_row, rows)
            continue
        retries = _rows(s3, state_bucket, f"runs/{record.run_id}/rounds/{at}.csv")
        yield from map(_row, _without(rows, retries))


def concluded_rounds(
    jobs: Iterable[Mapping[str, Any]], with_file: set[Round], *, came_to_its_end: bool
) -> set[Round]:
    """Return the rounds of which it is known what became of each object, by the jobs of a run's record.

    `with_file` are those that left a file of failures. A run has one job at a time, and goes on to the next when a
    report is read; so of one that did not come to its end, all but the last are known.
    """
    rounds = list(_rounds(jobs))
    known = {at for at, _ in (rounds if came_to_its_end else rounds[:-1])} | with_file
    for at, job in rounds[-1:]:
        if job.get("status") == "Complete" and job.get("failed") == 0:
            known.add(at)
    return known


def _rounds(jobs: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Round, Mapping[str, Any]]]:
    """Yield the round of each job. A manifest of many rows is in several files, each with rounds of its own."""
    numbers: Counter[str] = Counter()
    before: Mapping[str, Any] = {}
    for job in jobs:
        if not _is_told(job):
            raise UnexpectedAnswer(f"the record tells of a job what is none: {shown(job)}")
        operation = str(job["operation"])
        if not job["round"] and not _is_made_again(before, operation):
            numbers[operation] += 1
        stem = _STEMS.get(operation, operation)
        number = numbers[operation]
        yield Round(stem if number <= 1 else f"{stem}-{number}", int(job["round"])), job
        before = job


def _is_told(job: Mapping[str, Any]) -> bool:
    counts = [job.get("succeeded"), job.get("failed")]
    numbers = [job.get("round"), *(count for count in counts if count is not None)]
    return isinstance(job.get("operation"), str) and all(type(number) is int for number in numbers)


def _is_made_again(before: Mapping[str, Any], operation: str) -> bool:
    """Whether the job after this one is the same again: it failed before its first task, for its role was too new."""
    did = (before.get("succeeded") or 0) + (before.get("failed") or 0)
    same = (before.get("operation"), before.get("round")) == (operation, 0)
    return same and before.get("status") == "Failed" and not did


def _files(s3: S3Client, state_bucket: str, record: Record) -> dict[Round, str]:
    """Return the keys of the files of failures, by their rounds; the record of a run that broke off has none."""
    if not _DAY.match(record.started_at):
        raise UnexpectedAnswer(f"the record tells no time when its run began: {shown(record.started_at)}")
    year, month, day = record.started_at[:10].split("-")
    prefix = f"{FAILURES}/year={year}/month={month}/day={day}/{record.run_id}-"
    keys = [address.partition("//")[2].partition("/")[2] for address in record.failure_files]
    if not keys:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=state_bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    found = ((_NAME.fullmatch(key.removeprefix(prefix).removesuffix(".csv")), key) for key in keys)
    files = {Round(match["stem"], int(match["round"])): key for match, key in found if match}
    return dict(sorted(files.items()))


def _without(rows: Iterator[list[str]], retries: Iterator[list[str]]) -> Iterator[list[str]]:
    """Yield the rows that were not tried again: what was is in `retries`, in the same order."""
    again = next(retries, None)
    for row in rows:
        if again is not None and row[: len(again)] == again:
            again = next(retries, None)
        else:
            yield row


def _row(cells: list[str]) -> FailedRow:
    if len(cells) == len(FailedRow._fields):
        row = FailedRow(*cells)
        if _NUMBER.fullmatch(row.http_status) and _NUMBER.fullmatch(row.round):
            return row
    raise UnexpectedAnswer(f"a file of failures has a row that is not of this release: {shown(cells)}")


def _rows(s3: S3Client, bucket: str, key: str) -> Iterator[list[str]]:
    """Yield the rows of a file, each of which is one line."""
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_ROW_BYTES))
    try:
        yield from csv.reader(_lines(_pieces(s3, bucket, key)))
    except csv.Error as error:
        raise UnexpectedAnswer(f"s3://{bucket}/{key} is no file of failures: {error}") from error


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        whole, end, rest = (rest + piece).rpartition(b"\n")
        for line in (whole + end).split(b"\n")[:-1]:
            yield line.decode("utf-8", "replace")
        if len(rest) > LONGEST_ROW_BYTES:
            raise UnexpectedAnswer(f"a file of failures has a row of more than {LONGEST_ROW_BYTES} bytes")
    if rest:
        yield rest.decode("utf-8", "replace")


def _pieces(s3: S3Client, bucket: str, key: str) -> Iterator[bytes]:
    """Read an object piece by piece, so that whoever takes long between two keeps no connection waiting."""
    offset, size, etag = 0, 1, ""
    while offset < size:
        body, size, etag = _piece(s3, bucket, key, offset, etag)
        offset += len(body)
        yield body


def _piece(s3: S3Client, bucket: str, key: str, offset: int, etag: str) -> tuple[bytes, int, str]:
    """Return bytes, the object's size and its ETag, which it must still have."""
    asked: Any = {
        "Range": f"bytes={offset}-{offset + PIECE_BYTES - 1}",
        **({"IfMatch": etag} if etag else {}),
    }
    tries = 1
    while True:
        answer = s3.get_object(Bucket=bucket, Key=key, **asked)
        try:
            return answer["Body"].read(), int(answer["ContentRange"].rpartition("/")[2]), answer["ETag"]
        except (boto.HTTPClientError, boto.IncompleteReadError):
            if tries == TRIES:
                raise
            tries += 1
