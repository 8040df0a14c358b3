"""S3 Batch Operations jobs: created once however often asked, looked at as seldom as sensible."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder.errors import code_of
from seeder.run import Run
from seeder.sink import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3control import S3ControlClient

FIRST_LOOK_SECONDS = 30
SHORTEST_LOOK_SECONDS = 30
LONGEST_LOOK_SECONDS = 3600
LOOKS_PER_REMAINDER = 3
NOT_FOUND_SECONDS = 300
PRIORITY = 10
FINAL = frozenset({"Complete", "Cancelled", "Failed"})
_NOT_FOUND = frozenset({"NoSuchJob", "NoSuchJobException", "NotFoundException"})


class Job(BaseModel):
    """A job as last seen. Counts are 0 until AWS tells them.

    `next_look_seconds` is how long to wait now, `waited_seconds` how long was waited before the last look.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    region: str
    operation: str
    round: int = 0
    status: str = "New"
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    reasons: list[str] = []
    finished: bool = False
    waited_seconds: int = 0
    next_look_seconds: int = FIRST_LOOK_SECONDS


def request_token(run_id: str, manifest_etag: str, operation: str, round_number: int) -> str:
    """Return the ClientRequestToken of a job: derived, so that a repeated CreateJob finds the first job."""
    identity = "\n".join([run_id, manifest_etag.strip('"'), operation, str(round_number)])
    return hashlib.sha256(identity.encode()).hexdigest()


def create_copy(s3control: S3ControlClient, run: Run, manifest: Upload, role_arn: str) -> Job:
    """Create the job that copies the manifest's objects to the destination, or find it if it was created.

    `s3control` is a client of the destination's region. Raises ClientError.
    """
    answer = s3control.create_job(
        AccountId=run.account_id,
        ConfirmationRequired=False,
        ClientRequestToken=request_token(run.run_id, manifest.etag, run.operation, 0),
        Description=f"seeder {run.run_id}"[:256],
        Operation={"S3PutObjectCopy": {"TargetResource": f"arn:aws:s3:::{run.destination.name}"}},
        Manifest={
            "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
            "Location": {
                "ObjectArn": f"arn:aws:s3:::{manifest.bucket}/{manifest.key}",
                "ETag": manifest.etag.strip('"'),
            },
        },
        Report={
            "Enabled": True,
            "Bucket": f"arn:aws:s3:::{manifest.bucket}",
            "Prefix": run.report_prefix,
            "Format": "Report_CSV_20180820",
            "ReportScope": "AllTasks",
        },
        Priority=PRIORITY,
        RoleArn=role_arn,
        Tags=[{"Key": "seeder-run", "Value": run.run_id}],
    )
    return Job(id=answer["JobId"], region=run.job_region, operation=run.operation)


def describe(s3control: S3ControlClient, account_id: str, job: Job) -> Job:
    """Look at a job and plan the next look. A job not found right after its creation is looked for again.

    Raises ClientError.
    """
    waited = job.waited_seconds + job.next_look_seconds
    try:
        seen: dict[str, Any] = dict(s3control.describe_job(AccountId=account_id, JobId=job.id)["Job"])
    except ClientError as error:
        if code_of(error) in _NOT_FOUND and waited <= NOT_FOUND_SECONDS:
            return job.model_copy(update={"waited_seconds": waited})
        raise
    progress = seen.get("ProgressSummary") or {}
    total = progress.get("TotalNumberOfTasks") or 0
    succeeded = progress.get("NumberOfTasksSucceeded") or 0
    failed = progress.get("NumberOfTasksFailed") or 0
    return job.model_copy(
        update={
            "status": seen["Status"],
            "total": total,
            "succeeded": succeeded,
            "failed": failed,
            "reasons": [reason["FailureReason"] for reason in seen.get("FailureReasons", [])],
            "finished": seen["Status"] in FINAL,
            "waited_seconds": waited,
            "next_look_seconds": next_look(waited, succeeded + failed, total),
        }
    )


def next_look(elapsed: float, done: int, total: int) -> int:
    """Return the seconds to wait before looking again: a third of what remains, from 30 s to an hour.

    A job that has not begun is given as long again as it has taken so far.
    """
    remaining = elapsed * (total - done) / done if done else elapsed
    return int(min(max(remaining / LOOKS_PER_REMAINDER, SHORTEST_LOOK_SECONDS), LONGEST_LOOK_SECONDS))
