"""Follows a run from outside, by what Step Functions tells of its execution."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from seeder_cli.display import Display
from seeder_cli.errors import CommandError
from seeder_cli.history import History, Passage
from seeder_cli.patiently import patiently
from seeder_cli.stages import LookAtJob, ReadNote, doing

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

POLL_SECONDS, LONGEST_POLL_SECONDS = 0.25, 15.0
# Where nothing has happened for long, the next look may come late.
POLLS_PER_QUIET = 30


@dataclass
class Outcome:
    """How a run ended, as its execution tells; `error` and `cause` are empty on success."""

    run_id: str
    status: str
    history_events: int
    error: str = ""
    cause: str = ""
    stages: dict[str, Any] = field(default_factory=dict)


class Look(NamedTuple):
    """What a look at an execution showed: its description, and the events since the look before, oldest first."""

    execution: dict[str, Any]
    events: list[Any]

    @property
    def is_last(self) -> bool:
        """Whether the execution has ended."""
        return bool(self.execution["status"] != "RUNNING")


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
    look_at_job: LookAtJob,
    sleep: Callable[[float], None] = time.sleep,
    poll: float = POLL_SECONDS,
    *,
    read_note: ReadNote = lambda run_id, state: None,
    clock: Callable[[], float] = time.monotonic,
    come_back: str = "",
) -> Outcome:
    """Show a run's stages as they pass, until its execution ends.

    `look_at_job` is given the run's job document and returns tasks done and in all; `read_note` tells how far a
    listing is, as `stages.ReadNote`. `poll` is the pause between looks in seconds; it grows while nothing happens.
    `come_back` is the command that goes on with an attachment that ends before the run. Raises CommandError where it
    must, for credentials that have expired or a network that stays away, and ClientError.
    """
    come_back = come_back or f"seeder attach {execution_arn.rpartition(':')[2]}"
    passage = Passage()
    count = 0
    for look in looks(states, execution_arn, come_back, sleep, poll, clock):
        count += len(look.events)
        for event in look.events:
            passage.take(event)
            for line in _lines(event, passage.stages):
                display.line(line)
        if look.is_last:
            break
        if now := patiently(lambda: doing(passage, look_at_job, read_note), come_back, sleep):
            display.progress(*now)
    execution = look.execution
    return Outcome(
        run_id=execution["name"],
        status=execution["status"],
        history_events=count,
        error=execution.get("error", ""),
        cause=execution.get("cause", ""),
        stages=passage.stages,
    )


def looks(
    states: SFNClient,
    execution_arn: str,
    come_back: str,
    sleep: Callable[[float], None] = time.sleep,
    poll: float = POLL_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Look]:
    """Look at an execution again and again, at least once; the last look sees its end. The rest is as for `follow`."""
    history, happened_at = History(states, execution_arn), clock()
    while True:
        # In this order: the history of what has ended is whole.
        execution = patiently(lambda: states.describe_execution(executionArn=execution_arn), come_back, sleep)
        look = Look(dict(execution), patiently(history.fresh, come_back, sleep))
        yield look
        if look.is_last:
            return
        happened_at = clock() if look.events else happened_at
        sleep(min(max(poll, (clock() - happened_at) / POLLS_PER_QUIET), LONGEST_POLL_SECONDS))


def _lines(event: dict[str, Any], stages: dict[str, Any]) -> Iterator[str]:
    """Yield what an event means to a user, in lines that stay; `stages` as they are after it."""
    if entered := event.get("stateEnteredEventDetails"):
        if entered["name"] == "PaginateKeys" and "manifest" not in stages:
            yield f"Creating manifest for bucket: {stages['run']['source']['name']}"
    elif left := event.get("stateExitedEventDetails"):
        if left["name"] == "PaginateKeys":
            yield from _manifests(stages)
        elif left["name"] == "ClaimPair" and "claim" in stages:
            yield from _claim(stages["claim"])
        elif left["name"] == "CreateJob" and "work" in stages:
            yield from _job(stages)


def _claim(claim: dict[str, Any]) -> Iterator[str]:
    if claim["next"] == "wait" and not claim["waited_seconds"]:
        yield f"Waiting for another run of this pair: {claim['held_by']}"


def _manifests(stages: dict[str, Any]) -> Iterator[str]:
    manifest, run = stages.get("manifest") or {}, stages["run"]
    if not manifest.get("done"):
        return
    if manifest["count"]:
        for file in manifest["copy_files"]:
            yield f"Uploading manifest: s3://{file['bucket']}/{file['key']}"
    elif manifest.get("compared"):
        yield f"Nothing to seed: {run['destination']['name']} lacks nothing"
    else:
        yield f"Nothing to copy: {run['source']['name']} holds no objects"


def _job(stages: dict[str, Any]) -> Iterator[str]:
    job = next((job for job in stages["work"]["jobs"] if not job["read"]), None)
    if job and job["id"]:
        yield f"Created s3 batch job: {job['id']}{_aside(job)}"
        if stages["run"]["request"]["confirm"]:
            yield f"Confirm it with: {_confirmation(stages['run'], job)}"


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
