"""Follows a run from outside, by what Step Functions tells of its execution."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seeder_cli.display import Display
from seeder_cli.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

POLL_SECONDS = 0.25
_DOING = {"copy": "Copying", "replicate": "Replicating", "large": "Copying in parts", "restore": "Restoring"}


@dataclass
class Outcome:
    """How a run ended, as its execution tells; `error` and `cause` are empty on success."""

    run_id: str
    status: str
    history_events: int
    error: str = ""
    cause: str = ""
    stages: dict[str, Any] = field(default_factory=dict)


def wait_for_execution(
    states: SFNClient, machine_arn: str, seconds: float, sleep: Callable[[float], None] = time.sleep
) -> str:
    """Return the ARN of a state machine's first execution. Raises CommandError when none starts in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        executions = states.list_executions(stateMachineArn=machine_arn)["executions"]
        if executions:
            return executions[-1]["executionArn"]
        sleep(POLL_SECONDS)
    raise CommandError(f"no execution of {machine_arn} has started within {seconds:.0f} s", status=1)


def follow(
    states: SFNClient,
    execution_arn: str,
    display: Display,
    look_at_job: Callable[[dict[str, Any]], tuple[int, int]],
    sleep: Callable[[float], None] = time.sleep,
    poll: float = POLL_SECONDS,
) -> Outcome:
    """Show a run's stages as they pass, until its execution ends.

    `look_at_job` is given the run's job document and returns tasks done and in all. `poll` is the pause between looks.
    """
    stages: dict[str, Any] = {}
    seen = 0
    while True:
        execution = states.describe_execution(executionArn=execution_arn)
        events = _history(states, execution_arn)
        for event in events[seen:]:
            _tell(event, stages, display)
        seen = len(events)
        if execution["status"] != "RUNNING":
            return Outcome(
                run_id=execution["name"],
                status=execution["status"],
                history_events=seen,
                error=execution.get("error", ""),
                cause=execution.get("cause", ""),
                stages=stages,
            )
        jobs = (stages.get("work") or {}).get("jobs", [])
        if running := [job for job in jobs if job["id"] and not job["finished"]]:
            display.progress(_DOING[running[0]["operation"]], *look_at_job(running[0]))
        sleep(poll)


def _history(states: SFNClient, execution_arn: str) -> list[Any]:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
    return [event for page in pages for event in page["events"]]


def _tell(event: dict[str, Any], stages: dict[str, Any], display: Display) -> None:
    """Print what a history event means to a user, and keep what the stages said."""
    if "stateEnteredEventDetails" in event and event["stateEnteredEventDetails"]["name"] == "PaginateKeys":
        if "manifest" not in stages:
            bucket = json.loads(event["stateEnteredEventDetails"]["input"])["run"]["source"]["name"]
            display.line(f"Creating manifest for bucket: {bucket}")
            display.progress("Listing", 0)
        return
    details = event.get("stateExitedEventDetails")
    if details is None:
        return
    output = json.loads(details["output"])
    for line in _lines(details["name"], output):
        display.line(line)
    stages.update(output)


def _lines(state: str, output: dict[str, Any]) -> Iterator[str]:
    manifest = output.get("manifest") or {}
    if state == "PaginateKeys" and manifest.get("done"):
        if manifest["count"]:
            for file in manifest["copy_files"]:
                yield f"Uploading manifest: s3://{file['bucket']}/{file['key']}"
        elif manifest.get("compared"):
            yield f"Nothing to seed: {output['run']['destination']['name']} lacks nothing"
        else:
            yield f"Nothing to copy: {output['run']['source']['name']} holds no objects"
    elif state == "CreateJob" and "work" in output:
        job = next((job for job in output["work"]["jobs"] if not job["read"]), None)
        if job and job["id"]:
            yield f"Created s3 batch job: {job['id']}{_aside(job)}"
            if output["run"]["request"]["confirm"]:
                yield f"Confirm it with: {_confirmation(output['run'], job)}"


def _aside(job: dict[str, Any]) -> str:
    """What is special of a job: what it is for, if not the run's objects, and its round."""
    told = {"large": "objects over 5 GiB", "restore": "restoration of archived objects"}.get(job["operation"])
    parts = [told] if told else []
    parts += [f"round {job['round']}: {job['manifest']['count']} objects again"] if job["round"] else []
    return f" ({', '.join(parts)})" if parts else ""


def _confirmation(run: dict[str, Any], job: dict[str, Any]) -> str:
    return (
        f"aws s3control update-job-status --account-id {run['account_id']} --region {job['region']} "
        f"--job-id {job['id']} --requested-job-status Ready"
    )
