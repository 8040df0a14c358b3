"""One run on the deployed stack, started by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.deployed import EUROPE, REPLICATE, Deployed
from tests.keys import TRAPS

EVENTS = Path(__file__).parents[2] / "events"


def test_every_awkward_key_is_copied_across_regions(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=TRAPS), deployed.bucket(EUROPE)
    ended = deployed.seed({"source": source, "destination": destination})
    assert ended["status"] == "SUCCEEDED"
    assert deployed.contents(destination, EUROPE) == {key: key.encode() for key in TRAPS}
    assert deployed.contents(source) == deployed.contents(destination, EUROPE)


def test_the_job_is_in_the_destinations_region_and_the_record_tells_all(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a", "b"]), deployed.bucket(EUROPE)
    ended = deployed.seed({"source": source, "destination": destination})
    record = deployed.record(ended["name"])
    assert record["job_ids"][0] in {job["JobId"] for job in deployed.jobs(EUROPE)}
    assert record["job_ids"][0] not in {job["JobId"] for job in deployed.jobs("us-east-1")}
    assert (record["state"], record["total"], record["succeeded"], record["failed"]) == ("Complete", 2, 2, 0)
    assert (record["source"], record["destination"]) == (source, destination)


def test_several_pages_are_listed_once_each(deployed: Deployed) -> None:
    keys = [f"k/{number:05}" for number in range(1, 1102)]
    source, destination = deployed.bucket(keys=keys), deployed.bucket()
    ended = deployed.seed({"source": source, "destination": destination})
    assert ended["output"]["record"]["succeeded"] == len(keys)
    assert sorted(deployed.contents(destination)) == keys


def test_a_prefix_limits_what_is_seeded(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["logs/1", "logs/2", "other"]), deployed.bucket()
    deployed.seed({"source": source, "destination": destination, "prefix": "logs/"})
    assert sorted(deployed.contents(destination)) == ["logs/1", "logs/2"]


def test_filters_limit_what_is_seeded(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a.csv", "longer.csv", "longer.txt"]), deployed.bucket()
    deployed.seed({"source": source, "destination": destination, "suffix": ".csv", "size_at_least": 6})
    assert sorted(deployed.contents(destination)) == ["longer.csv"]


def test_an_empty_source_is_complete_without_a_job(deployed: Deployed) -> None:
    source, destination = deployed.bucket(), deployed.bucket(EUROPE)
    before = len(deployed.jobs(EUROPE))
    ended = deployed.seed({"source": source, "destination": destination})
    assert ended["status"] == "SUCCEEDED"
    assert ended["output"]["record"]["total"] == 0
    assert len(deployed.jobs(EUROPE)) == before


def test_a_destination_without_versioning_can_be_copied_to(deployed: Deployed) -> None:
    source, destination = deployed.bucket(versioned=False, keys=["a"]), deployed.bucket(versioned=False)
    assert deployed.seed({"source": source, "destination": destination})["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"sorce": "x"}, "sorce: unknown field (value 'x'); did you mean 'source'?"),
        ({"destination": None}, "destination: None won't do: Input should be a valid string"),
        ({"destination": "not-there-at-all"}, "destination: bucket 'not-there-at-all' does not exist"),
        ({"source": "not-there-at-all"}, "source: bucket 'not-there-at-all' does not exist"),
        ({"source": "Bad_Name"}, "source: 'Bad_Name' is not a bucket name"),
        ({"enable_replication": "yes"}, "enable_replication: 'yes' won't do"),
    ],
)
def test_bad_input_ends_in_one_named_error(deployed: Deployed, change: dict[str, object], cause: str) -> None:
    request = {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket()} | change
    ended = deployed.seed(request)
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidRequest")
    assert ended["cause"].startswith(cause)
    assert deployed.record(ended["name"])["cause"] == ended["cause"]


def test_source_equal_to_destination_is_refused(deployed: Deployed) -> None:
    bucket = deployed.bucket(keys=["a"])
    ended = deployed.seed({"source": bucket, "destination": bucket})
    assert ended["error"] == "InvalidRequest"
    assert ended["cause"] == f"destination: '{bucket}' is also the source; give another bucket"


def test_a_missing_field_is_named(deployed: Deployed) -> None:
    ended = deployed.seed({"source": deployed.bucket()})
    assert ended["cause"].startswith("destination: missing; give at least")


def test_the_manual_sample_has_the_form_that_is_asked_for(deployed: Deployed) -> None:
    sample = json.loads((EVENTS / "manual.json").read_text())
    sample |= {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket()}
    assert deployed.seed(sample)["status"] == "SUCCEEDED"


def test_enable_replication_turns_on_versioning_and_adds_one_rule(deployed: Deployed) -> None:
    s3 = deployed.cloud.client("s3")
    source = deployed.bucket(versioned=False, keys=["a"])
    destination = deployed.bucket(versioned=False)
    ended = deployed.seed({"source": source, "destination": destination, "enable_replication": True})
    assert ended["status"] == "SUCCEEDED"
    assert s3.get_bucket_versioning(Bucket=source)["Status"] == "Enabled"
    assert s3.get_bucket_versioning(Bucket=destination)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"]["Rules"]
    assert rule["Destination"]["Bucket"] == f"arn:aws:s3:::{destination}"
    assert rule["ID"] == ended["output"]["replication"]["rule_id"]
    deployed.quiet()


def test_enable_replication_keeps_the_rules_that_are_there(deployed: Deployed) -> None:
    s3 = deployed.cloud.client("s3")
    source, first, second = deployed.bucket(keys=["a"]), deployed.bucket(), deployed.bucket()
    path = f"{deployed.stack.outputs['RolePath']}replication/"
    role = deployed.role("own-replication-to-be-passed", "s3.amazonaws.com", *REPLICATE, path=path)
    deployed.add_rule(source, first, role=role)
    deployed.runs_of(source)
    before = s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"]
    deployed.seed({"source": source, "destination": second, "enable_replication": True})
    after = s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"]
    assert after["Rules"][0] == before["Rules"][0]
    assert after["Role"] == before["Role"]
    assert [rule["Priority"] for rule in after["Rules"]] == [0, 1]
    deployed.quiet()
