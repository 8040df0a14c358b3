"""The jobs of a run, one after another: what is to be done next, decided by pure functions.

An account has few active jobs (S3 User Guide, "S3 Batch Operations quotas"), so a run has one at a time: first its
objects, then those over 5 GiB, then the restorations; each followed by the rounds that try again what failed for a
passing reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from seeder.advice import OTHERS
from seeder.endurance import wait_after
from seeder.errors import UnexpectedAnswer
from seeder.jobs import VANISHED, Job, region_of
from seeder.manifest import Progress
from seeder.report import Failure, ReportProgress, check_counts
from seeder.report_tally import OTHER_CODES
from seeder.roles import Roles
from seeder.roles.settling import may_be_of_a_role
from seeder.run import Kind, Run
from seeder.sink import Upload

Step = Literal["create", "pause", "look", "report", "done"]

FIRST_ROUND_SECONDS, LONGEST_ROUND_SECONDS = 60, 900
SHORTEST_TURN_SECONDS, LONGEST_TURN_SECONDS = 60, 3600
TURN_GROWTH = 4
FIRST_SETTLING_SECONDS, MOST_SETTLINGS = 30, 5
# Rounds that only go on with unfinished large objects are not counted as attempts, but are not without end either.
MOST_ROUNDS = 80
# The state of an execution is small (256 KiB), and has more to hold than this.
MOST_GROUPS = 30
MOST_PROBLEMS = 10
UNFINISHED = "OutOfTime:"


class Work(BaseModel):
    """What a run's jobs have done and have left to do; the state of the middle of its execution.

    `succeeded` and `failed` count objects, not tasks: one that succeeds in a later round has succeeded. Those whose
    restoration was begun are `restored`, and nothing else. `failures` are final, by code; `failure_files` are names
    for `Run.failures_key`. `report` is how far the current job's report is read. `problems` are sentences on what was
    not as it should be. `next` is the step to take now, `wait_seconds` the wait before it, if it is one.
    """

    model_config = ConfigDict(frozen=True)

    jobs: list[Job] = []
    succeeded: int = 0
    failed: int = 0
    restored: int = 0
    failures: list[Failure] = []
    failure_files: list[str] = []
    report: ReportProgress | None = None
    problems: list[str] = []
    estimated_usd: str = ""
    next: Step = "done"
    wait_seconds: int = 0

    @property
    def current(self) -> Job | None:
        """The first job that is not done with."""
        return next((job for job in self.jobs if not job.read), None)

    @property
    def the_current(self) -> Job:
        """The current job, where the state machine comes only while there is one. Raises UnexpectedAnswer."""
        job = self.current
        if job is None:
            raise UnexpectedAnswer(
                "a Work that this release does not understand: no job of it is left to be done; start the run again"
            )
        return job

    def with_current(self, job: Job) -> Work:
        """Return this work with the current job as it is now."""
        old = self.the_current
        return self._moved([job if item is old else item for item in self.jobs])

    def _moved(self, jobs: list[Job], **update: object) -> Work:
        """Return this work with other jobs, and what follows from them."""
        moved = self.model_copy(update={"jobs": jobs, **update})
        job = moved.current
        step: Step = "done"
        if job and job.finished:
            step = "report"
        elif job and job.id:
            step = "look"
        elif job:
            step = "pause" if job.wait_seconds else "create"
        return moved.model_copy(update={"next": step, "wait_seconds": job.wait_seconds if job else 0})


def plan(run: Run, manifests: Progress) -> Work:
    """Return the jobs for a run's manifests, none created yet."""
    kinds: list[tuple[Kind, Iterable[Upload]]] = [(run.operation, manifests.copy_files)]
    kinds += [("large", manifests.large_files)] if run.operation == "copy" else []
    kinds += [("restore", manifests.archived_files)] if run.request.restore else []
    fields = ["Bucket", "Key"] + (["VersionId"] if run.operation == "replicate" else [])
    jobs = [
        Job(operation=kind, region=region_of(run, kind), manifest=file, fields=fields)
        for kind, files in kinds
        for file in files
        if file.count
    ]
    return Work()._moved(jobs)


def turn_awaited(work: Work) -> Work:
    """Return the work after its job could not be created yet, for AWS runs as many as it may: try again later."""
    job = work.the_current
    waited = job.waited_seconds + job.wait_seconds
    wait = wait_after(waited, TURN_GROWTH, SHORTEST_TURN_SECONDS, LONGEST_TURN_SECONDS)
    return work.with_current(job.model_copy(update={"waited_seconds": waited, "wait_seconds": wait}))


def looked(work: Work, job: Job, roles: Roles) -> Work:
    """Return the work after a look at its current job.

    One that failed before its first task, for a role that this run has just made or changed, is created again after
    some time: 30 seconds first, then twice as long each time, five times.
    """
    is_early = job.status == "Failed" and not job.done and may_be_of_a_role(job.reasons)
    if not (roles.made and is_early and job.settled < MOST_SETTLINGS):
        return work.with_current(job)
    again = Job(
        operation=job.operation,
        region=job.region,
        manifest=job.manifest,
        fields=job.fields,
        round=job.round,
        attempt=job.attempt,
        settled=job.settled + 1,
        wait_seconds=FIRST_SETTLING_SECONDS << job.settled,
    )
    at = work.jobs.index(work.the_current)
    return work._moved([*work.jobs[:at], _put_away(job), again, *work.jobs[at + 1 :]])


def fresh_report(run: Run, work: Work) -> ReportProgress:
    """Return the progress of the current job's report, not begun."""
    name = _name(work.the_current)
    return ReportProgress.fresh(run.state_bucket, f"{run.folder}rounds/{name}.csv", run.failures_key(name))


def _name(job: Job) -> str:
    """Return the name of a job's files: that of its first round's manifest, and its round."""
    stem = job.manifest.key.rpartition("/")[2].removesuffix(".csv")
    return f"{stem.rpartition('-')[0] if job.round else stem}-{job.round}"


def reported(run: Run, work: Work, report: ReportProgress) -> Work:
    """Return the work after a piece of the current job's report was read; once all is, with the next round planned."""
    if not report.done:
        return work.model_copy(update={"report": report})
    job = work.the_current
    again = _next_round(run, job, report)
    final = _never_retried(report) if again else report.failures
    at = work.jobs.index(job)
    jobs = [*work.jobs[:at], _put_away(job), *([again] if again else []), *work.jobs[at + 1 :]]
    files = [_name(job)] if report.failures_file.etag else []
    counted = "restored" if job.operation == "restore" else "succeeded"
    return work._moved(
        jobs,
        **{counted: getattr(work, counted) + report.succeeded},
        failed=work.failed + sum(failure.count for failure in final),
        failures=merged(work.failures, final),
        failure_files=work.failure_files + files,
        report=None,
        problems=[*work.problems, *_problems(job, report)][:MOST_PROBLEMS],
    )


def _put_away(job: Job) -> Job:
    """Return a job that is done with, without what nobody asks for any more."""
    rows = Upload(bucket="", key="", count=job.manifest.count)
    return job.model_copy(update={"read": True, "manifest": rows, "fields": [], "reasons": []})


def _never_retried(report: ReportProgress) -> list[Failure]:
    """Return the failures of a report that its retry manifest does not hold."""
    kept = [failure for failure in report.failures if failure.kind != "retryable"]
    # The rarest codes are counted together, whatever their kind.
    retried = sum(failure.count for failure in kept) - (report.failed - report.retryable)
    rest = [
        failure.model_copy(update={"count": failure.count - retried})
        if failure.code == OTHER_CODES
        else failure
        for failure in kept
    ]
    return [failure for failure in rest if failure.count]


def _next_round(run: Run, job: Job, report: ReportProgress) -> Job | None:
    """Return the job that tries again what can be, if there is anything and rounds are left."""
    if not report.retryable or job.status != "Complete" or job.round == MOST_ROUNDS:
        return None
    unfinished = all(
        failure.message.startswith(UNFINISHED)
        for failure in report.failures
        if failure.kind == "retryable" or failure.code == OTHER_CODES
    )
    attempt = job.attempt + (0 if unfinished else 1)
    if attempt > run.request.rounds:
        return None
    wait = min(FIRST_ROUND_SECONDS * 2 ** max(attempt - 1, 0), LONGEST_ROUND_SECONDS)
    return Job(
        operation=job.operation,
        region=job.region,
        manifest=report.retry_file,
        fields=report.fields,
        round=job.round + 1,
        attempt=attempt,
        wait_seconds=SHORTEST_TURN_SECONDS if unfinished else wait,
    )


def _problems(job: Job, report: ReportProgress) -> list[str]:
    """Return what a job that has ended leaves to be told, beside its failures."""
    if job.status == VANISHED:
        return [f"job {job.id} is not found any more: {'; '.join(job.reasons)}"]
    rows = report.succeeded + report.failed
    if job.status != "Complete":
        reasons = "; ".join(job.reasons) or "S3 Batch Operations gave no reason"
        return [f"job {job.id} is {job.status} ({reasons}): {rows} of {job.manifest.count} tasks were run"]
    counts = check_counts(report, job.total, job.succeeded, job.failed)
    if counts:
        return [f"job {job.id}: {counts}"]
    if rows != job.manifest.count:
        return [
            f"job {job.id}: its report accounts for {rows} of the manifest's {job.manifest.count} objects"
        ]
    return []


def merged(failures: list[Failure], more: list[Failure]) -> list[Failure]:
    """Return failures of several rounds by code, most frequent first; the rarest beyond thirty are counted as one."""
    groups: dict[tuple[str, str], Failure] = {}
    for failure in [*failures, *more]:
        key = (failure.code, failure.advice)
        before = groups.get(key)
        groups[key] = before.model_copy(update={"count": before.count + failure.count}) if before else failure
    ordered = sorted(groups.values(), key=lambda item: (item.code == OTHER_CODES, -item.count, item.code))
    if len(ordered) > MOST_GROUPS:
        first, rest = ordered[: MOST_GROUPS - 1], ordered[MOST_GROUPS - 1 :]
        told = {"code": OTHER_CODES, "kind": OTHERS.kind, "advice": OTHERS.text}
        ordered = [*first, rest[0].model_copy(update={**told, "count": sum(item.count for item in rest)})]
    return sorted(ordered, key=lambda item: (-item.count, item.code))
