"""The completion report of a job: read file by file, counted, and turned into what is done about its failures.

S3 Batch Operations calls a job Complete whatever became of its tasks; the report decides. A job that ended before
its first task has none (S3 User Guide, "Tracking job status and completion reports").
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder import report_files, sink
from seeder.errors import NotYetVisible, UnexpectedAnswer, code_of
from seeder.jobs import VANISHED, Job
from seeder.report_files import ResultFile, Results, Stream
from seeder.report_rows import take
from seeder.report_tally import Failure, Tally
from seeder.sink import Sink, Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["Failure", "Report", "ReportProgress", "abandon", "check_counts", "finished", "read"]

# A message is at most what a function may return, 6 MB, with each quote doubled.
LONGEST_ROW_BYTES = 16 * 1024 * 1024


class Report(BaseModel):
    """What a report says so far: counts of rows, and the failures by code, most frequent first."""

    model_config = ConfigDict(frozen=True)

    total: int = 0
    succeeded: int = 0
    failed: int = 0
    failures: list[Failure] = []


class ReportProgress(Report):
    """How far a report is read; all that the next call needs to go on.

    `files` were read to their end, and `offset` bytes of the next, whose ETag is `etag`; `mark` identifies the report.
    `retry_file` is a manifest of the `retryable` failures, `fields` its columns as CreateJob takes them;
    `failures_file` holds a row for each failure. Without rows a file is not made.
    """

    retry_file: Upload
    failures_file: Upload
    retryable: int = 0
    fields: list[str] = []
    files: int = 0
    offset: int = 0
    etag: str = ""
    mark: str = ""
    done: bool = False

    @classmethod
    def fresh(cls, bucket: str, retry_key: str, failures_key: str) -> ReportProgress:
        """Return the progress of a report not begun, whose files will stand at these keys.

        The failures' folder is a dataset's, where all is written once: what is temporary stands beside the retries.
        """
        retry = Upload(bucket=bucket, key=retry_key)
        failures = Upload(bucket=bucket, key=failures_key, tails=f"{retry_key}.failures")
        return cls(retry_file=retry, failures_file=failures)


def read(
    s3: S3Client,
    bucket: str,
    prefix: str,
    job: Job,
    before: ReportProgress,
    out_of_time: Callable[[], bool] = lambda: False,
    reader: S3Client | None = None,
) -> ReportProgress:
    """Read the report of a finished job, below `prefix` in `bucket`, until all is read, or time is out.

    `s3` writes the files; `reader` reads the report where its bucket is in another region.
    Each call reads a piece at least. A call that died, or is repeated, changes nothing: each failed row stands in the
    finished files exactly once. A job that ended before its first task has no report: zero rows, and done.
    Raises NotYetVisible where a report is due, UnexpectedAnswer for one that does not add up, ClientError.
    """
    made = before if before.done else finished(s3, before)
    if made is not None:
        return made
    key = report_files.manifest_key(prefix, job.id)
    results = report_files.find(reader or s3, bucket, key)
    if before.mark and before.mark != (results and results.mark):
        raise UnexpectedAnswer(f"s3://{bucket}/{key} changed, or vanished, while the report was read")
    if results is None:
        if job.status in {"Failed", "Cancelled", VANISHED} and not (job.succeeded or job.failed):
            return before.model_copy(update={"done": True})
        raise NotYetVisible(_missing(job, f"s3://{bucket}/{key}"))
    with ExitStack() as stack:
        sinks = [
            stack.enter_context(closing(Sink(s3, file))) for file in (before.retry_file, before.failures_file)
        ]
        after = _Reading(reader or s3, results, job, before, sinks[0], sinks[1], out_of_time).run()
    return _complete(s3, after) if after.files == len(results.files) else after


def check_counts(
    progress: Report, job_total: int | None, job_succeeded: int | None, job_failed: int | None
) -> str:
    """Return in a sentence how a report read to its end contradicts DescribeJob; empty where it does not.

    For a job that is Complete, with a report of all tasks. What DescribeJob did not tell (None) is not compared.
    """
    told = (job_total, job_succeeded, job_failed)
    rows = (progress.succeeded + progress.failed, progress.succeeded, progress.failed)
    if all(count in (None, mine) for count, mine in zip(told, rows, strict=True)):
        return ""
    total, succeeded, failed = ("an unknown number" if count is None else count for count in told)
    return (
        f"the completion report has {rows[0]} rows, {rows[1]} of success and {rows[2]} of failure, but the job counted "
        f"{total} tasks, {succeeded} succeeded and {failed} failed"
    )


def abandon(s3: S3Client, progress: ReportProgress) -> None:
    """Give up unfinished files. Can be repeated."""
    for file in (progress.retry_file, progress.failures_file):
        sink.abandon(s3, file)


def finished(s3: S3Client, progress: ReportProgress) -> ReportProgress | None:
    """Return the finished files if their note exists, completing whichever is not made yet.

    Raises UnexpectedAnswer, ClientError.
    """
    bucket, note = _note(progress)
    try:
        body = s3.get_object(Bucket=bucket, Key=note)["Body"].read()
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey"}:
            return None
        raise
    noted = ReportProgress.model_validate_json(body)
    made = [sink.complete(s3, file) for file in (noted.retry_file, noted.failures_file)]
    return noted.model_copy(update={"retry_file": made[0], "failures_file": made[1], "done": True})


def _complete(s3: S3Client, progress: ReportProgress) -> ReportProgress:
    """Note what the files will be, then make them: whoever dies in between is finished by `finished`."""
    if not progress.failures_file.parts:
        return progress.model_copy(update={"done": True})
    bucket, note = _note(progress)
    sink.note(s3, bucket, note, progress.model_dump_json().encode())
    made = finished(s3, progress)
    if made is None:
        raise UnexpectedAnswer(f"s3://{bucket}/{note} was written but is not there")
    return made


def _note(progress: ReportProgress) -> tuple[str, str]:
    """Beside the retry manifest, for the failures' folder is a dataset's."""
    return progress.retry_file.bucket, progress.retry_file.key.removesuffix(".csv") + ".report.json"


def _missing(job: Job, address: str) -> str:
    reasons = f" ({'; '.join(job.reasons)})" if job.reasons else ""
    return (
        f"job {job.id} is {job.status}{reasons}, but its completion report is not at {address}: S3 writes it shortly "
        "after the job's end; if it never comes, check that the job's role may s3:PutObject there and that the bucket "
        "has no default Object Lock retention, then run again, for what became of each object is not known"
    )


@dataclass
class _Reading:
    """The result files from where `before` left them, until all are read or time is out."""

    s3: S3Client
    results: Results
    job: Job
    before: ReportProgress
    retry: Sink
    failures: Sink
    out_of_time: Callable[[], bool]

    def __post_init__(self) -> None:
        self._files, self._offset, self._etag = self.before.files, self.before.offset, self.before.etag
        self._succeeded, self._failed = self.before.succeeded, self.before.failed
        self._tally = Tally(self.before.failures, self.before.fields, self.job.operation, self.job.round)

    def run(self) -> ReportProgress:
        """Read on, and return how far it came."""
        files = self.results.files
        while self._files < len(files) and self._read(files[self._files]):
            self._files, self._offset, self._etag = self._files + 1, 0, ""
            if self.out_of_time():
                break
        return self._document(is_all=self._files == len(files))

    def _read(self, file: ResultFile) -> bool:
        """Read a file; tell whether its end was reached."""
        with closing(Stream(self.s3, file, self._offset, self._etag)) as stream:
            self._etag, rest = stream.etag, b""
            while chunk := stream.read():
                text = rest + chunk
                end = self._take(file, text)
                self._offset, rest = self._offset + end, text[end:]
                if len(rest) > LONGEST_ROW_BYTES:
                    raise UnexpectedAnswer(f"{file}: a row of more than {LONGEST_ROW_BYTES} bytes")
                if end and self._offset < stream.size and self.out_of_time():
                    return False
            if rest and self._take(file, rest + b"\r\n") < len(rest):
                raise UnexpectedAnswer(f"{file}: its last row does not end")
            stream.check()
        return True

    def _take(self, file: ResultFile, text: bytes) -> int:
        try:
            taken = take(text)
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(f"{file}: {error}") from error
        if (taken.succeeded and file.status == "failed") or (taken.failed and file.status == "succeeded"):
            raise UnexpectedAnswer(
                f"{file}: manifest.json says that its tasks {file.status}, its rows contradict it"
            )
        self._succeeded += taken.succeeded
        self._failed += len(taken.failed)
        if taken.failed:
            header = b"" if self.failures.count else self._tally.header
            lines, again, retried = self._tally.add(taken.failed)
            self.failures.write(header + lines, len(taken.failed))
            if retried:
                self.retry.write(again, retried)
        return taken.end

    def _document(self, is_all: bool) -> ReportProgress:
        files = [sink.finish() if is_all else sink.pause() for sink in (self.retry, self.failures)]
        update = {
            "total": self._succeeded + self._failed,
            "succeeded": self._succeeded,
            "failed": self._failed,
            "failures": self._tally.failures(),
            "retryable": files[0].count,
            "fields": self._tally.fields,
            "files": self._files,
            "offset": self._offset,
            "etag": self._etag,
            "mark": self.results.mark,
            "retry_file": files[0],
            "failures_file": files[1],
        }
        return self.before.model_copy(update=update)
