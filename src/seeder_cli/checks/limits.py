"""How near an account is to the limits that runs meet.

Contracts: S3 User Guide, "S3 Batch Operations" (six active jobs for an account); Lambda developer guide, "Lambda
quotas" and "Understanding Lambda function scaling" (new accounts begin with fewer).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from seeder_cli.checks.aws import Aws
from seeder_cli.checks.finding import Verdict, ok, unknown, warning

GROUP = "Limits"
ACTIVE_JOBS = 6
# A job that copies large objects calls its function for many objects at once; a fleet needs a few more.
CONCURRENCY = 100
ACTIVE = (
    "New",
    "Preparing",
    "Ready",
    "Active",
    "Pausing",
    "Paused",
    "Suspended",
    "Completing",
    "Cancelling",
    "Failing",
)


def active_jobs(aws: Aws, regions: Iterable[str]) -> Verdict:
    """Whether another S3 Batch Operations job can begin; the limit is the account's, the list a region's."""
    asked = sorted(set(regions))
    jobs = [job for region in asked for job in _jobs(aws, region)]
    where = " and ".join(asked)
    said = f"{len(jobs)} of {ACTIVE_JOBS} jobs are active in {where}"
    if len(jobs) >= ACTIVE_JOBS:
        return warning(
            f"{said}; the next waits until one ends",
            "wait, or cancel one that is not needed: aws s3control update-job-status --account-id "
            f"{aws.account} --region {asked[0]} --job-id {jobs[0]['JobId']} --requested-job-status Cancelled",
        )
    return ok(said)


def _jobs(aws: Aws, region: str) -> list[dict[str, Any]]:
    control = aws.client("s3control", region)
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        answer = control.list_jobs(AccountId=aws.account, JobStatuses=list(ACTIVE), **more)
        found += answer.get("Jobs", [])
        if not answer.get("NextToken"):
            return found
        more = {"NextToken": answer["NextToken"]}


def concurrency(aws: Aws) -> Verdict:
    """Whether Lambda lets enough functions run at once."""
    limit = aws.client("lambda").get_account_settings().get("AccountLimit", {})
    free = limit.get("UnreservedConcurrentExecutions")
    if free is None:
        return unknown("this endpoint does not tell the limit of concurrent executions")
    said = f"{free} functions may run at once in {aws.region}"
    if free < CONCURRENCY:
        return warning(
            f"{said}; jobs for objects over 5 GiB and large fleets would be throttled",
            "ask for more: Service Quotas, AWS Lambda, Concurrent executions",
        )
    return ok(said)
