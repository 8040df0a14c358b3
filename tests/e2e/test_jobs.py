"""What a run does about each thing that can befall a job, and each error of CreateJob."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.faults import Fault
from tests.e2e.deployed import ACCOUNT, EUROPE, Deployed


def pair(deployed: Deployed) -> dict[str, Any]:
    return {"source": deployed.bucket(keys=["a", "b"]), "destination": deployed.bucket(EUROPE)}


def seeded(deployed: Deployed, *faults: Fault, **asked: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Seed a pair of buckets under faults; return how the run ended, and its record."""
    request = pair(deployed) | asked
    with deployed.faults(*faults):
        ended = deployed.seed(request)
    return ended, deployed.record(ended["name"])


def missing(operation: str, times: int | None = None, code: str = "NotFoundException") -> Fault:
    return Fault(operation=operation, status=400, code=code, times=times)


def test_a_paused_job_is_waited_for(deployed: Deployed) -> None:
    request = pair(deployed)
    with deployed.faults(Fault(effect="pause", seconds=900)):
        execution = deployed.start("Seed", request, name=f"paused-{request['source']}")
        deployed.job_of(f"paused-{request['source']}", EUROPE, "Paused")
        ended = deployed.wait(execution)
    assert ended["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault(effect="cancel"), "is Cancelled (Injected fault: cancel)"),
        (
            Fault(effect="fail", code="InternalError"),
            "is Failed (InternalError: Injected fault: InternalError)",
        ),
    ],
)
def test_a_job_that_does_not_complete_fails_the_run_with_the_reason(
    deployed: Deployed, fault: Fault, cause: str
) -> None:
    ended, record = seeded(deployed, fault)
    assert (ended["status"], ended["error"]) == ("FAILED", "SeedingFailed")
    assert ended["cause"].startswith(f"job {record['job_ids'][0]} {cause}: 0 of 2 tasks were run")
    assert len(record["jobs"]) == 1


def test_a_job_that_is_suspended_too_long_fails_the_run(deployed: Deployed) -> None:
    deployed.cloud.settings.suspended_days = 0
    try:
        ended, record = seeded(deployed, confirm=True)
    finally:
        deployed.cloud.settings.suspended_days = 30
    assert (ended["status"], record["jobs"][0]["status"]) == ("FAILED", "Failed")
    assert "JobSuspendedTooLong" in ended["cause"]


@pytest.mark.parametrize("code", ["NotFoundException", "NoSuchJobException"])
def test_a_job_that_is_not_found_at_first_is_looked_for_again(deployed: Deployed, code: str) -> None:
    ended, record = seeded(deployed, missing("DescribeJob", times=2, code=code))
    assert ended["status"] == "SUCCEEDED"
    assert len(record["jobs"]) == 1


def test_a_job_that_vanished_fails_the_run_and_is_named(deployed: Deployed) -> None:
    ended, record = seeded(deployed, missing("DescribeJob"))
    assert (ended["status"], ended["error"]) == ("FAILED", "SeedingFailed")
    assert ended["cause"].startswith(f"job {record['job_ids'][0]} is not found any more")
    assert record["jobs"][0]["status"] == "Vanished"


def test_a_throttled_look_is_taken_again(deployed: Deployed) -> None:
    assert (
        seeded(deployed, missing("DescribeJob", times=1, code="TooManyRequestsException"))[0]["status"]
        == "SUCCEEDED"
    )


@pytest.mark.parametrize(
    "fault",
    [
        missing("CreateJob", times=1, code="TooManyRequestsException"),
        missing("CreateJob", times=5, code="TooManyRequestsException"),
        Fault(operation="CreateJob", status=500, code="InternalServiceException", times=1),
        Fault(operation="CreateJob", effect="timeout", times=1),
        Fault(operation="CreateJob", effect="timeout", committed=True, times=1),
    ],
)
def test_an_error_of_create_job_that_passes_makes_one_job_all_the_same(
    deployed: Deployed, fault: Fault
) -> None:
    ended, record = seeded(deployed, fault)
    assert ended["status"] == "SUCCEEDED"
    assert [job["JobId"] for job in deployed.jobs_of(ended["name"])] == record["job_ids"]
    assert len(record["job_ids"]) == 1


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "BadRequestException", "UnexpectedAnswer"),
        (400, "InvalidRequest", "UnexpectedAnswer"),
        (400, "IdempotencyException", "UnexpectedAnswer"),
        # The role was just made, so that this is tried again for as long as IAM may take to know it.
        (403, "AccessDenied", "NotYetVisible"),
    ],
)
def test_a_create_job_that_is_refused_fails_the_run_with_awss_words(
    deployed: Deployed, status: int, code: str, error: str
) -> None:
    ended, record = seeded(deployed, Fault(operation="CreateJob", status=status, code=code))
    assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert code in ended["cause"]
    assert "CreateJob" in ended["cause"]
    assert record["job_ids"] == []
    assert deployed.jobs_of(ended["name"]) == []


def test_a_run_waits_its_turn_where_the_account_has_as_many_jobs_as_it_may(deployed: Deployed) -> None:
    settings = deployed.cloud.settings
    settings.active_jobs, settings.beyond_active_jobs = 1, "refuse"
    first, second = pair(deployed), pair(deployed)
    try:
        with deployed.faults(Fault(effect="pause", seconds=3000, times=1)):
            ahead = deployed.start("Seed", first, name=f"ahead-{first['source']}")
            deployed.job_of(f"ahead-{first['source']}", EUROPE, "Paused")
            behind = deployed.start("Seed", second, name=f"behind-{second['source']}")
            assert [deployed.wait(one)["status"] for one in (ahead, behind)] == ["SUCCEEDED"] * 2
    finally:
        settings.active_jobs, settings.beyond_active_jobs = 6, "wait"
    history = deployed.states.get_execution_history(executionArn=behind, maxResults=1000)["events"]
    entered = [event.get("stateEnteredEventDetails", {}).get("name") for event in history]
    assert "PauseBeforeJob" in entered
    assert len(deployed.jobs_of(f"behind-{second['source']}")) == 1


def test_a_report_that_comes_late_is_waited_for(deployed: Deployed) -> None:
    ended, record = seeded(deployed, Fault(effect="late_report", seconds=300))
    assert (ended["status"], record["succeeded"]) == ("SUCCEEDED", 2)


def test_a_report_that_never_comes_is_said_so(deployed: Deployed) -> None:
    ended, record = seeded(deployed, Fault(effect="no_report"))
    assert (ended["status"], ended["error"]) == ("FAILED", "NotYetVisible")
    assert (
        f"job {record['job_ids'][0]} is Complete, but its completion report is not at s3://" in ended["cause"]
    )


def test_a_report_that_was_damaged_is_not_believed(deployed: Deployed) -> None:
    ended, _ = seeded(deployed, Fault(effect="wrong_md5"))
    assert (ended["status"], ended["error"]) == ("FAILED", "UnexpectedAnswer")
    assert "its MD5 is" in ended["cause"]


def test_priority_is_that_of_every_job(deployed: Deployed) -> None:
    ended, _ = seeded(deployed, Fault(status=503, code="SlowDown", times=1), priority=4)
    assert ended["status"] == "SUCCEEDED"
    control = deployed.cloud.client("s3control", EUROPE)
    jobs = [
        control.describe_job(AccountId=ACCOUNT, JobId=item["JobId"])["Job"]
        for item in deployed.jobs_of(ended["name"])
    ]
    assert [job["Priority"] for job in jobs] == [4, 4]


def test_each_job_is_tagged_with_its_run(deployed: Deployed) -> None:
    ended, record = seeded(deployed)
    control = deployed.cloud.client("s3control", EUROPE)
    tags = control.get_job_tagging(AccountId=ACCOUNT, JobId=record["job_ids"][0])["Tags"]
    assert tags == [{"Key": "seeder-run", "Value": ended["name"]}]
