"""Everything that is settled before a job's first task: role, regions, owners, manifest."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from localcloud.batch_operations.exceptions import JobFailedError
from localcloud.batch_operations.generator import generate
from localcloud.batch_operations.inventory import open_inventory_manifest
from localcloud.batch_operations.manifest import INVENTORY_FORMAT, TaskSource, open_csv_manifest
from localcloud.batch_operations.session import assume

if TYPE_CHECKING:
    from localcloud.batch_operations.job import Job
    from localcloud.batch_operations.job_session import JobSession


def prepare(job: Job) -> tuple[JobSession, TaskSource]:
    """Return the session of the job and its tasks. Raises JobFailedError with what stands in the way."""
    begin = job.settings.begin_session
    session = begin(job) if begin else assume(job, job.settings.failure_codes)
    _check_report(job, session)
    _check_target(job, session)
    source = _open(job, session)
    try:
        _check_objects(job, session, source)
    except JobFailedError:
        source.close()
        raise
    return session, source


def _open(job: Job, session: JobSession) -> TaskSource:
    generator = job.request.get("ManifestGenerator")
    if generator:
        return _generated(job, generator["S3JobManifestGenerator"], session)
    manifest = job.request["Manifest"]
    if manifest["Spec"]["Format"] == INVENTORY_FORMAT:
        return open_inventory_manifest(manifest["Location"], session, job.settings)
    return open_csv_manifest(manifest, session, job.settings)


def _generated(job: Job, generator: dict[str, Any], session: JobSession) -> TaskSource:
    name = generator["SourceBucket"].split(":::", 1)[1]
    _check_region(job, session, name, "The source bucket")
    _check_owner(job, session, generator["SourceBucket"], generator.get("ExpectedBucketOwner"))
    output = generator.get("ManifestOutputLocation") or {}
    if generator["EnableManifestOutput"]:
        _check_owner(job, session, output["Bucket"], output.get("ExpectedManifestBucketOwner"))
    source, job.generated_manifest = generate(generator, job.operation, job.id, session, job.settings)
    return source


def _check_objects(job: Job, session: JobSession, source: TaskSource) -> None:
    if job.operation == "S3PutObjectCopy":
        return
    with closing(source.tasks()) as tasks:
        name = next(tasks).bucket
    if session.region_of(name):
        _check_region(job, session, name, "The objects' bucket")


def _check_report(job: Job, session: JobSession) -> None:
    report = job.request["Report"]
    if report["Enabled"]:
        _check_owner(job, session, report["Bucket"], report.get("ExpectedBucketOwner"))


def _check_owner(job: Job, session: JobSession, bucket_arn: str, expected: str | None) -> None:
    """Raise JobFailedError if a bucket belongs to another account than expected."""
    name = bucket_arn.split(":::", 1)[1]
    if expected and session.owner_of(name) != expected:
        reason = f"The bucket {name} is not owned by the expected account {expected}"
        raise JobFailedError(job.settings.failure_codes.owner, reason)


def _check_target(job: Job, session: JobSession) -> None:
    if job.operation != "S3PutObjectCopy":
        return
    name = job.request["Operation"]["S3PutObjectCopy"]["TargetResource"].split(":::", 1)[1]
    _check_region(job, session, name, "The destination bucket")


def _check_region(job: Job, session: JobSession, name: str, what: str) -> None:
    """Raise JobFailedError if a bucket does not exist or lies outside the job's region."""
    region = session.region_of(name)
    codes = job.settings.failure_codes
    if region is None:
        raise JobFailedError(codes.bucket_missing, f"{what} {name} does not exist")
    if region != job.region:
        reason = f"{what} {name} is in {region}: create the job there, not in {job.region}"
        raise JobFailedError(codes.region, reason)
