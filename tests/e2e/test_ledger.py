"""What runs leave in the state bucket is a data lake like any other: written once, registered, whole."""

from __future__ import annotations

import json
from datetime import timedelta

from localcloud.faults import Fault
from seeder.lake.lake import Lake
from seeder.lake.upkeep import verify
from tests.e2e.deployed import Deployed


def test_every_run_registers_its_record_and_the_objects_it_failed_at(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a", "b"]), deployed.bucket()
    asked = {"source": source, "destination": destination, "operation": "copy"}
    well = deployed.seed(asked | {"prefix": "a"})
    with deployed.faults(Fault(status=403, code="AccessDenied", key_prefix="b")):
        badly = deployed.seed(asked)
    refused = deployed.seed({"source": source, "destination": "not-there-at-all"})
    names = [run["name"] for run in (well, badly, refused)]
    lake = Lake(deployed.cloud.client("s3"), deployed.state_bucket)
    runs = lake.read("seeding_runs").entries.values()
    states = {}
    for entry in runs:
        record = json.loads(deployed.read(f"s3://{deployed.state_bucket}/{entry.key}"))
        states[record["run_id"]] = record["state"]
        assert record == deployed.record(record["run_id"])
    assert [states[name] for name in names] == ["Complete", "Failed", "Failed"]
    (failures,) = lake.read("seeding_failures").entries.values()
    assert f"s3://{deployed.state_bucket}/{failures.key}" in deployed.record(badly["name"])["failure_files"]
    assert failures.records == 1
    assert verify(lake, timedelta(0)) == []


def test_a_days_runs_stand_together(deployed: Deployed) -> None:
    run = deployed.seed({"source": deployed.bucket(), "destination": deployed.bucket(), "resync": True})
    day = deployed.record(run["name"])["started_at"][:10].split("-")
    lake = Lake(deployed.cloud.client("s3"), deployed.state_bucket)
    entry = lake.read("seeding_runs").entries[
        f"datasets/seeding_runs/year={day[0]}/month={day[1]}/day={day[2]}/{run['name']}.jsonl"
    ]
    assert (entry.records, list(entry.partition.values())) == (1, day)
