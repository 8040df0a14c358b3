"""Manifests: where they lie, whether they may be read, and their rows as tasks.

Contract: S3 User Guide, "Creating an S3 Batch Operations job", "Specifying a manifest", and its
troubleshooting page.
"""

from __future__ import annotations

import csv
import io
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.batch_operations.exceptions import JobFailedError
from localcloud.batch_operations.retries import patiently
from localcloud.batch_operations.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from localcloud.batch_operations.job_session import JobSession
    from localcloud.batch_operations.settings import Settings

CSV_FORMAT = "S3BatchOperations_CSV_20180820"
INVENTORY_FORMAT = "S3InventoryReport_CSV_20161130"
TOO_MANY_KEYS = "The manifest contains more keys than the maximum allowed in a single job"
WRONG_FIELDS = "Unexpected number of task fields"


@dataclass
class TaskSource:
    """The tasks of a job: how many, and as often as asked, themselves. `close` frees the local copy."""

    total: int
    tasks: Callable[[], Generator[Task, None, None]]
    close: Callable[[], None]


def open_csv_manifest(manifest: dict[str, Any], session: JobSession, settings: Settings) -> TaskSource:
    """Fetch and check a CSV manifest of the user's. Raises JobFailedError with the known code and text."""
    columns = Columns.of(manifest["Spec"].get("Fields") or (), settings)
    copy = fetch(manifest["Location"], session, settings, kms=False)

    def tasks() -> Generator[Task, None, None]:
        with text_of(copy) as text:
            yield from columns.tasks(text, settings)

    return counted(tasks, copy.close, settings)


def counted(
    tasks: Callable[[], Generator[Task, None, None]], close: Callable[[], None], settings: Settings
) -> TaskSource:
    """Return the source of these tasks, each read once to check and count it. Raises JobFailedError."""
    try:
        total = sum(1 for _ in tasks())
        if not total:
            raise JobFailedError(settings.failure_codes.content, "The manifest holds no tasks")
        if total > settings.max_tasks:
            raise JobFailedError(settings.failure_codes.content, TOO_MANY_KEYS)
    except BaseException:
        close()
        raise
    return TaskSource(total, tasks, close)


@dataclass(frozen=True)
class Columns:
    """Which column of a manifest holds what."""

    width: int
    bucket: int
    key: int
    version: int | None

    @classmethod
    def of(cls, fields: Sequence[str], settings: Settings) -> Columns:
        """Return the columns of these field names. Raises JobFailedError without Bucket or Key."""
        missing = [name for name in ("Bucket", "Key") if name not in fields]
        if missing:
            reason = f"Required fields are missing in the schema: {', '.join(missing)}"
            raise JobFailedError(settings.failure_codes.content, reason)
        version = fields.index("VersionId") if "VersionId" in fields else None
        return cls(len(fields), fields.index("Bucket"), fields.index("Key"), version)

    def tasks(self, lines: Iterable[str], settings: Settings) -> Iterator[Task]:
        """Yield the task of each row. Raises JobFailedError at the first row that breaks the format."""
        width, bucket, key, version = self.width, self.bucket, self.key, self.version
        rows = csv.reader(lines)
        line = 0
        try:
            for row in rows:
                line += 1
                if len(row) != width:
                    raise JobFailedError(settings.failure_codes.content, WRONG_FIELDS)
                if rows.line_num != line:
                    raise JobFailedError(
                        settings.failure_codes.content, f"Line break in a field of row {line}"
                    )
                if line == 1 and row[0].startswith("\ufeff"):
                    raise JobFailedError(
                        settings.failure_codes.content, "The manifest starts with a byte order mark"
                    )
                yield Task(row[bucket], row[key], None if version is None else row[version])
        except (csv.Error, UnicodeDecodeError) as error:
            raise JobFailedError(settings.failure_codes.content, f"Row {line + 1}: {error}") from error


def fetch(location: dict[str, Any], session: JobSession, settings: Settings, *, kms: bool) -> IO[bytes]:
    """Return a local copy of a manifest, read with the job role. Raises JobFailedError.

    It must exist, be readable, have the ETag given (quoted or not), and be neither SSE-C nor, unless `kms`,
    SSE-KMS.
    """
    codes = settings.failure_codes
    bucket, key = split_object_arn(location["ObjectArn"])
    answer = read_object(session, bucket, key, location.get("ObjectVersionId"), settings)
    if answer["ETag"].strip('"') != location["ETag"].strip('"'):
        raise JobFailedError(
            codes.manifest_changed, "The manifest's ETag does not match the ETag in the request"
        )
    encryption = answer.get("ServerSideEncryption")
    if answer.get("SSECustomerAlgorithm"):
        raise JobFailedError(codes.manifest_encrypted, "Manifests with SSE-C encryption are not supported")
    if encryption and encryption.startswith("aws:kms") and not kms:
        raise JobFailedError(
            codes.manifest_encrypted, "CSV manifests with SSE-KMS encryption are not supported"
        )
    return spooled(answer)


def split_object_arn(arn: str) -> tuple[str, str]:
    """Return the bucket and key of an object's ARN."""
    bucket, _, key = arn.split(":::", 1)[1].partition("/")
    return bucket, key


def read_object(
    session: JobSession, bucket: str, key: str, version_id: str | None, settings: Settings
) -> dict[str, Any]:
    """Return GetObject's answer for a manifest or one of its files. Raises JobFailedError."""
    codes = settings.failure_codes
    extra = {"s3:VersionId": version_id} if version_id else None
    forbidden = JobFailedError(codes.manifest_forbidden, "Reading the manifest is forbidden: AccessDenied")
    if not session.may_object("s3:GetObjectVersion" if version_id else "s3:GetObject", bucket, key, extra):
        raise forbidden
    call = {"Bucket": bucket, "Key": key} | ({"VersionId": version_id} if version_id else {})
    try:
        answer: dict[str, Any] = patiently(lambda: session.s3(bucket).get_object(**call), settings)
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDenied":
            raise forbidden from error
        reason = f"The manifest could not be read: {error.response['Error']['Code']}"
        raise JobFailedError(codes.manifest_missing, reason) from error
    except BotoCoreError as error:
        raise JobFailedError(codes.manifest_missing, f"The manifest could not be read: {error}") from error
    key_id = answer.get("SSEKMSKeyId")
    if key_id and not all(
        session.may_use_key(f"kms:{use}", key_id, bucket, key) for use in ("Decrypt", "GenerateDataKey")
    ):
        raise forbidden
    return answer


@contextmanager
def text_of(file: IO[bytes]) -> Iterator[io.TextIOWrapper]:
    """Lend a file as UTF-8 text, from its beginning; it stays open."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        yield text
    finally:
        if not file.closed:
            text.detach()


def spooled(answer: dict[str, Any]) -> IO[bytes]:
    """Return the body of GetObject's answer in a temporary file."""
    copy = TemporaryFile()  # noqa: SIM115 - outlives this call
    for chunk in iter(lambda: answer["Body"].read(1 << 20), b""):
        copy.write(chunk)
    copy.seek(0)
    return copy
