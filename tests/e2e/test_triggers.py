"""What starts runs on the deployed stack: rules added, the schedule, and inputs to `fleet` by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from localcloud import events, schedules
from tests.e2e.deployed import EUROPE, HOME, Deployed

EVENTS = Path(__file__).parents[2] / "events"


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def rule_added(source: str, event_id: str = "7a0c4d0e-2f83-4d34-8f58-6a0d7a2c9a10") -> Any:
    text = json.dumps(sample("rule-added")).replace("foghorn1.bucket", source)
    event = json.loads(text)
    event["detail"]["eventID"] = event_id
    return event


def test_a_rule_added_seeds_its_destination(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a", "b/c"]), deployed.bucket(EUROPE)
    deployed.add_rule(source, destination)
    (run,) = deployed.runs_of(source)
    assert run["status"] == "SUCCEEDED"
    assert sorted(deployed.contents(destination, EUROPE)) == ["a", "b/c"]
    assert run["output"]["run"]["request"]["trigger"] == "rule-added"


def test_each_enabled_rule_is_a_run_of_its_own(deployed: Deployed) -> None:
    source, first, second = deployed.bucket(keys=["a"]), deployed.bucket(), deployed.bucket(EUROPE)
    deployed.add_rule(source, first, second)
    runs = deployed.runs_of(source, expected=2)
    assert {run["output"]["record"]["destination"] for run in runs} == {first, second}


def test_a_disabled_rule_seeds_nothing(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    deployed.add_rule(source, destination, Status="Disabled")
    ended = deployed.wait(deployed.start("Fleet", rule_added(source)))
    assert ended["status"] == "SUCCEEDED"
    assert ended["output"]["runs"] == []
    assert deployed.contents(destination) == {}


def test_a_rules_prefix_is_the_scope_of_its_run(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["logs/a", "b"]), deployed.bucket()
    deployed.add_rule(source, destination, Filter={"Prefix": "logs/"})
    deployed.runs_of(source)
    assert sorted(deployed.contents(destination)) == ["logs/a"]


def test_the_same_event_delivered_twice_seeds_once(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket(EUROPE)
    with deployed.no_events():
        deployed.add_rule(source, destination)
    before = len(deployed.jobs(HOME))
    event = rule_added(source, event_id="twice")
    for _ in range(2):
        events.deliver(event, "us-east-1")
    deployed.quiet()
    (run,) = deployed.runs_of(source)
    assert run["status"] == "SUCCEEDED"
    assert len(deployed.jobs(HOME)) == before + 1


def test_a_second_delivery_after_the_first_run_ended_is_skipped(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    with deployed.no_events():
        deployed.add_rule(source, destination)
    event = rule_added(source, event_id="late-again")
    first, second = (deployed.wait(deployed.start("Fleet", event))["output"] for _ in range(2))
    assert (first["seeded"], second["skipped"]) == (1, 1)
    assert second["runs"][0]["why"] == "this trigger was delivered before"


def test_a_configuration_put_again_seeds_nothing(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    deployed.add_rule(source, destination)
    deployed.runs_of(source)
    deployed.add_rule(source, destination)
    ended = deployed.wait(deployed.start("Fleet", rule_added(source, event_id="again")))
    assert ended["output"]["runs"] == []
    deployed.quiet()
    assert len(deployed.runs_of(source)) == 1


def test_only_the_rule_that_is_new_is_seeded(deployed: Deployed) -> None:
    source, first, second = deployed.bucket(keys=["a"]), deployed.bucket(), deployed.bucket()
    deployed.add_rule(source, first)
    deployed.runs_of(source)
    deployed.add_rule(source, second, first)
    runs = deployed.runs_of(source, expected=2)
    deployed.quiet()
    assert {run["output"]["record"]["destination"] for run in runs} == {first, second}
    assert len(deployed.runs_of(source, expected=2)) == 2


def test_a_rule_that_was_deleted_and_is_added_again_is_compared_and_seeded(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    deployed.add_rule(source, destination)
    deployed.runs_of(source)
    s3 = deployed.cloud.client("s3")
    s3.delete_bucket_replication(Bucket=source)
    deployed.quiet()
    s3.put_object(Bucket=source, Key="meanwhile", Body=b"m")
    deployed.next_second()
    deployed.add_rule(source, destination)
    deployed.runs_of(source, expected=2)
    assert sorted(deployed.contents(destination)) == ["a", "meanwhile"]


def test_the_sample_of_a_deleted_configuration_seeds_nothing(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    deployed.add_rule(source, destination)
    deployed.runs_of(source)
    with deployed.no_events():
        deployed.cloud.client("s3").delete_bucket_replication(Bucket=source)
    event = json.loads(json.dumps(sample("rule-deleted")).replace("foghorn1.bucket", source))
    assert event["detail"]["eventName"] == "DeleteBucketReplication"
    ended = deployed.wait(deployed.start("Fleet", event))
    assert (ended["status"], ended["output"]["runs"]) == ("SUCCEEDED", [])


def test_a_wider_filter_seeds_what_the_replica_lacks(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["logs/a", "b"]), deployed.bucket()
    deployed.next_second()
    deployed.add_rule(source, destination, Filter={"Prefix": "logs/"})
    deployed.runs_of(source)
    deployed.add_rule(source, destination)
    records = [run["output"]["record"] for run in deployed.runs_of(source, expected=2)]
    assert sorted(record["total"] for record in records) == [1, 1]
    assert sorted(deployed.contents(destination)) == ["b", "logs/a"]


def test_a_rule_that_this_application_adds_is_seeded_by_the_run_that_adds_it(deployed: Deployed) -> None:
    source, destination = deployed.bucket(versioned=False, keys=["a"]), deployed.bucket(versioned=False)
    request = {"source": source, "destination": destination, "enable_replication": True}
    assert deployed.seed(request)["status"] == "SUCCEEDED"
    deployed.quiet()
    assert deployed.runs_of(source, expected=0) == []
    ended = deployed.wait(deployed.start("Fleet", rule_added(source, event_id="of-our-own")))
    assert ended["output"]["runs"] == []


def test_an_event_without_request_parameters_is_resolved_by_its_resources(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    with deployed.no_events():
        deployed.add_rule(source, destination)
    event = rule_added(source, event_id="without-parameters")
    del event["detail"]["requestParameters"]
    ended = deployed.wait(deployed.start("Fleet", event))
    assert ended["output"]["runs"][0]["state"] == "Complete"


def test_an_event_of_a_failed_call_does_not_match_the_rule(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    deployed.add_rule(source, destination)
    deployed.runs_of(source)
    event = rule_added(source, event_id="failed-call")
    event["detail"]["errorCode"] = "AccessDenied"
    events.deliver(event, "us-east-1")
    deployed.quiet()
    assert len(deployed.runs_of(source)) == 1


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (
            {"errorCode": "AccessDenied"},
            "detail.errorCode: 'AccessDenied': the call that this event tells of failed",
        ),
        (
            {"eventName": "PutBucketAcl"},
            "detail.eventName: 'PutBucketAcl' is neither PutBucketReplication nor",
        ),
        ({"eventID": ""}, "detail.eventID: '' is not an id"),
        ({"requestParameters": None, "resources": []}, "detail.requestParameters.bucketName: missing"),
    ],
)
def test_an_event_that_can_not_be_seeded_names_its_field(
    deployed: Deployed, change: dict[str, Any], cause: str
) -> None:
    event = rule_added(deployed.bucket())
    event["detail"] |= change
    ended = deployed.wait(deployed.start("Fleet", event))
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidRequest")
    assert ended["cause"].startswith(cause)


def test_a_destination_without_versioning_is_refused_where_a_rule_needs_it(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    with deployed.no_events():
        deployed.add_rule(source, destination)
    deployed.cloud.client("s3").put_bucket_versioning(
        Bucket=destination, VersioningConfiguration={"Status": "Suspended"}
    )
    event = rule_added(source, event_id="suspended")
    deployed.wait(deployed.start("Fleet", event))
    (refused,) = deployed.runs_of(source)
    assert refused["error"] == "InvalidRequest"
    assert refused["cause"].startswith(f"destination: bucket '{destination}' has versioning Suspended")


def test_the_fleet_sample_seeds_each_pair_and_one_failure_stops_no_other(deployed: Deployed) -> None:
    trigger = sample("fleet")
    source, destination = deployed.bucket(keys=["a", "logs/b"]), deployed.bucket()
    trigger["pairs"][0] |= {"source": source, "destination": "not-there-at-all"}
    trigger["pairs"][1] |= {"source": source, "destination": destination}
    ended = deployed.wait(deployed.start("Fleet", trigger))
    assert ended["status"] == "SUCCEEDED"
    assert [run["state"] for run in ended["output"]["runs"]] == ["Failed", "Complete"]
    assert sorted(deployed.contents(destination)) == ["logs/b"]


def test_a_wrong_pair_is_named_by_its_place(deployed: Deployed) -> None:
    trigger = {"pairs": [{"source": "good-bucket", "destination": "other-bucket"}, {"source": "x"}]}
    ended = deployed.wait(deployed.start("Fleet", trigger))
    assert (ended["error"], ended["cause"].split(":")[0]) == ("InvalidRequest", "pairs[1].source")


def test_the_schedule_sample_is_what_the_schedule_starts_with_as_it_is_deployed(deployed: Deployed) -> None:
    schedule = deployed.cloud.client("scheduler").get_schedule(Name=f"{deployed.stack.name}-resync")
    assert schedule["State"] == "DISABLED"
    assert json.loads(schedule["Target"]["Input"]) == sample("schedule")


def test_the_schedules_input_can_name_its_pairs(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    trigger = {"trigger": "schedule", "pairs": [{"source": source, "destination": destination}]}
    scheduler = deployed.cloud.client("scheduler")
    schedule = scheduler.get_schedule(Name=f"{deployed.stack.name}-resync")
    given = {name: schedule[name] for name in ("ScheduleExpression", "FlexibleTimeWindow", "State", "Target")}
    try:
        changed = given | {"Target": schedule["Target"] | {"Input": json.dumps(trigger)}}
        scheduler.update_schedule(Name=schedule["Name"], **changed)
        schedules.fire(schedule["Name"], "us-east-1")
    finally:
        scheduler.update_schedule(Name=schedule["Name"], **given)
    (run,) = deployed.runs_of(source)
    assert run["output"]["run"]["request"]["trigger"] == "schedule"
    assert sorted(deployed.contents(destination)) == ["a"]
