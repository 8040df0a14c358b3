"""Stops a run from outside: its execution, its job, and what both left; its record then tells of it.

An aborted execution runs no state more, so what RecordFailure does is done here, by the user's own credentials. All of
it can be repeated: whoever is interrupted cancels again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from seeder import closing
from seeder.clients import Clients
from seeder.errors import NotYetVisible, code_of
from seeder.record import Record
from seeder.run import Run
from seeder.settings import Settings
from seeder_cli.checks.stack import read_resources
from seeder_cli.errors import CommandError
from seeder_cli.history import History, Passage
from seeder_cli.job_ending import end_jobs

if TYPE_CHECKING:
    from seeder_cli.place import Place

CANCELLED = "Cancelled"
STOP_SECONDS, POLL_SECONDS = 30.0, 0.5
MOST_TRIES = 5
_COPIER = "CopyLargeObject"


def cancel_run(
    place: Place,
    execution_arn: str,
    who: str,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Record:
    """Stop a run, or tidy up after one that was stopped; return its record, which tells if it ended before that.

    `who` is told in the record's cause; `say` is given a line for each step. Raises CommandError where the execution
    does not stop, ClientError and SeederError.
    """
    states = place.client("stepfunctions")
    cause = f"stopped by {who} with seeder cancel"
    is_running = states.describe_execution(executionArn=execution_arn)["status"] == "RUNNING"
    if is_running:
        states.stop_execution(executionArn=execution_arn, error=CANCELLED, cause=cause)
        say("Stopped the execution")
    execution = _stopped(states, execution_arn, sleep)
    passage = Passage()
    for event in History(states, execution_arn).fresh():
        passage.take(event)
    if ended := passage.stages.get("record"):
        return Record.model_validate(ended)
    clients = Clients(place.session)
    run = Run.model_validate(passage.run) if passage.run else None
    if run and "work" in passage.stages:
        work = end_jobs(clients, run, passage.stages["work"], passage.state == "CreateJob", cause, say, sleep)
        passage.stages["work"] = work
    record = _record(place, clients, execution, passage, _error(execution, passage, cause, is_running), sleep)
    if run:
        count = _end_uploads(clients, run)
        if record.error == CANCELLED:
            say(
                f"Gave up unfinished files{f' ({count} uploads)' if count else ''}, and the claim on the pair"
            )
    return record


def _stopped(states: Any, execution_arn: str, sleep: Callable[[float], None]) -> dict[str, Any]:
    """Return an execution that has ended; waits for that."""
    waited = 0.0
    while (seen := states.describe_execution(executionArn=execution_arn))["status"] == "RUNNING":
        if waited >= STOP_SECONDS:
            raise CommandError(
                f"{execution_arn} still runs {waited:.0f} s after it was stopped; cancel it again", status=1
            )
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    return dict(seen)


def _error(execution: dict[str, Any], passage: Passage, cause: str, is_stopped_here: bool) -> dict[str, str]:
    """Return why a run ended, as Step Functions catches errors."""
    if execution["status"] == "ABORTED":
        # What was stopped before may tell by whom.
        cause = execution.get("cause") or cause
    else:
        told = execution.get("cause") or f"the execution ended as {execution['status']}"
        error = execution.get("error") or execution["status"]
        if not is_stopped_here:
            return {"Error": error, "Cause": told}
        cause = f"{cause}, when it was failing ({error}: {told})"
    kept = "; what it copied stays there: seeder retry seeds the rest" if "work" in passage.stages else ""
    return {"Error": CANCELLED, "Cause": f"{cause}, in the state {passage.state}{kept}"}


def _record(
    place: Place,
    clients: Clients,
    execution: dict[str, Any],
    passage: Passage,
    error: dict[str, str],
    sleep: Callable[[float], None],
) -> Record:
    """Close the run as RecordFailure does; return the record that stands."""
    state = {**passage.stages, "error": error}
    started_at = passage.run.get("started_at") or _iso(execution["startDate"])
    ended_at = _iso(execution.get("stopDate") or datetime.now(UTC))
    settings = Settings(
        state_bucket=place.outputs["StateBucketName"],
        job_role_arn="",
        replication_role_arn="",
        copy_function_arn=_copier(place, state),
    )
    for left in reversed(range(MOST_TRIES)):
        try:
            return closing.fail(execution["name"], started_at, ended_at, state, clients, settings)
        except NotYetVisible:
            if not left:
                raise
            sleep(POLL_SECONDS)
    raise AssertionError("unreachable")


def _copier(place: Place, state: dict[str, Any]) -> str:
    """Return the name of the function that copies large objects, by which its uploads are known; "" without need."""
    if not any(file["count"] for file in (state.get("manifest") or {}).get("large_files", [])):
        return ""
    with suppress(ClientError):
        resources = read_resources(place.client("cloudformation"), place.stack)
        return next((item.id for item in resources if item.logical_id == _COPIER), "")
    return ""


def _end_uploads(clients: Clients, run: Run) -> int:
    """Abort the uploads of a run that its history does not tell of: those of a call that was under way."""
    home, located = clients.s3(clients.region), run.manifest_bucket
    places = [
        (home, run.state_bucket, run.folder),
        (home, run.state_bucket, run.failures_key("").removesuffix(".csv")),
    ]
    if located:
        places.append((clients.s3(located.region), located.name, run.manifest_folder))
    count = 0
    for s3, bucket, prefix in places:
        pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
        for upload in [item for page in pages for item in page.get("Uploads", [])]:
            try:
                s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
            except ClientError as error:
                if code_of(error) != "NoSuchUpload":
                    raise
            count += 1
    return count


def _iso(at: datetime) -> str:
    """Return a time as Step Functions' context has it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
