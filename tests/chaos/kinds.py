"""Every kind of fault that is drawn, what it strikes, and which of them a run has to get over."""

from __future__ import annotations

from localcloud.faults import Fault
from tests.chaos.strikes import CALLS, DEATHS, INVOCATIONS

TRIGGERS = {
    "by hand": 10,
    "a rule is added": 4,
    "schedule": 3,
    "fleet of two pairs": 3,
    "overlapping runs": 4,
}
CALLS_OF = {
    "ResolveRequest": 9,
    "ClaimPair": 2,
    "EnsureRoles": 7,
    "EnableReplication": 9,
    "PaginateKeys": 9,
    "PlanJobs": 0,
    "CreateJob": 1,
    "DescribeJob": 1,
    "ParseReport": 8,
    "VerifyReplica": 4,
    "RecordRun": 12,
    "RecordFailure": 12,
    "CopyLargeObject": 18,
    "ResolvePairs": 4,
    "RecordFleet": 3,
}
"""About how many calls to AWS each function makes, so that most strikes find one."""
OF_FLEETS = ("ResolvePairs", "RecordFleet")
WRITING = (
    "ClaimPair",
    "PaginateKeys",
    "ParseReport",
    "RecordRun",
    "RecordFailure",
    "RecordFleet",
    "ResolvePairs",
)
SWAPPING = ("ClaimPair", "RecordRun", "RecordFailure", "ResolvePairs", "EnableReplication")
DENIED = "~"
"""Begins one key alone, so that a fault can be its own."""
PREFIX = "logs/"
HOUR = 3600.0
INTERPRETED = 40
"""Seeds that this divides go through Step Functions, as moto interprets it."""
NOT_INTERPRETED = ("delivered again", "others write", "suspended, then")

JOB_FAULTS: dict[str, Fault] = {
    "job cancelled": Fault(effect="cancel", times=1),
    "job failed by AWS": Fault(effect="fail", code="InternalError", times=1),
    "job paused": Fault(effect="pause", seconds=2 * HOUR, times=2),
    "report late": Fault(effect="late_report", seconds=240, times=2),
    "report missing": Fault(effect="no_report", times=1),
    "report with a wrong MD5": Fault(effect="wrong_md5", times=1),
    "job not found at first": Fault(operation="DescribeJob", status=404, code="NoSuchJobException", times=3),
    "job vanished": Fault(operation="DescribeJob", status=404, code="NoSuchJobException", times=10_000),
    "a task fails for good": Fault(key_prefix=DENIED, status=403, code="AccessDenied"),
    "tasks fail and pass": Fault(status=503, code="SlowDown", times=2),
}
CONDITIONS = (
    "roles settle late",
    "one active job at a time, others wait",
    "one active job at a time, others are refused",
    "job suspended, then confirmed",
    "job suspended, then cancelled",
    "job suspended, and forgotten",
    "functions out of time",
    "inputs delivered again at once",
    "inputs delivered again later",
    "others write to the source",
    "others write to the destination",
    "replication slow",
    "StartExecution throttled",
    "event delivered twice",
    "events delivered late and out of order",
)
LASTING = "dies at every call from then on"
KINDS = (*CALLS, *DEATHS, *INVOCATIONS, LASTING, *JOB_FAULTS, *CONDITIONS)
"""Every kind of fault."""

# A run that meets no other kinds than these has to succeed.
PASSING = frozenset({*CALLS, *DEATHS, *INVOCATIONS, *JOB_FAULTS, *CONDITIONS}) - {
    "somebody writes at a call",
    "job cancelled",
    "job failed by AWS",
    "report missing",
    "report with a wrong MD5",
    "job vanished",
    "a task fails for good",
    "job suspended, then cancelled",
    "job suspended, and forgotten",
    "others write to the source",
    "others write to the destination",
}
