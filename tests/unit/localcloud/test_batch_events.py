from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from moto.events.models import EventPattern

from localcloud.batch_operations import Settings
from localcloud.clock import ManualClock
from tests.unit.localcloud.batch_world import ACCOUNT, world

PATTERN = (
    '{"source": ["aws.s3"], "detail-type": ["AWS Service Event via CloudTrail"], "detail": {'
    '"eventSource": ["s3.amazonaws.com"], "eventName": ["JobCreated", "JobStatusChanged"]}}'
)


def emitted(region: str = "us-east-1", **changes: Any) -> tuple[list[dict[str, Any]], list[str], str]:
    events: list[dict[str, Any]] = []
    regions: list[str] = []

    def emit(event: dict[str, Any], where: str) -> None:
        events.append(event)
        regions.append(where)

    clock = ManualClock(datetime(2020, 2, 27, 15, 26, 42, tzinfo=UTC))
    with world(Settings(clock=clock, emit=emit), region) as cloud:
        cloud.put("a")
        job_id = cloud.run(cloud.manifest("src,a\n"), **changes)["JobId"]
    return events, regions, job_id


def test_the_event_is_shaped_as_the_user_guide_shows() -> None:
    events, _, job_id = emitted()
    last = events[-1]
    assert re.fullmatch(r"[0-9a-f-]{36}", last.pop("id"))
    assert re.fullmatch(r"[0-9a-f-]{36}", last["detail"].pop("eventID"))
    assert re.fullmatch(r"[0-9a-f]{32}", last["detail"]["serviceEventDetails"].pop("jobEventId"))
    assert last == {
        "version": "0",
        "detail-type": "AWS Service Event via CloudTrail",
        "source": "aws.s3",
        "account": ACCOUNT,
        "time": "2020-02-27T15:26:42Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "eventVersion": "1.05",
            "userIdentity": {"accountId": ACCOUNT, "invokedBy": "s3.amazonaws.com"},
            "eventTime": "2020-02-27T15:26:42Z",
            "eventSource": "s3.amazonaws.com",
            "eventName": "JobStatusChanged",
            "awsRegion": "us-east-1",
            "sourceIPAddress": "s3.amazonaws.com",
            "userAgent": "s3.amazonaws.com",
            "readOnly": False,
            "eventType": "AwsServiceEvent",
            "serviceEventDetails": {
                "jobId": job_id,
                "jobArn": f"arn:aws:s3:us-east-1:{ACCOUNT}:job/{job_id}",
                "status": "Complete",
                "failureCodes": [],
                "statusChangeReason": [],
            },
        },
    }


def test_job_created_comes_first_with_status_new_and_each_change_after_it() -> None:
    events, _, _ = emitted()
    told = [(each["detail"]["eventName"], each["detail"]["serviceEventDetails"]["status"]) for each in events]
    assert told[0] == ("JobCreated", "New")
    assert {name for name, _ in told[1:]} == {"JobStatusChanged"}
    assert [status for _, status in told[1:]] == ["Preparing", "Ready", "Active", "Completing", "Complete"]


def test_events_match_the_documented_pattern() -> None:
    events, _, _ = emitted()
    pattern = EventPattern.load(PATTERN)
    assert all(pattern.matches_event(each) for each in events)


def test_events_go_to_the_bus_of_the_jobs_region() -> None:
    events, regions, _ = emitted("eu-west-1")
    assert set(regions) == {"eu-west-1"}
    assert {each["detail"]["awsRegion"] for each in events} == {"eu-west-1"}


def test_an_event_that_cannot_be_delivered_is_no_obstacle_to_the_job() -> None:
    def emit(event: dict[str, Any], region: str) -> None:
        raise LookupError

    with world(Settings(emit=emit)) as cloud:
        cloud.put("a")
        assert cloud.run(cloud.manifest("src,a\n"))["Status"] == "Complete"


def test_a_failed_jobs_event_names_the_failure_codes() -> None:
    events, _, _ = emitted(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/nobody")
    details = events[-1]["detail"]["serviceEventDetails"]
    assert (details["status"], details["failureCodes"]) == ("Failed", ["RoleNotAssumable"])
    assert [each["detail"]["serviceEventDetails"]["status"] for each in events][-2:] == ["Failing", "Failed"]
