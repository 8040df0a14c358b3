"""The record of a run: what became of it, written once as `runs/<run id>/run.json`."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pydantic import BaseModel

from seeder.errors import Conflict, code_of
from seeder.jobs import Job
from seeder.manifest import Progress
from seeder.report import Report
from seeder.run import Run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TAKEN = frozenset({"ConditionalRequestConflict", "PreconditionFailed"})
_SUBJECT_CHARACTERS = 100
_CAUSE_CHARACTERS = 1000


class Record(BaseModel):
    """How a run ended. `error` and `cause` are empty when `state` is Complete."""

    run_id: str
    state: str
    subject: str
    error: str = ""
    cause: str = ""
    source: str = ""
    destination: str = ""
    started_at: str = ""
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    failures: list[dict[str, Any]] = []
    job_ids: list[str] = []


def of_run(run: Run, manifest: Progress, job: Job | None, report: Report | None) -> Record:
    """Judge a run that came to its end.

    It is Complete only if every object of the manifest has a row of success, or if there was nothing to copy.
    """
    told = report or Report()
    problem = _problem(manifest, job, told)
    state = "Failed" if problem else "Complete"
    pair = f"{run.source.name} → {run.destination.name}"
    return Record(
        run_id=run.run_id,
        state=state,
        subject=_subject(f"{state}: {pair}"),
        error="SeedingFailed" if problem else "",
        cause=problem[:_CAUSE_CHARACTERS],
        source=run.source.name,
        destination=run.destination.name,
        started_at=run.started_at,
        total=manifest.count,
        succeeded=told.succeeded,
        failed=told.failed,
        failures=[failure.model_dump() for failure in told.failures],
        job_ids=[job.id] if job else [],
    )


def of_error(run_id: str, started_at: str, error: dict[str, Any], state: dict[str, Any]) -> Record:
    """Record a run that ended in an error of a state: `error` as Step Functions catches it."""
    name, cause = str(error.get("Error", "Unknown")), str(error.get("Cause", ""))
    with suppress(ValueError, KeyError, TypeError):
        cause = str(json.loads(cause)["errorMessage"])
    request = state.get("run", {}).get("request") or state
    job = state.get("job") or {}
    return Record(
        run_id=run_id,
        state="Failed",
        subject=_subject(f"Failed: {name}: {cause}"),
        error=name,
        cause=cause[:_CAUSE_CHARACTERS],
        source=str(request.get("source", "")),
        destination=str(request.get("destination", "")),
        started_at=started_at,
        total=int((state.get("manifest") or {}).get("count", 0)),
        job_ids=[job["id"]] if "id" in job else [],
    )


def write(s3: S3Client, bucket: str, record: Record) -> None:
    """Write the record, once. Writing the same again is a success; raises Conflict for another, ClientError."""
    key = f"runs/{record.run_id}/run.json"
    body = record.model_dump_json(indent=2).encode()
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json", IfNoneMatch="*")
    except ClientError as error:
        if code_of(error) not in _TAKEN:
            raise
        if s3.get_object(Bucket=bucket, Key=key)["Body"].read() != body:
            raise Conflict(f"s3://{bucket}/{key} stands there already, with another content") from error


def _problem(manifest: Progress, job: Job | None, report: Report) -> str:
    """Return why the run is not Complete, in a sentence; empty when it is."""
    unfit = [
        f"{file.count} objects {why} (s3://{file.bucket}/{file.key})"
        for file, why in (
            (manifest.large_file, "over 5 GiB can't be copied by a job"),
            (manifest.archived_file, "are archived and must be restored first"),
        )
        if file.count
    ]
    if not manifest.count:
        return "; ".join(unfit)
    if report.failed:
        groups = ", ".join(
            f"{failure.code} {failure.count} (for example '{failure.example_key}')"
            for failure in report.failures
        )
        return f"{report.failed} of {manifest.count} objects were not copied: {groups}"
    status = job.status if job else "missing"
    if status != "Complete":
        reasons = "; ".join(job.reasons) if job else ""
        return f"job {status}: {reasons or 'S3 Batch Operations gave no reason'}"
    if report.succeeded != manifest.count:
        return f"the report accounts for {report.succeeded} of the manifest's {manifest.count} objects"
    return "; ".join(unfit)


def _subject(text: str) -> str:
    """SNS takes at most 100 ASCII characters without line breaks (API reference, Publish)."""
    plain = " ".join(text.replace("→", "to").encode("ascii", "replace").decode().split())
    return plain[:_SUBJECT_CHARACTERS]
