"""A run and what its stages make of it, for tests that need no AWS."""

from __future__ import annotations

from typing import Any, Literal

from seeder.buckets import Bucket
from seeder.manifest import Progress
from seeder.report import Failure, ReportProgress
from seeder.request import Request
from seeder.roles import Roles
from seeder.run import Run
from seeder.settings import Settings
from seeder.sink import Upload
from seeder.verify import Verification

ACCOUNT = "123456789012"
HOME, EUROPE = "us-east-1", "eu-west-1"
STARTED_AT = "2026-01-31T00:00:00Z"
SETTINGS = Settings(
    state_bucket="state",
    job_role_arn=f"arn:aws:iam::{ACCOUNT}:role/jobs",
    replication_role_arn="",
    copy_function_arn=f"arn:aws:lambda:{HOME}:{ACCOUNT}:function:copy",
)
ROLES = Roles(job=SETTINGS.job_role_arn)


def run_of(
    operation: Literal["copy", "replicate"] = "copy", source: str = HOME, run_id: str = "run", **asked: Any
) -> Run:
    """Return a run from `source` to Europe; `asked` are fields of its request."""
    return Run(
        run_id=run_id,
        started_at=STARTED_AT,
        account_id=ACCOUNT,
        request=Request(source="source", destination="destination", **asked),
        source=Bucket(name="source", region=source, versioning=""),
        destination=Bucket(name="destination", region=EUROPE, versioning=""),
        state_bucket="state",
        operation=operation,
    )


def manifests_of(
    operation: str = "copy", own: tuple[int, ...] = (), large: int = 0, archived: int = 0, **members: Any
) -> Progress:
    """Return finished manifests of so many rows; those of the operation itself are in as many files as numbers."""
    fresh = Progress.fresh("state", "runs/run/", operation)
    files = [_split(fresh.copy_files[0], own), _split(fresh.large_files[0], (large,))]
    files.append(_split(fresh.archived_files[0], (archived,)))
    return fresh.with_manifests(files, done=True, count=sum(own), **members)


def _split(first: Upload, counts: tuple[int, ...]) -> tuple[Upload, ...]:
    files = []
    for number, count in enumerate(counts or (0,), 1):
        key = first.key if number == 1 else f"{first.key.removesuffix('.csv')}-{number}.csv"
        made = {"parts": 1, "count": count, "upload_id": "u", "etag": f'"{key}"'} if count else {}
        files.append(first.model_copy(update={"key": key, **made}))
    return tuple(files)


def failure(code: str = "SlowDown", count: int = 1, kind: str = "retryable", **members: Any) -> Failure:
    """Return a group of failures, with its code as its advice."""
    given = {"example_key": "k", "message": "m", "advice": f"See to {code}.", **members}
    return Failure.model_validate({"code": code, "count": count, "kind": kind, **given})


def read(fresh: ReportProgress, succeeded: int = 0, *failures: Failure, **members: Any) -> ReportProgress:
    """Return a report read to its end; files are made where they have rows, as `seeder.report` makes them."""
    failed = sum(item.count for item in failures)
    retryable = sum(item.count for item in failures if item.kind == "retryable")
    update: dict[str, Any] = {
        "total": succeeded + failed,
        "succeeded": succeeded,
        "failed": failed,
        "failures": list(failures),
        "retryable": retryable,
        "fields": ["Bucket", "Key"],
        "done": True,
        **members,
    }
    for name, count in (("retry_file", update["retryable"]), ("failures_file", failed)):
        file: Upload = getattr(fresh, name)
        made = {"parts": 1, "count": count, "upload_id": "u", "etag": f'"{file.key}"'}
        update[name] = file.model_copy(update=made) if count else file
    return fresh.model_copy(update=update)


def verified(result: str = "equal", **members: Any) -> Verification:
    """Return a verification that is done."""
    fresh = Verification.fresh("state", "runs/run/")
    return fresh.model_copy(update={"done": True, "result": result, "ranges": [], **members})
