"""The summary of a fleet: how many pairs were equal, seeded, failed or skipped, and why; written once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, get_args

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from seeder import record
from seeder.errors import AlreadyExists, code_of
from seeder.lake import objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READERS = 16
# Of so many pairs the execution's output tells; all are in the object in the state bucket.
MOST_ROWS = 100
MOST_WHY_CHARACTERS = 300
# What StartExecution answers (Step Functions developer guide, "Start a new AWS Step Functions state machine from a
# running execution").
_NOT_STARTED = ("StepFunctions.", "Sfn.")


Outcome = Literal["failed", "skipped", "seeded", "equal", "started"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class Ran(BaseModel):
    """What the state machine knows of one run: `state` as its record has it, or Repeated, or Started.

    `error` is the name of the error that the state machine met, of a run that Failed.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    source: str
    destination: str
    state: Literal["Complete", "Failed", "Skipped", "Repeated", "Started"]
    error: str = ""


class Row(BaseModel):
    """What became of one pair, and why."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    state: str
    run_id: str
    source: str
    destination: str
    total: int = 0
    why: str = ""


class FleetRecord(BaseModel):
    """How a fleet ended. Failed means that a pair failed; `runs` are all pairs, the failed first."""

    model_config = ConfigDict(frozen=True)

    fleet_id: str
    state: Literal["Complete", "Failed"]
    event: str
    subject: str
    started_at: str
    ended_at: str
    pairs: int
    equal: int = 0
    seeded: int = 0
    failed: int = 0
    skipped: int = 0
    started: int = 0
    runs: list[Row] = []
    address: str = ""


def summarise(
    s3: S3Client, state_bucket: str, fleet_id: str, started_at: str, ended_at: str, runs: Sequence[Any]
) -> FleetRecord:
    """Return the summary of a fleet's runs, written once as `fleets/<fleet id>/summary.json`, its runs cut to 100.

    `runs` are documents of the shape of `Ran`. Can be repeated. Raises what `lake.objects` and S3 raise.
    """
    ran = [Ran.model_validate(item) for item in runs]
    with ThreadPoolExecutor(READERS) as readers:
        rows = list(readers.map(lambda one: _row(s3, state_bucket, one), ran))
    counts: Counter[str] = Counter(row.outcome for row in rows)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome])
    state: Literal["Complete", "Failed"] = "Failed" if counts["failed"] else "Complete"
    made = FleetRecord(
        fleet_id=fleet_id,
        state=state,
        event=f"Fleet {'Failed' if counts['failed'] else 'Completed'}",
        subject=f"{state}: {len(rows)} pairs: {told}"[:100],
        started_at=started_at,
        ended_at=ended_at,
        pairs=len(rows),
        equal=counts["equal"],
        seeded=counts["seeded"],
        failed=counts["failed"],
        skipped=counts["skipped"],
        started=counts["started"],
        runs=sorted(rows, key=lambda row: (OUTCOMES.index(row.outcome), row.source, row.destination)),
    )
    key = f"fleets/{fleet_id}/summary.json"
    made = _write(s3, state_bucket, key, made)
    return made.model_copy(update={"runs": made.runs[:MOST_ROWS], "address": f"s3://{state_bucket}/{key}"})


def _write(s3: S3Client, bucket: str, key: str, made: FleetRecord) -> FleetRecord:
    """Write the summary; return the one that stands, which is that of the first call."""
    try:
        objects.create(
            s3, bucket, key, made.model_dump_json(indent=2).encode(), content_type="application/json"
        )
    except AlreadyExists:
        stands = objects.read(s3, bucket, key)
        return FleetRecord.model_validate_json(stands.body) if stands else made
    return made


def _row(s3: S3Client, state_bucket: str, ran: Ran) -> Row:
    row = Row(outcome="started", **ran.model_dump())
    if ran.state == "Started":
        return row
    if ran.state == "Repeated":
        return row.model_copy(update={"outcome": "skipped", "why": "this trigger was delivered before"})
    found = _record(s3, state_bucket, ran.run_id)
    if found is None:
        return row.model_copy(update={"outcome": "failed", "why": _unrecorded(ran.error)})
    ended = {"outcome": _outcome(found), "total": found.total, "why": found.cause[:MOST_WHY_CHARACTERS]}
    return row.model_copy(update=ended)


def _unrecorded(error: str) -> str:
    """Return why a run has no record, by the error that starting or awaiting it met, and what to do."""
    if error.startswith(_NOT_STARTED):
        return (
            f"it could not be started ({error}); the fleet's execution says why in its state SeedFailed: mend that, "
            "then seed the pair again"
        )
    return (
        f"it left no record ({error or 'not known why'}), as when it is stopped by hand; the execution of that name "
        "says how it ended: seed the pair again"
    )


def _outcome(found: record.Record) -> Outcome:
    if found.state == "Skipped":
        return "skipped"
    if found.state == "Failed":
        return "failed"
    return "seeded" if found.job_ids else "equal"


def _record(s3: S3Client, state_bucket: str, run_id: str) -> record.Record | None:
    try:
        body = s3.get_object(Bucket=state_bucket, Key=f"runs/{run_id}/run.json")["Body"].read()
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey"}:
            return None
        raise
    return record.Record.model_validate_json(body)
