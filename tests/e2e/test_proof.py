"""Rounds, what others write meanwhile, and what a run tells in the end."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

from localcloud.faults import Fault
from tests.e2e.deployed import ACCOUNT, EUROPE, Deployed

LARGE = 6 * 1024**3
DENIED = Fault(key_prefix="denied/", status=403, code="AccessDenied")
PASSING = Fault(key_prefix="busy/", status=503, code="SlowDown", times=2)


def pair(deployed: Deployed, keys: list[str], **more: Any) -> dict[str, Any]:
    return {"source": deployed.bucket(keys=keys), "destination": deployed.bucket(EUROPE), **more}


def test_what_fails_for_a_passing_reason_is_tried_again_alone(deployed: Deployed) -> None:
    request = pair(deployed, ["a", "busy/1, +", "c"])
    with deployed.faults(PASSING):
        ended = deployed.seed(request)
    jobs = deployed.jobs_of(ended["name"])
    assert ended["status"] == "SUCCEEDED", ended["cause"]
    assert [job["ProgressSummary"]["TotalNumberOfTasks"] for job in jobs] == [3, 1, 1]
    assert (ended["output"]["record"]["succeeded"], ended["output"]["record"]["failed"]) == (3, 0)


def test_rounds_end_and_the_cause_says_what_to_do(deployed: Deployed) -> None:
    request = pair(deployed, ["a", "busy/1"], rounds=2)
    with deployed.faults(Fault(key_prefix="busy/", status=503, code="SlowDown")):
        ended = deployed.seed(request)
    assert len(deployed.jobs_of(ended["name"])) == 3
    assert (ended["status"], ended["error"]) == ("FAILED", "SeedingFailed")
    assert ended["cause"].startswith("1 of 2 objects were not copied: SlowDown 1 (for example 'busy/1').")


def test_what_fails_for_good_is_not_tried_again_and_stands_in_a_file(deployed: Deployed) -> None:
    request = pair(deployed, ["a", 'denied/1, "é'])
    with deployed.faults(DENIED):
        ended = deployed.seed(request)
    record = deployed.record(ended["name"])
    assert len(deployed.jobs_of(ended["name"])) == 1
    assert (record["state"], record["replica"], record["verification"]["missing"]) == ("Failed", "differs", 1)
    (address,) = record["failure_files"]
    rows = list(csv.DictReader(io.StringIO(deployed.read(address).decode())))
    assert [(row["key"], row["error_code"]) for row in rows] == [("denied/1%2C%20%22%C3%A9", "AccessDenied")]
    assert "/datasets/seeding_failures/year=" in address


def test_what_others_write_meanwhile_is_told_apart(deployed: Deployed) -> None:
    request = pair(deployed, ["a", "overwritten", "deleted"], confirm=True)
    execution = deployed.start("Seed", request)
    job = deployed.job_of(execution.rpartition(":")[2], status="Suspended")
    # S3 tells whole seconds.
    time.sleep(1.1)
    s3 = deployed.cloud.client("s3")
    for key in ("new", "overwritten"):
        s3.put_object(Bucket=request["source"], Key=key, Body=b"of others")
    s3.delete_object(Bucket=request["source"], Key="deleted")
    control = deployed.cloud.client("s3control", EUROPE)
    control.update_job_status(AccountId=ACCOUNT, JobId=job["JobId"], RequestedJobStatus="Ready")
    ended = deployed.wait(execution)
    verification = deployed.record(ended["name"])["verification"]
    assert ended["status"] == "SUCCEEDED", ended["cause"]
    assert {name: verification[name] for name in ("missing", "different", "during")} == {
        "missing": 0,
        "different": 0,
        "during": 1,
    }


def test_the_record_tells_times_costs_and_jobs(deployed: Deployed) -> None:
    ended = deployed.seed(pair(deployed, ["a"]))
    record = deployed.record(ended["name"])
    assert {"PaginateKeys", "AwaitJob", "VerifyReplica"} <= record["stages"].keys()
    assert record["estimated_usd"] == record["actual_usd"] == "0.26"
    assert record["event"] == "Seeding Completed"
    assert record["ended_at"] > record["started_at"]
    assert [(job["status"], job["succeeded"]) for job in record["jobs"]] == [("Complete", 1)]
