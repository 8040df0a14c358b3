"""How far a job of S3 Batch Operations is, for whoever follows a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3


def looker(session: boto3.Session, execution_arn: str) -> Callable[[dict[str, Any]], tuple[int, int]]:
    """Return a function that gives a run's job document its tasks done, and in all; asks S3 Control each time."""
    account = execution_arn.split(":")[4]

    def look(job: dict[str, Any]) -> tuple[int, int]:
        control = session.client("s3control", region_name=job["region"])
        seen = control.describe_job(AccountId=account, JobId=job["id"])["Job"]
        progress = seen.get("ProgressSummary") or {}
        done = progress.get("NumberOfTasksSucceeded", 0) + progress.get("NumberOfTasksFailed", 0)
        return done, progress.get("TotalNumberOfTasks", 0)

    return look
