"""S3 Batch Operations jobs: created once however often asked, looked at as seldom as sensible.

Contracts: API reference, CreateJob, DescribeJob; S3 User Guide, "Tracking job status and completion reports".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder.errors import InvalidRequest, code_of
from seeder.large.invocation import SCHEMA_VERSION, Arguments
from seeder.roles import Roles
from seeder.roles.settling import settling
from seeder.run import Kind, Run
from seeder.settings import Settings
from seeder.sink import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3control import S3ControlClient

FIRST_LOOK_SECONDS = 30
SHORTEST_LOOK_SECONDS = 30
# A look comes after a third of what remains, and never after more than a third of what has passed: a job that
# gets faster is still seen to end in time, and the looks grow with the logarithm of its length.
LOOKS_PER_REMAINDER = 3
LOOKS_PER_ELAPSED = 3
# Near the end, what remains is waited for at once; a tail that drags on is looked at each time it is so much longer.
NEAR_END = 0.05
SHORTEST_SHARE = 0.02
# A job that was just created, or long ago, may not be found for a moment (S3 User Guide, "Troubleshooting").
LOOKS_IN_VAIN = 10
MOST_REASONS = 5
PLANNED, VANISHED = "Planned", "Vanished"
FINAL = frozenset({"Complete", "Cancelled", "Failed", VANISHED})
_NOT_FOUND = frozenset({"NoSuchJob", "NoSuchJobException", "NotFoundException"})


class Job(BaseModel):
    """A job, planned or as last seen. Counts are None until AWS tells them, for absent is not zero.

    `attempt` counts the rounds that are bounded, `round` all of them. `wait_seconds` is how long to wait now: until
    it is created, then until the next look; `waited_seconds` is how long was waited since its creation, or for it.
    `looks` in a row that did not find it are `in_vain`. `settled` counts the jobs before it that came to nothing, for
    their role was not known everywhere.
    """

    model_config = ConfigDict(frozen=True)

    operation: Kind
    region: str
    manifest: Upload
    fields: list[str]
    round: int = 0
    attempt: int = 0
    settled: int = 0
    id: str = ""
    status: str = PLANNED
    total: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    active_seconds: int | None = None
    reasons: list[str] = []
    finished: bool = False
    read: bool = False
    looks: int = 0
    in_vain: int = 0
    waited_seconds: int = 0
    wait_seconds: int = 0

    @property
    def done(self) -> int:
        """The tasks that have ended, as far as is known."""
        return (self.succeeded or 0) + (self.failed or 0)


def request_token(
    run_id: str, manifest_etag: str, operation: str, round_number: int, settled: int = 0
) -> str:
    """Return the ClientRequestToken of a job: derived, so that a repeated CreateJob finds the first job."""
    again = [f"settled {settled}"] if settled else []
    identity = "\n".join([run_id, manifest_etag.strip('"'), operation, str(round_number), *again])
    return hashlib.sha256(identity.encode()).hexdigest()


def region_of(run: Run, kind: Kind) -> str:
    """Return where a job belongs: a copy in the destination's region, all others in the source's."""
    return run.destination.region if kind == "copy" else run.source.region


def require_home(run: Run, kind: Kind, home: str) -> None:
    """Raise InvalidRequest for large objects of another region than `home`, where the function that copies them is."""
    if kind == "large" and run.source.region != home:
        raise InvalidRequest(
            "source",
            f"'{run.source.name}' in {run.source.region} holds objects over 5 GiB, which only a function of that "
            f"region can copy, and this one is in {home}; deploy seeder in {run.source.region}, or ask for 'replicate'",
        )


def create(s3control: S3ControlClient, run: Run, job: Job, settings: Settings, roles: Roles) -> Job:
    """Create a planned job, or find it if it was created; `s3control` is a client of the job's region.

    Raises InvalidRequest where large objects can't be copied from this region, NotYetVisible where a role that was
    just made is refused, ClientError.
    """
    with settling(roles):
        answer = s3control.create_job(**_asked(run, job, settings, roles.job))
    return job.model_copy(
        update={
            "id": answer["JobId"],
            "status": "New",
            "waited_seconds": 0,
            "wait_seconds": FIRST_LOOK_SECONDS,
        }
    )


def _asked(run: Run, job: Job, settings: Settings, role_arn: str) -> Any:
    """Return the parameters of CreateJob."""
    reports, etag = run.report_bucket, job.manifest.etag
    return {
        "AccountId": run.account_id,
        "ConfirmationRequired": run.request.confirm,
        "ClientRequestToken": request_token(run.run_id, etag, job.operation, job.round, job.settled),
        "Description": f"seeder {run.run_id} {job.operation} {job.round}"[:256],
        "Operation": _operation(run, job, settings),
        "Manifest": _manifest(job),
        "Report": {
            "Enabled": True,
            "Bucket": f"arn:aws:s3:::{reports.name if reports else run.state_bucket}",
            "Prefix": run.report_prefix,
            "Format": "Report_CSV_20180820",
            "ReportScope": "AllTasks",
        },
        "Priority": run.request.priority,
        "RoleArn": role_arn,
        "Tags": [{"Key": "seeder-run", "Value": run.run_id}],
    }


def _manifest(job: Job) -> Any:
    file = job.manifest
    return {
        "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": job.fields},
        "Location": {"ObjectArn": f"arn:aws:s3:::{file.bucket}/{file.key}", "ETag": file.etag.strip('"')},
    }


def _operation(run: Run, job: Job, settings: Settings) -> Any:
    if job.operation == "copy":
        return {"S3PutObjectCopy": {"TargetResource": f"arn:aws:s3:::{run.destination.name}"}}
    if job.operation == "replicate":
        return {"S3ReplicateObject": {}}
    if job.operation == "restore":
        days, tier = run.request.restore_days, run.request.restore_tier
        return {"S3InitiateRestoreObject": {"ExpirationInDays": days, "GlacierJobTier": tier}}
    require_home(run, job.operation, settings.copy_function_arn.split(":")[3])
    arguments = Arguments(
        run_id=run.run_id,
        destination=run.destination.name,
        destination_region=run.destination.region,
        source_region=run.source.region,
    )
    return {
        "LambdaInvoke": {
            "FunctionArn": settings.copy_function_arn,
            "InvocationSchemaVersion": SCHEMA_VERSION,
            "UserArguments": arguments.model_dump(),
        }
    }


def describe(s3control: S3ControlClient, account_id: str, job: Job) -> Job:
    """Look at a job and plan the next look. One that is not found is looked for again, and then given up as Vanished.

    Raises ClientError.
    """
    waited = job.waited_seconds + job.wait_seconds
    try:
        seen: dict[str, Any] = dict(s3control.describe_job(AccountId=account_id, JobId=job.id)["Job"])
    except ClientError as error:
        if code_of(error) not in _NOT_FOUND:
            raise
        return _not_found(job, waited, str(error))
    progress = seen.get("ProgressSummary") or {}
    now = job.model_copy(
        update={
            "status": seen["Status"],
            "total": progress.get("TotalNumberOfTasks"),
            "succeeded": progress.get("NumberOfTasksSucceeded"),
            "failed": progress.get("NumberOfTasksFailed"),
            "active_seconds": (progress.get("Timers") or {}).get("ElapsedTimeInActiveSeconds"),
            "reasons": _reasons(seen, job, account_id),
            "finished": seen["Status"] in FINAL,
            "looks": job.looks + 1,
            "in_vain": 0,
            "waited_seconds": waited,
        }
    )
    return now.model_copy(update={"wait_seconds": next_look(now, job)})


def _not_found(job: Job, waited: int, error: str) -> Job:
    """Return a job that was looked for in vain: looked for again soon, or given up."""
    update: dict[str, Any] = {
        "looks": job.looks + 1,
        "in_vain": job.in_vain + 1,
        "waited_seconds": waited,
        "wait_seconds": SHORTEST_LOOK_SECONDS,
    }
    if job.in_vain + 1 == LOOKS_IN_VAIN:
        update |= {"status": VANISHED, "finished": True, "reasons": [error]}
    return job.model_copy(update=update)


def _reasons(seen: Mapping[str, Any], job: Job, account_id: str) -> list[str]:
    """Return why a job is as it is, as far as AWS says, or what it waits for."""
    told = [_told(reason) for reason in seen.get("FailureReasons", [])[:MOST_REASONS]]
    if seen["Status"] == "Suspended":
        told.append(
            f"it waits to be confirmed: aws s3control update-job-status --account-id {account_id} "
            f"--region {job.region} --job-id {job.id} --requested-job-status Ready"
        )
    elif why := seen.get("StatusUpdateReason"):
        told.append(why)
    return told


def _told(reason: Mapping[str, str]) -> str:
    """Return a JobFailure of DescribeJob in words; both its members are optional."""
    return ": ".join(filter(None, (reason.get("FailureCode"), reason.get("FailureReason"))))


def next_look(now: Job, before: Job) -> int:
    """Return the seconds to wait before looking again, at least 30, by how the job went on since the last look."""
    elapsed, most = now.waited_seconds, now.waited_seconds / LOOKS_PER_ELAPSED
    passed = elapsed - before.waited_seconds
    rate = max(now.done / elapsed if elapsed else 0, (now.done - before.done) / passed if passed else 0)
    wait = most
    if rate and now.total is not None:
        remaining = (now.total - now.done) / rate
        share = 1 if remaining < NEAR_END * elapsed else LOOKS_PER_REMAINDER
        wait = min(most, remaining / share)
    return int(max(wait, SHORTEST_LOOK_SECONDS, SHORTEST_SHARE * elapsed))
