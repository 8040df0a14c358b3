"""Everything that is settled before a job's first task: role, regions, owners, manifest."""

from __future__ import annotations

from localcloud.batch_operations import store
from localcloud.batch_operations.exceptions import JobFailedError
from localcloud.batch_operations.manifest import TaskSource, open_csv_manifest
from localcloud.batch_operations.models import Job
from localcloud.batch_operations.session import RoleSession, assume


def prepare(job: Job) -> tuple[RoleSession, TaskSource]:
    """Return the job's role, assumed, and its tasks. Raises JobFailedError with what stands in the way."""
    session = assume(job, job.settings.failure_codes)
    _check_report(job)
    _check_target(job)
    source = _open(job, session)
    return session, source


def _open(job: Job, session: RoleSession) -> TaskSource:
    manifest = job.request["Manifest"]
    return open_csv_manifest(manifest, session, job.settings)


def _check_report(job: Job) -> None:
    report = job.request["Report"]
    if report["Enabled"]:
        check_owner(job, report["Bucket"], report.get("ExpectedBucketOwner"))


def check_owner(job: Job, bucket_arn: str, expected: str | None) -> None:
    """Raise JobFailedError if a bucket belongs to another account than expected."""
    name = bucket_arn.split(":::", 1)[1]
    if expected and store.owner(name) != expected:
        reason = f"The bucket {name} is not owned by the expected account {expected}"
        raise JobFailedError(job.settings.failure_codes.owner, reason)


def _check_target(job: Job) -> None:
    if job.operation != "S3PutObjectCopy":
        return
    name = job.request["Operation"]["S3PutObjectCopy"]["TargetResource"].split(":::", 1)[1]
    check_region(job, name, "The destination bucket")


def check_region(job: Job, name: str, what: str) -> None:
    """Raise JobFailedError if a bucket does not exist or lies outside the job's region."""
    held = store.bucket(name)
    codes = job.settings.failure_codes
    if held is None:
        raise JobFailedError(codes.bucket_missing, f"{what} {name} does not exist")
    if held.region_name != job.region:
        reason = f"{what} {name} is in {held.region_name}: the job must be created in that region, not in {job.region}"
        raise JobFailedError(codes.region, reason)
