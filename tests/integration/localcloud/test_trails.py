"""What CloudTrail tells of reaches EventBridge only where a trail logs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud import trails
from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from tests.integration.localcloud.targets import ACCOUNT, make_machine, make_role

ROLE = f"arn:aws:iam::{ACCOUNT}:role/events"
RULE_ARN = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/replication"
START = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": "*"}
RECORD = {"eventSource": "s3.amazonaws.com", "eventName": "PutBucketReplication", "readOnly": False}


def basic(**members: Any) -> dict[str, Any]:
    return {"EventSelectors": [members]}


def advanced(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"AdvancedEventSelectors": [{"FieldSelectors": list(fields)}]}


MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(ScaledClock(1000), trail=False) as running:
        running.client("s3").create_bucket(Bucket="logs")
        yield running


@pytest.fixture
def make_trail(cloud: LocalCloud) -> Any:
    def make(region: str = "us-east-1", selectors: dict[str, Any] | None = None, **given: Any) -> Any:
        cloudtrail = cloud.client("cloudtrail", region)
        cloudtrail.create_trail(Name="trail", S3BucketName="logs", **given)
        if selectors:
            cloudtrail.put_event_selectors(TrailName="trail", **selectors)
        return cloudtrail

    return make


def test_an_account_has_the_trail_of_its_organisation_unless_it_is_to_have_none() -> None:
    with LocalCloud(ScaledClock(1000)) as cloud:
        (trail,) = cloud.client("cloudtrail", "eu-west-1").describe_trails()["trailList"]
        assert (trail["Name"], trail["IsMultiRegionTrail"], trail["IsOrganizationTrail"]) == (
            "organization",
            True,
            True,
        )
        assert cloud.client("cloudtrail").get_trail_status(Name="organization")["IsLogging"]
        assert cloud.client("s3").list_buckets()["Buckets"] == []
        assert trails.logged(RECORD, "eu-west-1")
    with LocalCloud(ScaledClock(1000), trail=False) as cloud:
        assert cloud.client("cloudtrail").describe_trails()["trailList"] == []
        assert not trails.logged(RECORD, "us-east-1")


def test_a_trail_counts_while_it_is_logging(make_trail: Any) -> None:
    cloudtrail = make_trail()
    assert not trails.logged(RECORD, "us-east-1")
    cloudtrail.start_logging(Name="trail")
    assert trails.logged(RECORD, "us-east-1")
    cloudtrail.stop_logging(Name="trail")
    assert not trails.logged(RECORD, "us-east-1")


@pytest.mark.parametrize(("everywhere", "elsewhere"), [(False, False), (True, True)])
def test_a_trail_logs_its_own_region_or_all(make_trail: Any, everywhere: bool, elsewhere: bool) -> None:
    make_trail("eu-west-1", IsMultiRegionTrail=everywhere).start_logging(Name="trail")
    assert trails.logged(RECORD, "eu-west-1")
    assert trails.logged(RECORD, "us-east-1") is elsewhere


@pytest.mark.parametrize(
    ("selectors", "logged"),
    [
        (None, True),
        (basic(ReadWriteType="All", IncludeManagementEvents=True), True),
        (basic(ReadWriteType="WriteOnly", IncludeManagementEvents=True), True),
        (basic(ReadWriteType="ReadOnly", IncludeManagementEvents=True), False),
        (basic(ReadWriteType="All", IncludeManagementEvents=False), False),
        (basic(ExcludeManagementEventSources=["kms.amazonaws.com"]), True),
        (basic(ExcludeManagementEventSources=["s3.amazonaws.com"]), False),
        (advanced(MANAGEMENT), True),
        (advanced(MANAGEMENT, {"Field": "readOnly", "Equals": ["false"]}), True),
        (advanced(MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}), False),
        (advanced(MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}), True),
        (advanced(MANAGEMENT, {"Field": "eventSource", "NotEquals": ["s3.amazonaws.com"]}), False),
        (advanced(MANAGEMENT, {"Field": "eventName", "StartsWith": ["Put", "Delete"]}), True),
        (advanced(MANAGEMENT, {"Field": "eventName", "NotEndsWith": ["Replication"]}), False),
        (advanced({"Field": "eventCategory", "Equals": ["Data"]}), False),
    ],
)
def test_a_trail_logs_what_its_selectors_name(make_trail: Any, selectors: Any, logged: bool) -> None:
    make_trail(selectors=selectors).start_logging(Name="trail")
    assert trails.logged(RECORD, "us-east-1") is logged


def test_selectors_of_one_kind_replace_those_of_the_other(make_trail: Any) -> None:
    cloudtrail = make_trail(selectors=advanced({"Field": "eventCategory", "Equals": ["Data"]}))
    cloudtrail.put_event_selectors(TrailName="trail", **basic(ReadWriteType="WriteOnly"))
    answer = cloudtrail.get_event_selectors(TrailName="trail")
    assert [item["ReadWriteType"] for item in answer["EventSelectors"]] == ["WriteOnly"]
    assert answer["AdvancedEventSelectors"] == []


def test_a_change_of_rules_starts_nothing_until_a_trail_logs(cloud: LocalCloud, make_trail: Any) -> None:
    make_role(cloud, ROLE, "events.amazonaws.com", RULE_ARN, START)
    states, rules, s3 = (cloud.client(name) for name in ("stepfunctions", "events", "s3"))
    machine = make_machine(cloud, "m")
    rules.put_rule(Name="replication", EventPattern=json.dumps({"source": ["aws.s3"]}))
    rules.put_targets(Rule="replication", Targets=[{"Id": "t", "Arn": machine, "RoleArn": ROLE}])

    s3.delete_bucket_replication(Bucket="logs")
    assert states.list_executions(stateMachineArn=machine)["executions"] == []
    make_trail().start_logging(Name="trail")
    s3.delete_bucket_replication(Bucket="logs")
    assert len(states.list_executions(stateMachineArn=machine)["executions"]) == 1
