"""Queues, policies, alarms, dashboards, trails and conditions of a template, made and deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from localcloud.cloudformation import Unsupported

KEY = "arn:aws:kms:us-east-1:123456789012:key/0f0f0f0f-0000-4000-8000-000000000000"
POLICY = '{Version: "2012-10-17", Statement: [{Effect: Deny, Principal: "*", Action: "*", Resource: "*"}]}'
BUCKET = "  Bucket: {Type: AWS::S3::Bucket, DeletionPolicy: Retain}\n"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(ScaledClock(1000), trail=False) as running:
        yield running


@pytest.fixture
def deploy(cloud: LocalCloud, tmp_path: Path) -> Any:
    def deploy(resources: str, head: str = "", parameters: dict[str, str] | None = None) -> Any:
        path = tmp_path / "template.yaml"
        path.write_text(f"Transform: AWS::Serverless-2016-10-31\n{head}\nResources:\n{resources}")
        return cloud.deploy(path, name=tmp_path.name.replace("_", "-"), parameters=parameters)

    return deploy


def attributes(cloud: LocalCloud, url: str) -> dict[str, Any]:
    answer = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return dict(answer["Attributes"])


@pytest.mark.parametrize(
    "resource",
    [
        "AWS::SQS::Queue, Properties: {RedrivePolicy: {}}",
        "AWS::SQS::Queue, Properties: {FifoQueue: true}",
        "AWS::SNS::TopicPolicy, Properties: {Topics: [], PolicyDocument: {}, Other: x}",
        "AWS::CloudWatch::Alarm, Properties: {ExtendedStatistic: p99}",
        "AWS::CloudTrail::Trail, Properties: {IsOrganizationTrail: true}",
        "AWS::CloudTrail::Trail, Properties: {CloudWatchLogsLogGroupArn: x}",
    ],
)
def test_a_property_that_is_not_honoured_is_an_error(deploy: Any, resource: str) -> None:
    with pytest.raises(Unsupported, match="is not honoured by the local cloud"):
        deploy(f"  R: {{Type: {resource}}}\n")


def test_rules_of_a_template_are_refused(deploy: Any) -> None:
    with pytest.raises(Unsupported, match="section Rules"):
        deploy(BUCKET, head="Rules: {R: {Assertions: []}}")


@pytest.mark.parametrize(
    ("properties", "managed", "key"),
    [
        ("MessageRetentionPeriod: 1209600, SqsManagedSseEnabled: true", "true", None),
        (f"MessageRetentionPeriod: 1209600, KmsMasterKeyId: '{KEY}'", "false", KEY),
    ],
)
def test_a_queue_has_its_retention_encryption_and_policy(
    cloud: LocalCloud, deploy: Any, properties: str, managed: str, key: str | None
) -> None:
    stack = deploy(
        f"  Queue: {{Type: AWS::SQS::Queue, Properties: {{{properties}}}}}\n"
        f"  Policy: {{Type: AWS::SQS::QueuePolicy, Properties: {{Queues: [!Ref Queue], PolicyDocument: {POLICY}}}}}\n",
        head="Outputs: {Arn: {Value: !GetAtt Queue.Arn}, Name: {Value: !GetAtt Queue.QueueName}}",
    )
    found = attributes(cloud, stack.resources["Queue"])
    assert (found["MessageRetentionPeriod"], found["SqsManagedSseEnabled"]) == ("1209600", managed)
    assert found.get("KmsMasterKeyId") == key
    assert json.loads(found["Policy"])["Statement"][0]["Effect"] == "Deny"
    assert (
        stack.outputs["Arn"]
        == found["QueueArn"]
        == f"arn:aws:sqs:us-east-1:123456789012:{stack.outputs['Name']}"
    )
    cloud.client("cloudformation").delete_stack(StackName=stack.name)
    assert stack.resources["Queue"] not in cloud.client("sqs").list_queues().get("QueueUrls", [])


def test_a_topic_has_its_policy_and_its_own_again_once_that_is_gone(cloud: LocalCloud, deploy: Any) -> None:
    topic = cloud.client("sns").create_topic(Name="outside")["TopicArn"]
    policy = f"{{Topics: ['{topic}'], PolicyDocument: {POLICY}}}"

    def held() -> Any:
        return json.loads(cloud.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])

    before = held()
    stack = deploy(f"  Policy: {{Type: AWS::SNS::TopicPolicy, Properties: {policy}}}\n")
    assert held()["Statement"][0]["Effect"] == "Deny"
    cloud.client("cloudformation").delete_stack(StackName=stack.name)
    assert held() == before


def test_an_alarm_is_kept_as_it_is_described(cloud: LocalCloud, deploy: Any) -> None:
    stack = deploy(
        """
  Topic: {Type: AWS::SNS::Topic}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: an-alarm
      AlarmDescription: What to do.
      Metrics:
        - {Id: sum, Expression: "FILL(m1, 0)", ReturnData: true}
        - Id: m1
          ReturnData: false
          MetricStat:
            Metric:
              Namespace: AWS/States
              MetricName: ExecutionsFailed
              Dimensions: [{Name: StateMachineArn, Value: x}]
            Period: 300
            Stat: Sum
      ComparisonOperator: GreaterThanOrEqualToThreshold
      Threshold: 1
      EvaluationPeriods: 2
      TreatMissingData: notBreaching
      AlarmActions: [!Ref Topic]
""",
        head="Outputs: {Arn: {Value: !GetAtt Alarm.Arn}}",
    )
    (alarm,) = cloud.client("cloudwatch").describe_alarms(AlarmNames=["an-alarm"])["MetricAlarms"]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (
        1.0,
        2,
        "notBreaching",
    )
    assert alarm["Metrics"][1]["MetricStat"]["Metric"]["MetricName"] == "ExecutionsFailed"
    assert alarm["AlarmActions"] == [stack.resources["Topic"]]
    assert alarm["AlarmArn"] == stack.outputs["Arn"]
    cloud.client("cloudformation").delete_stack(StackName=stack.name)
    assert cloud.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_a_dashboard_is_kept_as_its_body(cloud: LocalCloud, deploy: Any) -> None:
    stack = deploy(
        """
  Dashboard:
    Type: AWS::CloudWatch::Dashboard
    Properties: {DashboardName: d, DashboardBody: '{"widgets": []}'}
"""
    )
    assert cloud.client("cloudwatch").get_dashboard(DashboardName="d")["DashboardBody"] == '{"widgets": []}'
    cloud.client("cloudformation").delete_stack(StackName=stack.name)
    assert cloud.client("cloudwatch").list_dashboards()["DashboardEntries"] == []


@pytest.mark.parametrize("is_logging", [True, False])
def test_a_trail_logs_if_the_template_says_so(cloud: LocalCloud, deploy: Any, is_logging: bool) -> None:
    stack = deploy(
        BUCKET
        + f"""
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      TrailName: a-trail
      S3BucketName: !Ref Bucket
      IsLogging: {str(is_logging).lower()}
      EventSelectors: [{{ReadWriteType: WriteOnly}}]
"""
    )
    cloudtrail = cloud.client("cloudtrail")
    assert cloudtrail.get_trail_status(Name="a-trail")["IsLogging"] is is_logging
    selectors = cloudtrail.get_event_selectors(TrailName="a-trail")["EventSelectors"]
    assert selectors == [{"ReadWriteType": "WriteOnly"}]
    cloud.client("cloudformation").delete_stack(StackName=stack.name)
    assert cloudtrail.describe_trails()["trailList"] == []


def test_a_log_group_has_its_key(cloud: LocalCloud, deploy: Any) -> None:
    stack = deploy(f"  Logs: {{Type: AWS::Logs::LogGroup, Properties: {{KmsKeyId: '{KEY}'}}}}\n")
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix=stack.resources["Logs"])["logGroups"]
    assert groups[0]["kmsKeyId"] == KEY


def test_a_lifecycle_rule_may_remove_markers_that_hide_nothing(cloud: LocalCloud, deploy: Any) -> None:
    rules = "[{Id: m, Status: Enabled, ExpiredObjectDeleteMarker: true}]"
    stack = deploy(
        f"  B: {{Type: AWS::S3::Bucket, Properties: {{LifecycleConfiguration: {{Rules: {rules}}}}}}}\n"
    )
    s3 = cloud.client("s3")
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=stack.resources["B"])["Rules"]
    assert rule["Expiration"] == {"ExpiredObjectDeleteMarker": True}


CONDITIONAL = """
  One: {Type: AWS::SQS::Queue, Condition: Wanted}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Condition: Wanted
    Properties:
      Queues: [!Ref One, !If [Wanted, !Ref AWS::NoValue, none]]
      PolicyDocument: {Version: "2012-10-17", Statement: []}
  Always:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: !If [Wanted, 7, !Ref AWS::NoValue]}
"""
CONDITION = """
Parameters: {Want: {Type: String, Default: "false", AllowedValues: ["true", "false"]}}
Conditions: {Wanted: !Not [!Equals [!Ref Want, "false"]]}
Outputs: {One: {Condition: Wanted, Value: !Ref One}}
"""


@pytest.mark.parametrize(("want", "made", "timeout"), [("true", True, "7"), ("false", False, "30")])
def test_conditions_decide_resources_properties_list_members_and_outputs(
    cloud: LocalCloud, deploy: Any, want: str, made: bool, timeout: str
) -> None:
    stack = deploy(CONDITIONAL, head=CONDITION, parameters={"Want": want})
    assert ("One" in stack.resources, "One" in stack.outputs) == (made, made)
    assert attributes(cloud, stack.resources["Always"])["VisibilityTimeout"] == timeout


def test_a_parameter_outside_its_constraint_stops_the_deployment(deploy: Any) -> None:
    with pytest.raises(
        ValueError, match="Parameter Want failed to satisfy constraint: must be one of true, false"
    ):
        deploy(CONDITIONAL, head=CONDITION, parameters={"Want": "perhaps"})
