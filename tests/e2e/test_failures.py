"""Runs in which tasks, jobs or calls fail: never Complete, always with a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from localcloud.faults import Fault
from tests.e2e.deployed import EUROPE, Deployed

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
FAULTS = [
    Fault(key_prefix="denied/", status=403, code="AccessDenied"),
    Fault(key_prefix="gone/", status=404, code="NoSuchKey"),
]


@pytest.fixture(scope="module")
def faulty() -> Iterator[Deployed]:
    with LocalCloud(ScaledClock(1000), FAULTS) as cloud:
        yield Deployed(cloud, cloud.deploy(TEMPLATE))


def test_failed_tasks_make_the_run_fail_and_are_named_by_code(faulty: Deployed) -> None:
    keys = ["a", "denied/1", "denied/2", "gone/x, y+z"]
    source, destination = faulty.bucket(keys=keys), faulty.bucket(EUROPE)
    ended = faulty.seed({"source": source, "destination": destination})
    assert (ended["status"], ended["error"]) == ("FAILED", "SeedingFailed")
    assert ended["cause"].startswith(
        "3 of 4 objects were not copied: AccessDenied 2 (for example 'denied/1')"
    )
    record = faulty.record(ended["name"])
    assert (record["state"], record["succeeded"], record["failed"]) == ("Failed", 1, 3)
    assert [(item["code"], item["count"]) for item in record["failures"]] == [
        ("AccessDenied", 2),
        ("NoSuchKey", 1),
    ]
    assert record["failures"][1]["example_key"] == "gone/x, y+z"
    assert sorted(faulty.contents(destination, EUROPE)) == ["a"]


def test_a_job_that_aws_calls_complete_with_all_rows_failed_is_a_failed_run(faulty: Deployed) -> None:
    source, destination = faulty.bucket(keys=["denied/1"]), faulty.bucket(EUROPE)
    ended = faulty.seed({"source": source, "destination": destination})
    record = faulty.record(ended["name"])
    job = next(item for item in faulty.jobs(EUROPE) if item["JobId"] == record["job_ids"][0])
    assert job["Status"] == "Complete"
    assert ended["status"] == "FAILED"


def test_a_job_that_fails_before_its_first_task_fails_the_run_with_awss_reason(faulty: Deployed) -> None:
    iam = faulty.cloud.client("iam")
    role = faulty.stack.resources["JobRole"]
    policy = iam.get_role_policy(RoleName=role, PolicyName="copy")["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName="copy")
    try:
        source, destination = faulty.bucket(keys=["a"]), faulty.bucket(EUROPE)
        ended = faulty.seed({"source": source, "destination": destination})
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="copy", PolicyDocument=json.dumps(policy))
    assert (ended["status"], ended["error"]) == ("FAILED", "SeedingFailed")
    assert ended["cause"].startswith("job Failed: ")
    assert "forbidden" in ended["cause"]
