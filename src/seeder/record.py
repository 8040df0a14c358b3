"""The record of a run: what became of it, written once as `runs/<run id>/run.json`."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError
from pydantic import BaseModel

from seeder import bill
from seeder.errors import Conflict, NotYetVisible, code_of
from seeder.listing.counting import IN_A_RECORD
from seeder.report import Failure
from seeder.request import Request
from seeder.verdict import Verdict

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from seeder.cost import Cost
    from seeder.manifest import Progress
    from seeder.run import Run
    from seeder.verify import Verification
    from seeder.work import Work

_SUBJECT_CHARACTERS = 100
_CAUSE_CHARACTERS = 1000
_OF_A_JOB = ("id", "region", "operation", "round", "status", "total", "succeeded", "failed")


class Record(BaseModel):
    """How a run ended. `error` and `cause` are empty when `state` is Complete; one that is Skipped did nothing.

    `total`, `succeeded` and `failed` count objects (or versions), `restored` those whose restoration was started.
    `replica` is what the comparison of both buckets found: "equal", "extra" (all is there, and more), "differs", or ""
    when it was not made. `stages` are seconds by state. Costs are in USD, rounded up to a cent, `+` at the end where
    something is not known.

    `census` is what was to be seeded, the members of `seeder.listing.counting.Census`: `objects` and `bytes`, divided
    by `classes` {storage class: [objects, bytes]} and by `prefixes` {first part of the key: [objects, bytes]}; what is
    under no prefix of these is `other_prefixes` [objects, bytes]. The prefix "" are the keys without any `/`; one that
    does not end in `/` was cut. `large` of the objects (`large_bytes`) are over 5 GiB; `unsized` ones are counted with
    no bytes. `archived` {storage class: [objects, bytes]} are not among `objects`. Maps are in no order. Where a run
    ended in an error while it listed, this is what it had seen. It is {} where nothing was listed.

    `bill` are the lines of both costs, {"name", "quantity", "unit", "usd", "sure"}: `quantity` a whole number of `unit`
    ("bytes", "requests", …), `usd` a text of digits with 4 decimals, rounded up, `sure` whether the price is
    "confirmed", "second-hand" or "unconfirmed". A list is empty where that cost is not known: "actual" for every run
    that ended in an error, "estimated" where it had not listed all.
    """

    run_id: str
    state: Literal["Complete", "Failed", "Skipped"]
    event: str
    subject: str
    error: str = ""
    cause: str = ""
    source: str = ""
    destination: str = ""
    operation: str = ""
    request: dict[str, Any] = {}
    started_at: str = ""
    ended_at: str = ""
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    restored: int = 0
    large: int = 0
    archived: int = 0
    archived_manifests: list[str] = []
    failures: list[Failure] = []
    failure_files: list[str] = []
    replica: str = ""
    verification: dict[str, Any] = {}
    jobs: list[dict[str, Any]] = []
    job_ids: list[str] = []
    estimated_usd: str = ""
    actual_usd: str = ""
    stages: dict[str, float] = {}
    census: dict[str, Any] = {}
    bill: dict[str, list[dict[str, Any]]] = {"estimated": [], "actual": []}


def of_run(
    run: Run,
    manifest: Progress,
    work: Work,
    verification: Verification,
    verdict: Verdict,
    *,
    ended_at: str = "",
    estimated: Cost | None = None,
    actual: Cost | None = None,
    stages: dict[str, float] | None = None,
) -> Record:
    """Record a run that came to its end, as it was judged; costs and seconds by state as far as they are known."""
    pair = f"{run.source.name} → {run.destination.name}"
    jobs = [job for job in work.jobs if job.id]
    return Record(
        run_id=run.run_id,
        state=verdict.state,
        event=_event(verdict.state),
        subject=_subject(f"{verdict.state}: {pair}"),
        error=verdict.error,
        cause=verdict.cause[:_CAUSE_CHARACTERS],
        source=run.source.name,
        destination=run.destination.name,
        operation=run.operation,
        request=run.request.model_dump(exclude_defaults=True),
        started_at=run.started_at,
        ended_at=ended_at,
        total=manifest.count + manifest.large_count,
        succeeded=work.succeeded,
        failed=work.failed,
        restored=work.restored,
        large=manifest.large_count,
        archived=manifest.archived_count,
        archived_manifests=[
            f"s3://{file.bucket}/{file.key}" for file in manifest.archived_files if file.count
        ],
        failures=work.failures,
        failure_files=[f"s3://{run.state_bucket}/{run.failures_key(name)}" for name in work.failure_files],
        replica=verification.result,
        verification=verification.model_dump(exclude={"ranges"}),
        jobs=[job.model_dump(include=set(_OF_A_JOB)) for job in jobs],
        job_ids=[job.id for job in jobs],
        estimated_usd=work.estimated_usd,
        actual_usd=bill.shown(actual) if actual else "",
        stages=stages or {},
        census=_census(manifest),
        bill=_lines(estimated, actual),
    )


def of_skip(run: Run, cause: str) -> Record:
    """Record a run that did nothing, for another had its pair."""
    return Record(
        run_id=run.run_id,
        state="Skipped",
        event=_event("Skipped"),
        subject=_subject(f"Skipped: {run.source.name} → {run.destination.name}"),
        cause=cause,
        source=run.source.name,
        destination=run.destination.name,
        operation=run.operation,
        request=run.request.model_dump(exclude_defaults=True),
        started_at=run.started_at,
        ended_at=run.started_at,
    )


def of_error(
    run_id: str,
    started_at: str,
    error: dict[str, Any],
    state: dict[str, Any],
    ended_at: str = "",
    *,
    manifest: Progress | None = None,
    estimated: Cost | None = None,
    stages: dict[str, float] | None = None,
) -> Record:
    """Record a run that ended in an error of a state: `error` as Step Functions catches it.

    `manifest` is how far its listing was, `estimated` what it would have cost, where it had listed all.
    """
    name, cause = str(error.get("Error", "Unknown")), str(error.get("Cause", ""))
    with suppress(ValueError, KeyError, TypeError):
        cause = str(json.loads(cause)["errorMessage"])
    asked = state.get("run", {}).get("request")
    request = Request.model_validate(asked).model_dump(exclude_defaults=True) if asked else state
    work = state.get("work") or {}
    jobs = [job for job in work.get("jobs", []) if job.get("id")]
    return Record(
        run_id=run_id,
        state="Failed",
        event=_event("Failed"),
        subject=_subject(f"Failed: {name}: {cause}"),
        error=name,
        cause=cause[:_CAUSE_CHARACTERS],
        source=str(request.get("source", "")),
        destination=str(request.get("destination", "")),
        operation=str((state.get("run") or {}).get("operation", "")),
        request={key: value for key, value in request.items() if key in Request.model_fields},
        started_at=started_at,
        ended_at=ended_at,
        total=manifest.count + manifest.large_count if manifest else 0,
        succeeded=int(work.get("succeeded", 0)),
        failed=int(work.get("failed", 0)),
        failures=work.get("failures", []),
        jobs=[{name: job.get(name) for name in _OF_A_JOB} for job in jobs],
        job_ids=[job["id"] for job in jobs],
        estimated_usd=str(work.get("estimated_usd", "")) or (bill.shown(estimated) if estimated else ""),
        stages=stages or {},
        census=_census(manifest) if manifest else {},
        bill=_lines(estimated, None),
    )


def write(s3: S3Client, bucket: str, record: Record) -> Record:
    """Write the record, once; return the one that stands: the first, whoever wrote it and died before telling.

    Raises Conflict where that is not of this run, NotYetVisible while another writes, ClientError.
    """
    key = f"runs/{record.run_id}/run.json"
    body = record.model_dump_json(indent=2).encode()
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json", IfNoneMatch="*")
    except ClientError as error:
        if code_of(error) == "ConditionalRequestConflict":
            raise NotYetVisible(f"another call writes s3://{bucket}/{key}") from error
        if code_of(error) != "PreconditionFailed":
            raise
        stands = Record.model_validate_json(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        if stands.started_at != record.started_at:
            raise Conflict(f"s3://{bucket}/{key} is the record of another run of this name") from error
        return stands
    return record


def _census(manifest: Progress) -> dict[str, Any]:
    return manifest.census.kept(IN_A_RECORD).model_dump(mode="json")


def _lines(estimated: Cost | None, actual: Cost | None) -> dict[str, list[dict[str, Any]]]:
    both = {"estimated": estimated, "actual": actual}
    return {name: bill.lines(told) if told else [] for name, told in both.items()}


def _event(state: str) -> str:
    return {"Complete": "Seeding Completed", "Skipped": "Seeding Skipped"}.get(state, "Seeding Failed")


def _subject(text: str) -> str:
    """SNS takes at most 100 ASCII characters without line breaks (API reference, Publish)."""
    plain = " ".join(text.replace("→", "to").encode("ascii", "replace").decode().split())
    return plain[:_SUBJECT_CHARACTERS]
