"""The files of a completion report: which there are, and their bytes from any row on.

Contract: S3 User Guide, "Examples: S3 Batch Operations completion reports": `manifest.json` names the result files,
each with its MD5 in lower-case hexadecimal. The form of `manifest.json.md5` is not documented, so it is not read.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seeder.documents import parsed, problem_of
from seeder.errors import UnexpectedAnswer, code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READ_BYTES = 1024 * 1024
# A manifest.json names each of its files in some hundred bytes.
MOST_MANIFEST_BYTES = 16 * 1024 * 1024


class ResultFile(BaseModel):
    """One file of rows. `status` is that of all its rows where it is `succeeded` or `failed`."""

    model_config = ConfigDict(frozen=True)

    bucket: str = Field(alias="Bucket", pattern=r"^[A-Za-z0-9._-]{3,255}$")
    key: str = Field(alias="Key", min_length=1)
    md5: str = Field(alias="MD5Checksum")
    status: str = Field(alias="TaskExecutionStatus")

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Results(BaseModel):
    """What a manifest.json says of its report. `mark` is the MD5 of the document itself."""

    files: list[ResultFile] = Field(alias="Results")
    mark: str


def manifest_key(prefix: str, job_id: str) -> str:
    """Return where a job's report is announced. S3 puts one slash after the prefix, whatever its end."""
    return f"{prefix}/job-{job_id}/manifest.json" if prefix else f"job-{job_id}/manifest.json"


def find(s3: S3Client, bucket: str, key: str) -> Results | None:
    """Return what the manifest.json at `key` says, None if there is none. Raises UnexpectedAnswer, ClientError."""
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read(MOST_MANIFEST_BYTES + 1)
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey"}:
            return None
        raise
    announced = f"s3://{bucket}/{key} does not announce a completion report"
    if len(body) > MOST_MANIFEST_BYTES:
        raise UnexpectedAnswer(f"{announced}: it has more than {MOST_MANIFEST_BYTES} bytes")
    try:
        return Results.model_validate({**parsed(body), "mark": hashlib.md5(body).hexdigest()})
    except ValidationError as error:
        raise UnexpectedAnswer(f"{announced}: {problem_of(error)}") from error
    except (ValueError, TypeError) as error:
        raise UnexpectedAnswer(f"{announced}: {error}") from error


class Stream:
    """A result file from `offset` (bytes) on; `etag` is that of earlier reads, which it must still have.

    Raises UnexpectedAnswer for a file that is gone, or not that which was read before; ClientError.
    """

    def __init__(self, s3: S3Client, file: ResultFile, offset: int, etag: str) -> None:
        self._file = file
        try:
            if offset:
                answer = s3.get_object(
                    Bucket=file.bucket, Key=file.key, Range=f"bytes={offset}-", IfMatch=etag
                )
            else:
                answer = s3.get_object(Bucket=file.bucket, Key=file.key)
        except ClientError as error:
            if code_of(error) in {"404", "NoSuchKey", "412", "PreconditionFailed"}:
                problem = f"{file}, a file of the completion report, is gone or was changed: {error}"
                raise UnexpectedAnswer(problem) from error
            raise
        self.etag = answer["ETag"]
        self.size = offset + answer["ContentLength"]
        self._body = answer["Body"]
        self._digest = None if offset else hashlib.md5()
        # S3 User Guide, "Checking object integrity": the ETag is the MD5 unless there were parts or another encryption.
        self._etag_is_md5 = answer.get("ServerSideEncryption") == "AES256" and "-" not in self.etag

    def read(self) -> bytes:
        """Return the next bytes; none at the end."""
        chunk = self._body.read(READ_BYTES)
        if self._digest:
            self._digest.update(chunk)
        return chunk

    def check(self) -> None:
        """Raise UnexpectedAnswer unless the file, now read to its end, has the MD5 that the report says.

        A file read in several calls has its ETag for this; one uploaded in parts has none that tells, and is known
        only to be the same in each call.
        """
        if self._digest:
            md5 = self._digest.hexdigest()
        elif self._etag_is_md5:
            md5 = self.etag.strip('"')
        else:
            return
        if md5 != self._file.md5.lower():
            raise UnexpectedAnswer(f"{self._file}: its MD5 is {md5}, but manifest.json says {self._file.md5}")

    def close(self) -> None:
        """Leave the connection."""
        self._body.close()
