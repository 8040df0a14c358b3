"""The deployed template: outputs, the trail that it can make, its key, and what can not be delivered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud import events, schedules, trails
from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from localcloud.deploy import Stack

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
EVENT = json.loads((TEMPLATE.parent / "events" / "rule-added.json").read_text())
HOME, EUROPE, ASIA = "us-east-1", "eu-west-1", "ap-southeast-2"
KEY = f"arn:aws:kms:{EUROPE}:123456789012:key/0f0f0f0f-0000-4000-8000-00000000000a"
PAIRS = {"trigger": "schedule", "pairs": [{"source": "a-bucket", "destination": "b-bucket"}]}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(ScaledClock(1000), trail=False) as running:
        yield running


@pytest.fixture(scope="module")
def plain(cloud: LocalCloud) -> Stack:
    return cloud.deploy(TEMPLATE, "plain", HOME)


@pytest.fixture(scope="module")
def full(cloud: LocalCloud) -> Stack:
    """Return a stack with a trail and a key of its own, in another region."""
    return cloud.deploy(TEMPLATE, "full", EUROPE, {"CreateTrail": "true", "EncryptionKeyArn": KEY})


@pytest.fixture
def doomed(cloud: LocalCloud) -> Stack:
    """Return a stack with a trail, whose fleet can not be started: somebody has deleted it."""
    parameters = {"CreateTrail": "true", "ScheduledPairs": json.dumps(PAIRS)}
    stack = cloud.deploy(TEMPLATE, "doomed", ASIA, parameters)
    cloud.client("stepfunctions", ASIA).delete_state_machine(stateMachineArn=stack.outputs["FleetArn"])
    return stack


@pytest.mark.parametrize(("stack", "makes_trail"), [("plain", False), ("full", True)])
def test_outputs_hold_no_unresolved_name(
    request: pytest.FixtureRequest, stack: str, makes_trail: bool
) -> None:
    deployed: Stack = request.getfixturevalue(stack)
    outputs = deployed.outputs
    assert [name for name, value in outputs.items() if not value or "${" in value] == []
    home = f"https://{deployed.region}.console.aws.amazon.com/states/home?region={deployed.region}#"
    assert outputs["SeedConsole"] == f"{home}/statemachines/view/{outputs['SeedArn']}"
    assert outputs["FleetArn"].endswith(f":stateMachine:{stack}-fleet")
    assert ("TrailBucketName" in outputs) is makes_trail


def test_the_dashboard_is_a_json_document_without_unresolved_names(cloud: LocalCloud, plain: Stack) -> None:
    body = cloud.client("cloudwatch").get_dashboard(DashboardName=plain.name)["DashboardBody"]
    assert all(widget["properties"]["title"] for widget in json.loads(body)["widgets"])
    assert "${" not in body


def test_without_a_trail_of_its_own_or_the_accounts_no_event_arrives(plain: Stack) -> None:
    assert not trails.logged(EVENT["detail"], plain.region)


def test_the_stacks_own_trail_logs_changes_of_its_region_alone(full: Stack) -> None:
    assert trails.logged(EVENT["detail"], full.region)
    assert not trails.logged(EVENT["detail"], HOME)
    assert not trails.logged({**EVENT["detail"], "readOnly": True}, full.region)


@pytest.mark.parametrize(("stack", "key"), [("plain", None), ("full", KEY)])
def test_a_key_is_that_of_logs_topic_and_queue(
    cloud: LocalCloud, request: pytest.FixtureRequest, stack: str, key: str | None
) -> None:
    deployed: Stack = request.getfixturevalue(stack)
    logs, sns, sqs = (cloud.client(name, deployed.region) for name in ("logs", "sns", "sqs"))
    (group,) = logs.describe_log_groups(logGroupNamePrefix=deployed.outputs["LogGroupName"])["logGroups"]
    topic = sns.get_topic_attributes(TopicArn=deployed.outputs["TopicArn"])["Attributes"]
    queue = sqs.get_queue_attributes(QueueUrl=deployed.outputs["UndeliveredUrl"], AttributeNames=["All"])
    assert [group.get("kmsKeyId"), topic.get("KmsMasterKeyId")] == [key, key]
    assert queue["Attributes"].get("KmsMasterKeyId") == key
    assert queue["Attributes"]["SqsManagedSseEnabled"] == ("false" if key else "true")


def test_what_does_not_reach_the_fleet_waits_in_the_queue_and_the_trails_logs_outlive_the_stack(
    cloud: LocalCloud, doomed: Stack
) -> None:
    events.deliver(EVENT, ASIA)
    schedules.fire("doomed-resync", ASIA)
    event, invocation = received(cloud, doomed)
    assert json.loads(event["Body"])["detail"]["eventName"] == "PutBucketReplication"
    assert event["MessageAttributes"]["TARGET_ARN"]["StringValue"] == doomed.outputs["FleetArn"]
    assert json.loads(json.loads(invocation["Body"])["Input"]) == PAIRS

    cloud.client("cloudformation", ASIA).delete_stack(StackName="doomed")
    assert not trails.logged(EVENT["detail"], ASIA)
    cloud.client("s3", ASIA).head_bucket(Bucket=doomed.outputs["TrailBucketName"])


def received(cloud: LocalCloud, stack: Stack) -> list[Any]:
    """Return the messages of a stack's queue: those of the rule, then those of the schedule."""
    answer = cloud.client("sqs", stack.region).receive_message(
        QueueUrl=stack.outputs["UndeliveredUrl"], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    return sorted(answer["Messages"], key=lambda item: "SCHEDULE_ARN" in item["MessageAttributes"])


def test_a_parameter_that_the_template_refuses_stops_the_deployment(cloud: LocalCloud) -> None:
    with pytest.raises(
        ValueError, match="Parameter KmsKeyId failed to satisfy constraint: must be the id of a"
    ):
        cloud.deploy(TEMPLATE, parameters={"KmsKeyId": "alias/mine"})
