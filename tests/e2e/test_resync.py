"""Re-syncs and tags on the deployed stack: only what the replica lacks is seeded, and nothing makes no job."""

from __future__ import annotations

from typing import Any

from localcloud.faults import Fault
from tests.e2e.deployed import EUROPE, Deployed
from tests.keys import TRAPS


def jobs_and_record(deployed: Deployed, request: dict[str, Any]) -> tuple[list[int], dict[str, Any]]:
    """Seed; return how many tasks each job had, and the record."""
    ended = deployed.seed(request)
    region = EUROPE if request.get("operation") != "replicate" else "us-east-1"
    jobs = [job["ProgressSummary"]["TotalNumberOfTasks"] for job in deployed.jobs_of(ended["name"], region)]
    return jobs, deployed.record(ended["name"])


def seeded_pair(deployed: Deployed, keys: list[str]) -> dict[str, Any]:
    request = {"source": deployed.bucket(keys=keys), "destination": deployed.bucket(EUROPE)}
    assert deployed.seed(request)["status"] == "SUCCEEDED"
    deployed.next_second()
    return {**request, "resync": True}


def test_a_replica_that_is_equal_makes_no_job_and_the_record_is_the_proof(deployed: Deployed) -> None:
    request = seeded_pair(deployed, TRAPS)
    jobs, record = jobs_and_record(deployed, request)
    assert jobs == []
    assert (record["state"], record["replica"], record["total"], record["jobs"]) == (
        "Complete",
        "equal",
        0,
        [],
    )
    assert (record["verification"]["equal"], record["verification"]["list_calls"]) == (len(TRAPS), 0)
    assert record["actual_usd"] == record["estimated_usd"] == "0.01"
    assert deployed.uploads(deployed.state_bucket) == []


def test_only_what_is_missing_or_different_is_seeded(deployed: Deployed) -> None:
    request = seeded_pair(deployed, ["a", "b, +é", "c", "d"])
    theirs = deployed.cloud.client("s3", EUROPE)
    theirs.delete_object(Bucket=request["destination"], Key="b, +é")
    theirs.put_object(Bucket=request["destination"], Key="c", Body=b"of others")
    theirs.put_object(Bucket=request["destination"], Key="extra", Body=b"")
    deployed.next_second()
    jobs, record = jobs_and_record(deployed, request)
    assert jobs == [2]
    assert (record["state"], record["replica"], record["total"]) == ("Complete", "extra", 2)
    assert (record["verification"]["equal"], record["verification"]["extra"]) == (4, 1)
    assert (
        deployed.contents(request["source"]).items()
        <= deployed.contents(request["destination"], EUROPE).items()
    )
    assert jobs_and_record(deployed, request)[0] == []


def test_objects_besides_make_no_job_and_are_told(deployed: Deployed) -> None:
    request = seeded_pair(deployed, ["a"])
    deployed.cloud.client("s3", EUROPE).put_object(Bucket=request["destination"], Key="extra", Body=b"")
    deployed.next_second()
    jobs, record = jobs_and_record(deployed, request)
    assert (jobs, record["state"], record["replica"]) == ([], "Complete", "extra")
    assert record["verification"]["examples"] == {"extra": "extra"}


def test_a_prefix_and_filters_are_those_of_a_full_listing(deployed: Deployed) -> None:
    keys = ["logs/a.csv", "logs/long.csv", "logs/long.txt", "other/long.csv"]
    request: dict[str, Any] = {
        "source": deployed.bucket(keys=keys),
        "destination": deployed.bucket(EUROPE),
        "resync": True,
    }
    deployed.next_second()
    jobs, record = jobs_and_record(
        deployed, {**request, "prefix": "logs/", "suffix": ".csv", "size_at_least": 11}
    )
    assert (jobs, record["state"]) == ([1], "Complete")
    assert list(deployed.contents(request["destination"], EUROPE)) == ["logs/long.csv"]


def test_versions_are_compared_by_id_where_a_rule_replicates(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a", "b"]), deployed.bucket(EUROPE)
    s3 = deployed.cloud.client("s3")
    s3.put_object(Bucket=source, Key="a", Body=b"a second version")
    s3.delete_object(Bucket=source, Key="b")
    deployed.add_rule(source, destination)
    deployed.runs_of(source)
    deployed.next_second()
    request = {"source": source, "destination": destination, "resync": True, "operation": "replicate"}
    jobs, record = jobs_and_record(deployed, request)
    assert (jobs, record["state"], record["replica"], record["total"]) == ([], "Complete", "equal", 0)
    assert record["verification"]["equal"] == 3
    gone = next(name for name in deployed.versions(destination, EUROPE) if name[0] == "b")
    deployed.cloud.client("s3", EUROPE).delete_object(Bucket=destination, Key=gone[0], VersionId=gone[1])
    deployed.next_second()
    jobs, record = jobs_and_record(deployed, request)
    assert jobs == [1]
    assert (record["total"], record["operation"]) == (1, "replicate")
    deployed.quiet()


def test_what_can_not_be_seeded_fails_a_resync_as_any_run(deployed: Deployed) -> None:
    request = seeded_pair(deployed, ["a"])
    deployed.cloud.client("s3").put_object(Bucket=request["source"], Key="denied/1", Body=b"")
    deployed.next_second()
    with deployed.faults(Fault(key_prefix="denied/", status=403, code="AccessDenied")):
        jobs, record = jobs_and_record(deployed, request)
    assert (jobs, record["state"], record["replica"]) == ([1], "Failed", "differs")


def put_tagged(deployed: Deployed, bucket: str, tagged: dict[str, str]) -> None:
    for key, tags in tagged.items():
        deployed.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=key.encode(), Tagging=tags)


TAGGED = {
    "a, +": "team=x&tier=1",
    "b": "team=x",
    "c": "team=y&tier=1",
    "d": "",
    "e/é": "tier=1&team=x&other=",
}


def test_only_objects_that_have_all_tags_are_seeded_and_the_others_are_not_missed(deployed: Deployed) -> None:
    source, destination = deployed.bucket(), deployed.bucket(EUROPE, keys=["besides"])
    put_tagged(deployed, source, TAGGED)
    deployed.next_second()
    request = {"source": source, "destination": destination, "tags": {"team": "x", "tier": "1"}}
    jobs, record = jobs_and_record(deployed, request)
    assert (jobs, record["state"], record["replica"], record["total"]) == ([2], "Complete", "equal", 2)
    assert (record["verification"]["equal"], record["verification"]["tag_calls"]) == (2, 3)
    assert list(deployed.contents(destination, EUROPE)) == ["a, +", "besides", "e/é"]


def test_a_resync_asks_only_what_differs_for_its_tags_as_they_are_now(deployed: Deployed) -> None:
    source, destination = deployed.bucket(), deployed.bucket(EUROPE)
    put_tagged(deployed, source, TAGGED)
    deployed.next_second()
    request = {"source": source, "destination": destination, "tags": {"team": "x"}, "resync": True}
    jobs, record = jobs_and_record(deployed, request)
    assert (jobs, record["state"], record["total"]) == ([3], "Complete", 3)
    tags = {"TagSet": [{"Key": "team", "Value": "x"}]}
    deployed.cloud.client("s3").put_object_tagging(Bucket=source, Key="d", Tagging=tags)
    jobs, record = jobs_and_record(deployed, request)
    assert (jobs, record["state"], record["verification"]["equal"]) == ([1], "Complete", 4)
    assert sorted(deployed.contents(destination, EUROPE)) == ["a, +", "b", "d", "e/é"]
    jobs, record = jobs_and_record(deployed, request)
    assert (jobs, record["state"], record["replica"], record["verification"]["equal"]) == (
        [],
        "Complete",
        "equal",
        4,
    )


def test_versions_with_the_tags_are_replicated_and_no_others(deployed: Deployed) -> None:
    source, destination = deployed.bucket(), deployed.bucket(EUROPE)
    put_tagged(deployed, source, {"k": "team=x"})
    put_tagged(deployed, source, {"k": "team=y", "l": "team=x"})
    with deployed.no_events():
        deployed.add_rule(source, destination)
    deployed.next_second()
    request = {"source": source, "destination": destination, "tags": {"team": "x"}, "operation": "replicate"}
    jobs, record = jobs_and_record(deployed, request)
    assert (jobs, record["state"], record["total"]) == ([2], "Complete", 2)
    assert [key for key, _ in deployed.versions(destination, EUROPE)] == ["k", "l"]
    deployed.quiet()
