"""S3JobManifestGenerator: a manifest made from a bucket's versions, kept as an object if the job asks.

Contract: API reference, S3JobManifestGenerator; S3 User Guide, "Create a batch replication job".
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.batch_operations import store
from localcloud.batch_operations.exceptions import JobFailedError
from localcloud.batch_operations.filters import selection
from localcloud.batch_operations.manifest import TaskSource, text_of
from localcloud.batch_operations.report import Output
from localcloud.batch_operations.task import Task

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from localcloud.batch_operations.job_session import JobSession
    from localcloud.batch_operations.settings import Settings

FORMAT = "S3InventoryReport_CSV_20211130"
NO_KEYS = "Manifest generation found no keys matching the filter criteria."
NOT_WRITTEN = "Error occurred when preparing manifest: Failed to write manifest"
_REPLICATE = "S3ReplicateObject"


def generate(
    generator: dict[str, Any], operation: str, job_id: str, session: JobSession, settings: Settings
) -> tuple[TaskSource, dict[str, Any] | None]:
    """Return the tasks and the GeneratedManifestDescriptor (None without output). Raises JobFailedError."""
    bucket = generator["SourceBucket"].split(":::", 1)[1]
    wanted = generator.get("Filter") or {}
    _check_permissions(bucket, wanted, session, settings)
    file: IO[bytes] = TemporaryFile()  # noqa: SIM115 - outlives this call
    try:
        total = _write(_selected(bucket, wanted, operation, settings), file)
        if not total:
            raise JobFailedError(settings.failure_codes.generator_empty, NO_KEYS)
        descriptor = None
        if generator["EnableManifestOutput"]:
            location = generator["ManifestOutputLocation"]
            descriptor = _keep(file, location, bucket, job_id, session, settings)
    except BaseException:
        file.close()
        raise
    return TaskSource(total, lambda: _read(file), file.close), descriptor


def _check_permissions(bucket: str, wanted: dict[str, Any], session: JobSession, settings: Settings) -> None:
    needed = ["s3:PutInventoryConfiguration"]
    if wanted.get("EligibleForReplication") is not None:
        needed.append("s3:GetReplicationConfiguration")
    for action in needed:
        if not session.may(action, f"arn:aws:s3:::{bucket}", bucket):
            reason = f"Error occurred when preparing manifest: the role may not perform {action} on {bucket}"
            raise JobFailedError(settings.failure_codes.generator_forbidden, reason)


def _selected(bucket: str, wanted: dict[str, Any], operation: str, settings: Settings) -> Iterator[Task]:
    selects = selection(wanted, lambda _, version: _eligible(bucket, version))
    every_version = operation == _REPLICATE or settings.generator_all_versions
    for key, version, is_latest in store.versions(bucket):
        if (is_latest or every_version) and selects(key, version):
            yield Task(bucket, quote(key, safe="/"), version.version_id)


def _eligible(bucket: str, version: Any) -> bool:
    from localcloud.replication import configuration, replica, rules

    config = configuration.of_bucket(store.bucket(bucket))
    return bool(config and rules.matching(config, replica.describe(version)))


def _write(tasks: Iterator[Task], file: IO[bytes]) -> int:
    total = 0
    with text_of(file) as text:
        rows = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for task in tasks:
            rows.writerow(task)
            total += 1
    return total


def _read(file: IO[bytes]) -> Generator[Task, None, None]:
    with text_of(file) as text:
        for bucket, key, version_id in csv.reader(text):
            yield Task(bucket, key, version_id)


def _keep(
    file: IO[bytes],
    location: dict[str, Any],
    source: str,
    job_id: str,
    session: JobSession,
    settings: Settings,
) -> dict[str, Any]:
    target = location["Bucket"].split(":::", 1)[1]
    output = Output(session, target, settings, _encryption(location.get("ManifestEncryption") or {}))
    root = f"{location['ManifestPrefix']}/job-{job_id}" if location.get("ManifestPrefix") else f"job-{job_id}"
    try:
        with TemporaryFile() as zipped:
            digest = _zip(file, zipped)
            size = zipped.tell()
            zipped.seek(0)
            data_key = (
                f"{root}/data/{hashlib.sha1(job_id.encode(), usedforsecurity=False).hexdigest()}.csv.gz"
            )
            output.stream(data_key, zipped)
        body = json.dumps(
            {
                "sourceBucket": source,
                "destinationBucket": location["Bucket"],
                "version": "2021-11-30",
                "creationTimestamp": str(int(settings.clock.now().timestamp() * 1000)),
                "fileFormat": "CSV",
                "fileSchema": "Bucket, Key, VersionId",
                "files": [{"key": data_key, "size": size, "MD5checksum": digest}],
            }
        ).encode()
        checksum = hashlib.md5(body, usedforsecurity=False).hexdigest()
        output.put(f"{root}/manifest.checksum", checksum.encode())
        etag = output.put(f"{root}/manifest.json", body)
    except (ClientError, BotoCoreError, PermissionError) as error:
        raise JobFailedError(settings.failure_codes.generator_write, NOT_WRITTEN) from error
    arn = f"{location['Bucket']}/{root}/manifest.json"
    return {"Format": FORMAT, "Location": {"ObjectArn": arn, "ETag": etag.strip('"')}}


def _zip(file: IO[bytes], zipped: IO[bytes]) -> str:
    file.seek(0)
    with gzip.GzipFile(fileobj=zipped, mode="wb", mtime=0) as packer:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            packer.write(chunk)
    zipped.seek(0)
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in iter(lambda: zipped.read(1 << 20), b""):
        digest.update(chunk)
    return digest.hexdigest()


def _encryption(wanted: dict[str, Any]) -> dict[str, str]:
    if "SSEKMS" in wanted:
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": wanted["SSEKMS"]["KeyId"]}
    return {"ServerSideEncryption": "AES256"}
