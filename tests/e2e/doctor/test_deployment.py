"""What may be amiss with the stack and the trail: made, seen, repaired, and gone."""

from __future__ import annotations

from tests.e2e.deployed import ACCOUNT, EUROPE, HOME
from tests.e2e.doctor.doctoring import Doctor


def test_no_trail_is_a_miss(doctor: Doctor) -> None:
    finding = doctor.look("Trail/trail")
    assert (finding.outcome, "CreateTrail=true" in finding.todo) == ("miss", True)


def test_a_stopped_trail_is_a_miss(doctor: Doctor, trail: str) -> None:
    cloudtrail = doctor.client("cloudtrail")
    doctor.miss_then_ok(
        "Trail/trail",
        "own is stopped",
        lambda: cloudtrail.stop_logging(Name=trail),
        lambda: cloudtrail.start_logging(Name=trail),
    )


def test_a_trail_that_only_logs_what_is_read_is_a_miss(doctor: Doctor, trail: str) -> None:
    cloudtrail = doctor.client("cloudtrail")

    def select(kind: str) -> None:
        cloudtrail.put_event_selectors(
            TrailName=trail, EventSelectors=[{"ReadWriteType": kind, "IncludeManagementEvents": True}]
        )

    doctor.miss_then_ok(
        "Trail/trail",
        "no management write events",
        lambda: select("ReadOnly"),
        lambda: select("WriteOnly"),
    )


def test_a_trail_of_another_region_counts_where_it_is_for_all_regions(doctor: Doctor, trail: str) -> None:
    cloudtrail = doctor.client("cloudtrail", EUROPE)
    doctor.client("cloudtrail").stop_logging(Name=trail)
    cloudtrail.create_trail(Name="everywhere", S3BucketName="trail-logs", IsMultiRegionTrail=True)
    doctor.miss_then_ok(
        "Trail/trail",
        "everywhere is stopped",
        lambda: None,
        lambda: cloudtrail.start_logging(Name="everywhere"),
    )
    cloudtrail.delete_trail(Name="everywhere")


def test_a_disabled_event_rule_is_a_miss(doctor: Doctor) -> None:
    events, name = doctor.client("events"), "seeder-rule-added"
    doctor.miss_then_ok(
        "Deployment/rule-added",
        "DISABLED",
        lambda: events.disable_rule(Name=name),
        lambda: events.enable_rule(Name=name),
    )


def test_an_event_rule_that_starts_nothing_is_a_miss(doctor: Doctor) -> None:
    events, name = doctor.client("events"), "seeder-rule-added"
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    doctor.miss_then_ok(
        "Deployment/rule-added",
        "does not start the state machine fleet",
        lambda: events.remove_targets(Rule=name, Ids=[targets[0]["Id"]]),
        lambda: events.put_targets(Rule=name, Targets=targets),
    )


def test_an_enabled_schedule_is_told(doctor: Doctor) -> None:
    scheduler, name = doctor.client("scheduler"), "seeder-resync"
    assert "DISABLED" in doctor.look("Deployment/resync").found
    seen = scheduler.get_schedule(Name=name)
    given = {
        key: seen[key]
        for key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target", "Description")
    }
    elsewhere = given | {"Target": given["Target"] | {"Arn": f"arn:aws:lambda:{HOME}:{ACCOUNT}:function:x"}}
    doctor.miss_then_ok(
        "Deployment/resync",
        "does not start the state machine fleet",
        lambda: scheduler.update_schedule(**elsewhere, State="ENABLED"),
        lambda: scheduler.update_schedule(**given, State="ENABLED"),
    )
    scheduler.update_schedule(**given, State="DISABLED")


def test_an_event_that_was_not_delivered_is_a_miss(doctor: Doctor) -> None:
    sqs, url = doctor.client("sqs"), doctor.outputs["UndeliveredUrl"]
    doctor.miss_then_ok(
        "Deployment/undelivered",
        "1 event could not be delivered",
        lambda: sqs.send_message(QueueUrl=url, MessageBody="{}"),
        lambda: sqs.purge_queue(QueueUrl=url),
    )
