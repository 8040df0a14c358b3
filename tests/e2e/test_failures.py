"""Runs in which tasks fail: tried again if that may help, never Complete without proof, always with a reason."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from localcloud.faults import Fault
from tests.e2e.deployed import EUROPE, HOME, Deployed

DENIED = Fault(key_prefix="denied/", status=403, code="AccessDenied")
GONE = Fault(key_prefix="gone/", status=404, code="NoSuchKey")


def pair(deployed: Deployed, *keys: str) -> dict[str, Any]:
    """Make a source with these keys, and a destination; a run that starts now is younger than the keys."""
    made = {"source": deployed.bucket(keys=list(keys)), "destination": deployed.bucket(EUROPE)}
    deployed.next_second()
    return made


def submitted(deployed: Deployed, ended: dict[str, Any]) -> list[dict[str, str]]:
    """Return, for each job of a run, what its report says of the keys that were submitted."""
    reports = []
    for job in deployed.record(ended["name"])["job_ids"]:
        folder = f"s3://{deployed.state_bucket}/runs/{ended['name']}/reports/job-{job}"
        files = json.loads(deployed.read(f"{folder}/manifest.json"))["Results"]
        rows = [
            row
            for file in files
            for row in csv.reader(io.StringIO(deployed.read(f"s3://{file['Bucket']}/{file['Key']}").decode()))
        ]
        reports.append({row[1]: row[3] for row in rows})
    return reports


def test_failed_tasks_make_the_run_fail_and_are_named_by_code(deployed: Deployed) -> None:
    asked = pair(deployed, "a", "denied/1", "denied/2", "gone/x, y+z")
    with deployed.faults(DENIED, GONE):
        ended = deployed.seed(asked)
    assert (ended["status"], ended["error"]) == ("FAILED", "SeedingFailed")
    assert ended["cause"].startswith(
        "3 of 4 objects were not copied: AccessDenied 2 (for example 'denied/1'), "
        "NoSuchKey 1 (for example 'gone/x, y+z'). The batch role may not read the source or write the destination"
    )
    record = deployed.record(ended["name"])
    assert (record["state"], record["succeeded"], record["failed"]) == ("Failed", 1, 3)
    assert [(item["code"], item["count"], item["kind"]) for item in record["failures"]] == [
        ("AccessDenied", 2, "person"),
        ("NoSuchKey", 1, "permanent"),
    ]
    assert record["failures"][1]["example_key"] == "gone/x, y+z"
    assert (record["replica"], record["verification"]["missing"]) == ("differs", 3)
    assert sorted(deployed.contents(asked["destination"], EUROPE)) == ["a"]


def test_what_is_permanent_is_not_tried_again(deployed: Deployed) -> None:
    asked = pair(deployed, "denied/1", "gone/1")
    with deployed.faults(DENIED, GONE):
        ended = deployed.seed(asked)
    assert len(deployed.record(ended["name"])["jobs"]) == 1


def test_a_job_that_aws_calls_complete_with_all_rows_failed_is_a_failed_run_that_says_why(
    deployed: Deployed,
) -> None:
    asked = pair(deployed, "denied/1", "denied/2")
    with deployed.faults(DENIED):
        ended = deployed.seed(asked)
    (job,) = deployed.jobs_of(ended["name"])
    assert (job["Status"], job["ProgressSummary"]["NumberOfTasksFailed"]) == ("Complete", 2)
    assert (ended["status"], ended["error"]) == ("FAILED", "SeedingFailed")
    assert ended["cause"].startswith("2 of 2 objects were not copied: AccessDenied 2")
    assert "check its policy" in ended["cause"]


def test_what_fails_for_a_passing_reason_is_tried_again_and_nothing_else_is(deployed: Deployed) -> None:
    asked = pair(deployed, "busy/1", "busy/2", "fine/1", "fine/2")
    busy = [
        Fault(key_prefix=f"busy/{number}", status=503, code="SlowDown", times=number) for number in (1, 2)
    ]
    with deployed.faults(*busy):
        ended = deployed.seed(asked)
    record = deployed.record(ended["name"])
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert [(job["round"], job["total"]) for job in record["jobs"]] == [(0, 4), (1, 2), (2, 1)]
    assert submitted(deployed, ended) == [
        {"busy/1": "failed", "busy/2": "failed", "fine/1": "succeeded", "fine/2": "succeeded"},
        {"busy/1": "succeeded", "busy/2": "failed"},
        {"busy/2": "succeeded"},
    ]
    assert (record["total"], record["succeeded"], record["failed"], record["failures"]) == (4, 4, 0, [])
    assert record["actual_usd"] > record["estimated_usd"]


def test_replications_are_tried_again_by_their_versions(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["busy", "fine"]), deployed.bucket(EUROPE)
    deployed.cloud.client("s3").put_object(Bucket=source, Key="busy", Body=b"second")
    with deployed.faults(Fault(key_prefix="busy", status=503, code="SlowDown", times=1)):
        deployed.add_rule(source, destination)
        (ended,) = deployed.runs_of(source)
    jobs = deployed.record(ended["name"])["jobs"]
    assert (ended["status"], [job["total"] for job in jobs]) == ("SUCCEEDED", [3, 1])
    assert {job["region"] for job in jobs} == {HOME}
    assert deployed.versions(destination, EUROPE) == deployed.versions(source)


@pytest.mark.parametrize("rounds", [0, 2])
def test_what_never_passes_fails_the_run_after_the_rounds_that_were_asked_for(
    deployed: Deployed, rounds: int
) -> None:
    asked = pair(deployed, "busy", "fine") | {"rounds": rounds}
    with deployed.faults(Fault(key_prefix="busy", status=503, code="SlowDown")):
        ended = deployed.seed(asked)
    record = deployed.record(ended["name"])
    assert (ended["status"], len(record["jobs"])) == ("FAILED", 1 + rounds)
    assert ended["cause"].startswith("1 of 2 objects were not copied: SlowDown 1 (for example 'busy'). ")
    assert "another run tries the object again" in ended["cause"]
    assert "the replica is not equal: 1 objects are missing there" in ended["cause"]
    assert len(record["failure_files"]) == 1 + rounds
    differs = record["verification"]["differs"]
    assert deployed.read(f"s3://{differs['bucket']}/{differs['key']}") == f"{asked['source']},busy\n".encode()


def test_more_than_half_of_a_thousand_failed_tasks_end_the_job_and_the_run(deployed: Deployed) -> None:
    deployed.cloud.settings.failed_job_tasks = 4
    asked = pair(deployed, *(f"denied/{number}" for number in range(8)))
    try:
        with deployed.faults(DENIED):
            ended = deployed.seed(asked)
    finally:
        deployed.cloud.settings.failed_job_tasks = 1000
    record = deployed.record(ended["name"])
    assert record["jobs"][0]["status"] == "Failed"
    assert ended["cause"].startswith("4 of 4 objects were not copied: AccessDenied 4")
    assert "4 of 8 tasks were run" in ended["cause"]
    assert "More than 50% of the tasks" in ended["cause"]


def test_a_job_that_fails_before_its_first_task_fails_the_run_with_awss_reason(deployed: Deployed) -> None:
    path = f"{deployed.stack.outputs['RolePath']}jobs/"
    role = deployed.role("reads-no-manifest", "batchoperations.s3.amazonaws.com", "s3:PutObject", path=path)
    ended = deployed.seed(pair(deployed, "a") | {"job_role_arn": role})
    (job,) = deployed.record(ended["name"])["job_ids"]
    assert (ended["status"], ended["error"]) == ("FAILED", "SeedingFailed")
    assert ended["cause"].startswith(f"job {job} is Failed (AccessDenied: ")
    assert "0 of 1 tasks were run" in ended["cause"]


def test_others_who_write_while_a_run_goes_on_do_not_make_it_fail(deployed: Deployed) -> None:
    s3, europe = deployed.cloud.client("s3"), deployed.cloud.client("s3", EUROPE)
    asked = pair(deployed, "deleted early", "overwritten early", "overwritten late", "stays")
    source, destination = asked["source"], asked["destination"]
    # The report comes so late that there is time to write between the last task and the comparison.
    hold = [Fault(effect="pause", seconds=1500), Fault(effect="late_report", seconds=300)]
    with deployed.faults(*hold):
        execution = deployed.start("Seed", asked, name=f"others-{source}")
        deployed.job_of(f"others-{source}", EUROPE, "Paused")
        deployed.next_second()
        s3.delete_object(Bucket=source, Key="deleted early")
        s3.put_object(Bucket=source, Key="overwritten early", Body=b"new")
        job = deployed.job_of(f"others-{source}", EUROPE, "Complete")
        assert job["ProgressSummary"]["NumberOfTasksFailed"] == 1
        s3.put_object(Bucket=source, Key="overwritten late", Body=b"new")
        s3.put_object(Bucket=source, Key="written late", Body=b"new")
        europe.put_object(Bucket=destination, Key="not of the source", Body=b"new")
        ended = deployed.wait(execution)
    record = deployed.record(ended["name"])
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert (record["succeeded"], record["failed"]) == (3, 1)
    seen = record["verification"]
    assert (seen["equal"], seen["missing"], seen["different"], seen["during"]) == (2, 0, 0, 3)
    copied = deployed.contents(destination, EUROPE)
    assert copied["overwritten early"] == b"new"
    assert copied["overwritten late"] == b"overwritten late"
