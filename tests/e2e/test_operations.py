"""What a run does by what it is asked, and by what its buckets hold: operations, large and archived objects, costs."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from localcloud.faults import Fault
from tests.e2e.deployed import ACCOUNT, EUROPE, HOME, Deployed, LeapingClock
from tests.keys import TRAPS

LARGE_BYTES = 6 * 1024**3


def listed(deployed: Deployed, bucket: str, region: str = HOME) -> list[tuple[str, str, str]]:
    """Key, version id and ETag of each version, delete markers left out."""
    versions = deployed.cloud.client("s3", region).list_object_versions(Bucket=bucket).get("Versions", [])
    return sorted((item["Key"], item["VersionId"], item["ETag"]) for item in versions)


def replicated(deployed: Deployed, source: str, destination: str) -> dict[str, Any]:
    """Add a rule, and return the run that it starts, ended."""
    deployed.add_rule(source, destination)
    (ended,) = deployed.runs_of(source)
    return ended


def test_a_rule_has_every_version_replicated_by_a_job_in_the_sources_region(deployed: Deployed) -> None:
    s3 = deployed.cloud.client("s3")
    source, destination = deployed.bucket(versioned=False, keys=TRAPS[:9]), deployed.bucket(EUROPE)
    s3.put_bucket_versioning(Bucket=source, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2", b"3"):
        s3.put_object(Bucket=source, Key="several, versions", Body=body)
    s3.put_object(Bucket=source, Key="deleted", Body=b"x")
    s3.delete_object(Bucket=source, Key="deleted")
    ended = replicated(deployed, source, destination)
    record = deployed.record(ended["name"])
    assert (ended["status"], record["operation"]) == ("SUCCEEDED", "replicate")
    assert listed(deployed, destination, EUROPE) == listed(deployed, source)
    assert [job["region"] for job in record["jobs"]] == [HOME]
    manifest = deployed.read(f"s3://{deployed.state_bucket}/runs/{ended['name']}/manifests/replicate.csv")
    rows = [line.split(",") for line in manifest.decode().splitlines()]
    assert len(rows) == len(TRAPS[:9]) + 4
    assert sum(row[2] == "null" for row in rows) == len(TRAPS[:9])


def test_an_object_over_5_gib_is_replicated_like_any_other(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket(EUROPE)
    deployed.cloud.declare_object(source, "film", LARGE_BYTES)
    ended = replicated(deployed, source, destination)
    record = deployed.record(ended["name"])
    assert [job["operation"] for job in record["jobs"]] == ["replicate"]
    assert (record["state"], record["large"]) == ("Complete", 0)
    assert listed(deployed, destination, EUROPE) == listed(deployed, source)


def test_auto_copies_current_versions_where_no_rule_covers_the_pair(deployed: Deployed) -> None:
    source, destination, other = deployed.bucket(keys=["a"]), deployed.bucket(EUROPE), deployed.bucket()
    deployed.cloud.client("s3").put_object(Bucket=source, Key="a", Body=b"second")
    deployed.add_rule(source, destination, Status="Disabled")
    ended = deployed.seed({"source": source, "destination": destination})
    record = deployed.record(ended["name"])
    assert (record["state"], record["operation"]) == ("Complete", "copy")
    assert [(job["operation"], job["region"]) for job in record["jobs"]] == [("copy", EUROPE)]
    assert deployed.contents(destination, EUROPE) == {"a": b"second"}
    assert deployed.contents(other) == {}


def test_copy_can_be_asked_for_where_a_rule_covers_the_pair(deployed: Deployed) -> None:
    source, destination = deployed.bucket(), deployed.bucket(EUROPE)
    replicated(deployed, source, destination)
    ended = deployed.seed({"source": source, "destination": destination, "operation": "copy"})
    assert deployed.record(ended["name"])["operation"] == "copy"


def is_of_the_record(key: str) -> bool:
    """Whether an object of the state bucket only tells that a run was, and how it ended."""
    return key.endswith(("/run.json", "/report.html")) or key.startswith(
        ("datasets/seeding_runs/", "metastore/dataset_registry.json")
    )


def snapshot(deployed: Deployed, *buckets: str) -> dict[str, Any]:
    """All that a run could change: jobs, and the configuration and contents of buckets; of the state, the folders."""
    s3 = deployed.cloud.client("s3")

    def configured(bucket: str) -> dict[str, Any]:
        found: dict[str, Any] = {"versioning": s3.get_bucket_versioning(Bucket=bucket).get("Status")}
        for name in ("replication", "encryption", "policy", "lifecycle_configuration", "tagging"):
            try:
                answer = getattr(s3, f"get_bucket_{name}")(Bucket=bucket)
            except s3.exceptions.ClientError as error:
                answer = {"none": error.response["Error"]["Code"]}
            found[name] = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        return found | {"versions": listed(deployed, bucket), "uploads": deployed.uploads(bucket)}

    kept = listed(deployed, deployed.state_bucket)
    return {
        "buckets": sorted(item["Name"] for item in s3.list_buckets()["Buckets"]),
        "pair": {bucket: configured(bucket) for bucket in buckets},
        "jobs": [deployed.jobs(region) for region in (HOME, EUROPE)],
        "state": [key for key, _, _ in kept if not is_of_the_record(key)],
    }


def encrypted(deployed: Deployed) -> str:
    """Make a bucket that encrypts by a key of its own."""
    key = deployed.cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    bucket = deployed.bucket(keys=["a"])
    deployed.cloud.client("s3").put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
            ]
        },
    )
    return bucket


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        ({"operation": "replicate"}, "operation: 'replicate' needs an enabled rule of "),
        ({"operation": "move"}, "operation: 'move' won't do"),
        ({"rounds": 11}, "rounds: 11 won't do"),
        ({"priority": -1}, "priority: -1 won't do"),
        ({"restore_days": 0}, "restore_days: 0 won't do"),
        ({"manifest_location": "elsewhere"}, "manifest_location: 'elsewhere' won't do"),
        ({"max_cost_usd": "1"}, "max_cost_usd: '1' won't do"),
        ({"run": {"request": "x"}, "work": 3}, "run: unknown field"),
    ],
)
def test_what_can_not_work_is_refused_with_the_reason_and_changes_nothing(
    deployed: Deployed, asked: dict[str, Any], cause: str
) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    before = snapshot(deployed, source, destination)
    ended = deployed.seed({"source": source, "destination": destination, **asked})
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidRequest")
    assert ended["cause"].startswith(cause)
    assert snapshot(deployed, source, destination) == before
    assert deployed.record(ended["name"])["cause"] == ended["cause"]


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_copy_by_a_key_that_the_role_may_not_use_is_refused(deployed: Deployed, side: str) -> None:
    pair = {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket()}
    pair[side] = encrypted(deployed)
    before = snapshot(deployed, *pair.values())
    ended = deployed.seed(pair)
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidRequest")
    assert ended["cause"].startswith(f"{side}: bucket '{pair[side]}' encrypts by arn:aws:kms:")
    assert (
        "which the roles that this stack makes may not use (its parameter KmsKeyId is 'none')"
        in ended["cause"]
    )
    assert snapshot(deployed, *pair.values()) == before


def test_an_object_over_5_gib_is_copied_in_parts_by_a_job_of_its_own(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket(EUROPE)
    given = {"metadata": {"origin": "camera"}, "tags": {"team": "film"}, "storage_class": "STANDARD_IA"}
    deployed.cloud.declare_object(source, "film + 1", LARGE_BYTES, **given)
    ended = deployed.seed({"source": source, "destination": destination})
    record = deployed.record(ended["name"])
    assert (ended["status"], record["total"], record["succeeded"], record["large"]) == ("SUCCEEDED", 2, 2, 1)
    assert [(job["operation"], job["region"]) for job in record["jobs"]] == [
        ("copy", EUROPE),
        ("large", HOME),
    ]
    there, here = (
        deployed.cloud.client("s3", region).head_object(Bucket=bucket, Key="film + 1")
        for bucket, region in ((source, HOME), (destination, EUROPE))
    )
    for name in ("ETag", "ContentLength", "Metadata", "StorageClass"):
        assert here[name] == there[name]
    tags = deployed.cloud.client("s3", EUROPE).get_object_tagging(Bucket=destination, Key="film + 1")
    assert tags["TagSet"] == [{"Key": "team", "Value": "film"}]
    assert deployed.uploads(destination, EUROPE) == []


def test_archived_objects_are_listed_restored_when_asked_and_copied_by_a_later_run(
    deployed: Deployed,
) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket(EUROPE)
    deployed.cloud.declare_object(source, "cold, old", 1000, storage_class="GLACIER")
    pair = {"source": source, "destination": destination}

    untouched = deployed.seed(pair)
    record = deployed.record(untouched["name"])
    assert (untouched["status"], untouched["error"]) == ("FAILED", "ObjectsArchived")
    assert untouched["cause"].startswith("1 objects are archived and were not seeded (s3://")
    assert "restore: true" in untouched["cause"]
    assert (record["archived"], record["succeeded"], record["failed"]) == (1, 1, 0)
    assert [deployed.read(file) for file in record["archived_manifests"]] == [
        f"{source},cold%2C%20old\n".encode()
    ]
    assert "Restore" not in deployed.cloud.client("s3").head_object(Bucket=source, Key="cold, old")

    restoring = deployed.seed(pair | {"restore": True, "restore_tier": "STANDARD", "restore_days": 3})
    record = deployed.record(restoring["name"])
    assert restoring["error"] == "ObjectsArchived"
    assert "the restoration of 1 was started: run again in 12 hours" in restoring["cause"]
    assert (record["restored"], record["jobs"][-1]["operation"]) == (1, "restore")
    assert sorted(deployed.contents(destination, EUROPE)) == ["a"]

    assert isinstance(deployed.cloud.clock, LeapingClock)
    deployed.cloud.clock.leap(12 * 3600)
    ended = deployed.seed(pair | {"restore": True})
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert sorted(deployed.contents(destination, EUROPE)) == ["a", "cold, old"]


def test_a_job_to_be_confirmed_waits_and_tells_the_command(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket(EUROPE)
    request = {"source": source, "destination": destination, "confirm": True, "priority": 77}
    execution = deployed.start("Seed", request, name=f"confirmed-{source}")
    job = deployed.job_of(f"confirmed-{source}", EUROPE, "Suspended")
    assert job["Priority"] == 77
    command = told(deployed, execution)
    assert command.endswith(f"--job-id {job['JobId']} --requested-job-status Ready")
    assert deployed.states.describe_execution(executionArn=execution)["status"] == "RUNNING"
    assert deployed.contents(destination, EUROPE) == {}
    deployed.cloud.client("s3control", EUROPE).update_job_status(
        AccountId=ACCOUNT, JobId=job["JobId"], RequestedJobStatus="Ready"
    )
    assert deployed.wait(execution)["status"] == "SUCCEEDED"
    assert sorted(deployed.contents(destination, EUROPE)) == ["a"]


def told(deployed: Deployed, execution: str) -> str:
    """Wait until the state of an execution says what its job waits for."""
    for _ in range(1000):
        pages = deployed.states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        for event in pages:
            output = json.loads(event.get("stateExitedEventDetails", {}).get("output", "{}"))
            for job in (output.get("work") or {}).get("jobs", []):
                if job["reasons"]:
                    return str(job["reasons"][0])
        deployed.cloud.clock.sleep(10)
    raise AssertionError("nothing was told")


def test_a_job_that_somebody_cancels_fails_the_run_with_what_was_said(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket(EUROPE)
    request = {"source": source, "destination": destination, "confirm": True}
    execution = deployed.start("Seed", request, name=f"cancelled-{source}")
    job = deployed.job_of(f"cancelled-{source}", EUROPE, "Suspended")
    deployed.cloud.client("s3control", EUROPE).update_job_status(
        AccountId=ACCOUNT, JobId=job["JobId"], RequestedJobStatus="Cancelled", StatusUpdateReason="not today"
    )
    ended = deployed.wait(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "SeedingFailed")
    assert ended["cause"].startswith(f"job {job['JobId']} is Cancelled (not today): 0 of 1 tasks were run")


def test_an_estimate_over_max_cost_stops_the_run_before_its_job(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket(EUROPE)
    before = [deployed.jobs(region) for region in (HOME, EUROPE)]
    ended = deployed.seed({"source": source, "destination": destination, "max_cost_usd": 0.2})
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidRequest")
    assert ended["cause"].startswith(
        "max_cost_usd: this run is estimated at 0.26 USD, over the limit of 0.2 USD"
    )
    assert [deployed.jobs(region) for region in (HOME, EUROPE)] == before
    assert deployed.contents(destination, EUROPE) == {}
    record = deployed.record(ended["name"])
    assert {"ResolveRequest", "PaginateKeys", "PlanJobs"} <= set(record["stages"])
    assert (record["estimated_usd"], record["census"]["prefixes"]) == ("0.26", {"": [1, 1]})
    assert "Batch Operations jobs" in {line["name"] for line in record["bill"]["estimated"]}
    assert record["bill"]["actual"] == []
    assert (
        deployed.seed({"source": source, "destination": destination, "max_cost_usd": 0.26})["status"]
        == "SUCCEEDED"
    )


@pytest.mark.parametrize(("manifest", "report"), [("source", "destination"), ("destination", "source")])
def test_manifest_and_report_stand_where_the_request_says(
    deployed: Deployed, manifest: str, report: str
) -> None:
    pair = {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket(EUROPE)}
    regions = {"source": HOME, "destination": EUROPE}
    ended = deployed.seed(pair | {"manifest_location": manifest, "report_location": report})
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    folder, job = f"seeder/runs/{ended['name']}", deployed.record(ended["name"])["job_ids"][0]
    assert f"{folder}/manifests/copy.csv" in deployed.contents(pair[manifest], regions[manifest])
    assert f"{folder}/reports/job-{job}/manifest.json" in deployed.contents(pair[report], regions[report])
    mine = [key for key, _, _ in listed(deployed, deployed.state_bucket) if ended["name"] in key]
    assert [key for key in mine if key.startswith("runs/")] == [
        f"runs/{ended['name']}/{name}" for name in ("report.html", "run.json")
    ]


def test_a_run_that_failed_tells_all_in_its_record_its_message_and_its_event(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a", 'denied, "é']), deployed.bucket(EUROPE)
    messages, events = subscribed(deployed), announced(deployed)
    deployed.next_second()
    with deployed.faults(Fault(key_prefix="denied", status=403, code="AccessDenied")):
        ended = deployed.seed({"source": source, "destination": destination})
    record = deployed.record(ended["name"])
    assert received(deployed, messages)[-1] == record
    event = received(deployed, events)[-1]
    assert (event["source"], event["detail-type"], event["detail"]) == ("seeder", "Seeding Failed", record)

    (file,) = record["failure_files"]
    year, month, day = record["started_at"][:10].split("-")
    assert f"/datasets/seeding_failures/year={year}/month={month}/day={day}/" in file
    (row,) = csv.DictReader(io.StringIO(deployed.read(file).decode()))
    assert (row["key"], row["error_code"]) == ("denied%2C%20%22%C3%A9", "AccessDenied")
    assert record["verification"]["missing"] == 1
    assert record["request"] == {"source": source, "destination": destination}
    assert {"ResolveRequest", "PaginateKeys", "AwaitJob", "VerifyReplica"} <= set(record["stages"])
    assert (record["estimated_usd"], record["actual_usd"]) == ("0.26", "0.26")
    assert (record["census"]["classes"]["STANDARD"], record["census"]["prefixes"][""]) == ([2, 12], [2, 12])
    assert record["bill"]["actual"][0]["name"] == "List the source"
    assert record["jobs"][0] == {
        "id": record["job_ids"][0],
        "region": EUROPE,
        "operation": "copy",
        "round": 0,
        "status": "Complete",
        "total": 2,
        "succeeded": 1,
        "failed": 1,
    }


def test_a_run_that_is_complete_is_announced_as_such(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket(EUROPE)
    events = announced(deployed)
    ended = deployed.seed({"source": source, "destination": destination})
    event = received(deployed, events)[-1]
    assert (event["detail-type"], event["detail"]) == ("Seeding Completed", deployed.record(ended["name"]))
    assert (event["detail"]["replica"], event["detail"]["verification"]["equal"]) == ("equal", 1)


def test_a_run_that_ends_in_an_error_keeps_what_was_asked_and_done_in_its_record(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket(EUROPE)
    with deployed.faults(Fault(effect="wrong_md5")):
        ended = deployed.seed({"source": source, "destination": destination, "priority": 3})
    record = deployed.record(ended["name"])
    assert (record["state"], record["operation"]) == ("Failed", "copy")
    assert record["request"] == {"source": source, "destination": destination, "priority": 3}
    assert [(job["id"], job["status"]) for job in record["jobs"]] == [(record["job_ids"][0], "Complete")]


def queue(deployed: Deployed, topic: str) -> str:
    """Make a queue that gets what is published to a topic."""
    sqs = deployed.cloud.client("sqs")
    url = sqs.create_queue(QueueName=f"queue-{topic.rpartition(':')[2]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    deployed.cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return str(url)


def subscribed(deployed: Deployed) -> str:
    """Make a queue that gets the messages of runs."""
    return queue(deployed, deployed.stack.outputs["TopicArn"])


def announced(deployed: Deployed) -> str:
    """Make a queue that gets the events of runs, by a rule."""
    events = deployed.cloud.client("events")
    topic = deployed.cloud.client("sns").create_topic(Name="announced")["TopicArn"]
    events.put_rule(Name="announced", EventPattern=json.dumps({"source": ["seeder"]}))
    events.put_targets(Rule="announced", Targets=[{"Id": "topic", "Arn": topic}])
    return queue(deployed, topic)


def received(deployed: Deployed, url: str) -> list[Any]:
    """Return what a queue got."""
    sqs = deployed.cloud.client("sqs")
    found: list[Any] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        found += [json.loads(json.loads(message["Body"])["Message"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found
