"""What whoever follows a run asks beside its history: how far its job of S3 Batch Operations is, and its listing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from seeder import telling
from seeder.errors import AccessDenied, UnexpectedAnswer, translate

if TYPE_CHECKING:
    import boto3


def looker(session: boto3.Session, execution_arn: str) -> Callable[[dict[str, Any]], tuple[int, int]]:
    """Return a function that gives a run's job document its tasks done, and in all; asks S3 Control each time.

    Where the job is not to be seen, it gives what the run itself saw last. It raises ClientError for what passes.
    """
    account, clients = execution_arn.split(":")[4], dict[str, Any]()

    def look(job: dict[str, Any]) -> tuple[int, int]:
        region = job["region"]
        if region not in clients:
            clients[region] = session.client("s3control", region_name=region)
        try:
            seen = clients[region].describe_job(AccountId=account, JobId=job["id"])["Job"]
        except ClientError as error:
            if isinstance(translate(error), (AccessDenied, UnexpectedAnswer)):
                return (job["succeeded"] or 0) + (job["failed"] or 0), job["total"] or 0
            raise
        progress = seen.get("ProgressSummary") or {}
        done = progress.get("NumberOfTasksSucceeded", 0) + progress.get("NumberOfTasksFailed", 0)
        return done, progress.get("TotalNumberOfTasks", 0)

    return look


def note_reader(
    s3: Any, state_bucket: str, clock: Callable[[], float] = time.monotonic
) -> Callable[[str, str], int | None]:
    """Return a function that gives a run's id and a state about how many keys its walk has listed, None if not told.

    It asks S3 no more often than notes are written.
    """
    asked_at: float | None = None
    place, keys = ("", ""), None

    def read(run_id: str, state: str) -> int | None:
        nonlocal asked_at, place, keys
        if place != (run_id, state):
            # What a note of an earlier state says is no more; a fresh one is some seconds off.
            place, keys, asked_at = (run_id, state), None, None
        if asked_at is None or clock() - asked_at >= telling.EVERY_SECONDS:
            asked_at = clock()
            note = telling.read(s3, state_bucket, run_id, state)
            keys = note.keys if note else keys
        return keys

    return read
