"""Completion reports, to the byte.

Layout and rows as captured from real jobs (aws-samples/sample-replicate-on-tag-for-amazon-s3, 2026) and in
the S3 User Guide, "Tracking job status and completion reports". `ReportSchema` names HTTPStatusCode and
ErrorCode in the other order than the rows hold them; that is how S3 writes it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.batch_operations.exceptions import JobFailedError
from localcloud.batch_operations.retries import patiently

if TYPE_CHECKING:
    from datetime import datetime

    from localcloud.batch_operations.job_session import JobSession
    from localcloud.batch_operations.settings import Settings
    from localcloud.batch_operations.task import Outcome, Task

SCHEMA = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"
_PART = 8 * 1024 * 1024
_WRONG_MD5 = "0" * 32


class ReportWriter:
    """Collects rows on disk while a job runs; puts the report in its bucket at the end."""

    def __init__(self, report: dict[str, Any], job_id: str) -> None:
        self._report = report
        self._job_id = job_id
        self._failed_only = report.get("ReportScope") == "FailedTasksOnly"
        self._succeeded = _ResultFile("succeeded")
        self._failed = _ResultFile("failed")

    def add(self, task: Task, outcome: Outcome) -> None:
        """Add the row of a task."""
        if outcome.succeeded:
            if not self._failed_only:
                self._succeeded.add(task, outcome)
        else:
            self._failed.add(task, outcome)

    def close(self) -> None:
        """Drop what was collected."""
        self._succeeded.close()
        self._failed.close()

    def publish(self, session: JobSession, settings: Settings, *, true_md5: bool = True) -> None:
        """Write results, manifest.json.md5 and, last, manifest.json. Raises JobFailedError.

        Without `true_md5` the manifest names other MD5s than those of the results.
        """
        bucket = self._report["Bucket"].split(":::", 1)[1]
        prefix = self._report.get("Prefix")
        root = f"{prefix}/job-{self._job_id}" if prefix else f"job-{self._job_id}"
        output = Output(session, bucket, settings)
        try:
            results = [
                file.publish(output, root, self._job_id)
                for file in (self._succeeded, self._failed)
                if file.rows
            ]
            if not results and not settings.empty_report_manifest:
                return
            if not true_md5:
                results = [{**each, "MD5Checksum": _WRONG_MD5} for each in results]
            body = _manifest(results, settings.clock.now())
            digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
            output.put(f"{root}/manifest.json.md5", settings.md5_sidecar(digest).encode())
            output.put(f"{root}/manifest.json", body)
        except (ClientError, BotoCoreError, PermissionError) as error:
            raise JobFailedError(
                settings.failure_codes.report_forbidden,
                "The job report could not be written to your report bucket. Please check your permissions",
            ) from error


class _ResultFile:
    """The rows of one status: CRLF, no header, hashed as they are written."""

    def __init__(self, status: str) -> None:
        self._status = status
        self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._digest = hashlib.md5(usedforsecurity=False)
        self._buffer = io.StringIO(newline="")
        self._csv = csv.writer(self._buffer, lineterminator="\r\n")
        self.rows = 0

    def add(self, task: Task, outcome: Outcome) -> None:
        _, status, code, message = outcome
        version = "" if task.version_id is None else task.version_id or r"\N"
        self._csv.writerow((task.bucket, task.key, version, self._status, status, code, message))
        self.rows += 1
        if not self.rows % 500:
            self._flush()

    def _flush(self) -> None:
        data = self._buffer.getvalue().encode()
        self._buffer.seek(0)
        self._buffer.truncate()
        self._digest.update(data)
        self._file.write(data)

    def publish(self, output: Output, root: str, job_id: str) -> dict[str, str]:
        self._flush()
        name = hashlib.sha1(f"{job_id}/{self._status}".encode(), usedforsecurity=False).hexdigest()
        key = f"{root}/results/{name}.csv"
        self._file.seek(0)
        output.stream(key, self._file)
        return {
            "TaskExecutionStatus": self._status,
            "Bucket": output.bucket,
            "MD5Checksum": self._digest.hexdigest(),
            "Key": key,
        }

    def close(self) -> None:
        self._file.close()


class Output:
    """Objects written with the job role, encrypted as reports are unless told otherwise. Raises PermissionError."""

    def __init__(
        self,
        session: JobSession,
        bucket: str,
        settings: Settings,
        encryption: dict[str, str] | None = None,
    ) -> None:
        self._session = session
        self._settings = settings
        self._s3 = session.s3(bucket)
        self._encryption = encryption or settings.report_encryption
        self.bucket = bucket

    def put(self, key: str, body: bytes) -> str:
        """Write an object; return its ETag."""
        self._check(key)
        answer = self._call("put_object", Bucket=self.bucket, Key=key, Body=body, **self._encryption)
        return str(answer["ETag"])

    def stream(self, key: str, file: IO[bytes]) -> None:
        """Write an object of any size from a file, in parts of 8 MiB where one is not enough."""
        first = file.read(_PART)
        if len(first) < _PART:
            self.put(key, first)
            return
        self._check(key)
        upload = {"Bucket": self.bucket, "Key": key}
        upload["UploadId"] = self._call("create_multipart_upload", **upload, **self._encryption)["UploadId"]
        parts: list[dict[str, Any]] = []
        chunk = first
        while chunk:
            number = len(parts) + 1
            etag = self._call("upload_part", **upload, PartNumber=number, Body=chunk)["ETag"]
            parts.append({"PartNumber": number, "ETag": etag})
            chunk = file.read(_PART)
        self._call("complete_multipart_upload", **upload, MultipartUpload={"Parts": parts})

    def _check(self, key: str) -> None:
        extra = {
            "s3:x-amz-server-side-encryption": self._encryption.get("ServerSideEncryption"),
            "s3:ObjectCreationOperation": "true",
        }
        if not self._session.may_object("s3:PutObject", self.bucket, key, extra):
            raise PermissionError(key)

    def _call(self, name: str, **parameters: Any) -> Any:
        return patiently(lambda: getattr(self._s3, name)(**parameters), self._settings)


def _manifest(results: list[dict[str, str]], now: datetime) -> bytes:
    document = {
        "Format": "Report_CSV_20180820",
        "ReportCreationDate": now.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z",
        "Results": results,
        "ReportSchema": SCHEMA,
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode()
