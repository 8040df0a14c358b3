"""The template as an operator and a security engineer read it, after SAM's translation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from localcloud.cloudformation import refused_parameters, unsupported
from localcloud.deploy import translate

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
ARTEFACTS = ("CodeUri", "ContentUri", "DefinitionUri")

# Metrics and their dimensions: Step Functions, EventBridge, EventBridge Scheduler, SQS and Lambda developer guides.
METRICS = {
    ("AWS/States", "ExecutionsStarted"): {"StateMachineArn"},
    ("AWS/States", "ExecutionsSucceeded"): {"StateMachineArn"},
    ("AWS/States", "ExecutionsFailed"): {"StateMachineArn"},
    ("AWS/States", "ExecutionsTimedOut"): {"StateMachineArn"},
    ("AWS/States", "ExecutionsAborted"): {"StateMachineArn"},
    ("AWS/States", "ExecutionThrottled"): {"StateMachineArn"},
    ("AWS/States", "ThrottledEvents"): {"APIName"},
    ("AWS/Events", "TriggeredRules"): {"RuleName"},
    ("AWS/Events", "FailedInvocations"): {"RuleName"},
    ("AWS/Events", "InvocationsFailedToBeSentToDlq"): {"RuleName"},
    ("AWS/Scheduler", "InvocationAttemptCount"): {"ScheduleGroup"},
    ("AWS/Scheduler", "InvocationsFailedToBeSentToDeadLetterCount"): {"ScheduleGroup"},
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {"QueueName"},
    ("AWS/Lambda", "Errors"): {"FunctionName"},
    ("AWS/Lambda", "Duration"): {"FunctionName"},
    ("AWS/Lambda", "Throttles"): set(),
}


@cache
def source() -> Any:
    return yaml_parse(TEMPLATE.read_text("utf-8"))


@cache
def translated() -> dict[str, Any]:
    document = yaml_parse(TEMPLATE.read_text("utf-8"))
    for resource in document["Resources"].values():
        for name in ARTEFACTS:
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = "s3://artefacts/key"
    values = {name: str(item.get("Default", "")) for name, item in document["Parameters"].items()}
    return translate(document, values, "us-east-1")


def of_type(*kinds: str) -> dict[str, Any]:
    resources = translated()["Resources"]
    return {name: item.get("Properties", {}) for name, item in resources.items() if item["Type"] in kinds}


def statements(kind: str) -> Iterator[tuple[str, Any]]:
    for name, properties in of_type(kind).items():
        for statement in properties["PolicyDocument"]["Statement"]:
            yield name, statement


def alarm_metrics(alarm: Any) -> Iterator[tuple[str, str, set[str]]]:
    queries = [item["MetricStat"]["Metric"] for item in alarm.get("Metrics", []) if "MetricStat" in item]
    for metric in queries or [alarm]:
        yield (
            metric["Namespace"],
            metric["MetricName"],
            {item["Name"] for item in metric.get("Dimensions", [])},
        )


def test_everything_in_it_is_honoured_by_the_local_cloud() -> None:
    assert unsupported(translated()) == []


# ── who may act ──


def test_every_role_that_a_service_takes_on_says_for_whom() -> None:
    # Lambda takes on a function's role only for that function, whom iam:PassRole let use it; it names no source.
    for name, role in of_type("AWS::IAM::Role").items():
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            services = statement["Principal"]["Service"]
            if services not in ("lambda.amazonaws.com", ["lambda.amazonaws.com"]):
                condition = statement.get("Condition", {})
                assert condition.get("StringEquals", {}).get("aws:SourceAccount") == {
                    "Ref": "AWS::AccountId"
                }, name


@pytest.mark.parametrize("kind", ["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy"])
def test_every_service_that_a_policy_lets_in_is_held_to_its_source(kind: str) -> None:
    allowed = [item for item in statements(kind) if item[1]["Effect"] == "Allow"]
    for name, statement in allowed:
        keys = {key for keys in statement["Condition"].values() for key in keys}
        assert "Service" in statement["Principal"], name
        assert "aws:SourceArn" in keys, name


@pytest.mark.parametrize(
    ("guarded", "policy", "target"),
    [
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
    ],
)
def test_every_queue_topic_and_bucket_denies_plain_http(guarded: str, policy: str, target: str) -> None:
    denying = set()
    for properties in of_type(policy).values():
        plain = [
            item
            for item in properties["PolicyDocument"]["Statement"]
            if (item["Effect"], item["Principal"]) == ("Deny", "*")
            and item.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        named = properties[target] if isinstance(properties[target], list) else [properties[target]]
        denying |= {item["Ref"] for item in named if plain}
    assert of_type(guarded).keys() == denying


def test_every_bucket_is_private_versioned_encrypted_and_kept() -> None:
    for name, properties in of_type("AWS::S3::Bucket").items():
        resource = translated()["Resources"][name]
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain", name
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}, name
        assert all(properties["PublicAccessBlockConfiguration"].values()), name
        assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}, (
            name
        )
        assert properties["BucketEncryption"], name
        rules = properties["LifecycleConfiguration"]["Rules"]
        assert any("NoncurrentVersionExpiration" in rule for rule in rules), name
        assert any("AbortIncompleteMultipartUpload" in rule for rule in rules), name


def test_old_tls_is_denied_by_every_bucket() -> None:
    denied = {
        name
        for name, statement in statements("AWS::S3::BucketPolicy")
        if statement["Effect"] == "Deny"
        and statement.get("Condition") == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
    }
    assert denied == of_type("AWS::S3::BucketPolicy").keys()


# ── what goes wrong, and who hears of it ──


def test_what_a_trigger_can_not_deliver_is_kept_for_two_weeks() -> None:
    (rule,) = of_type("AWS::Events::Rule").values()
    (schedule,) = of_type("AWS::Scheduler::Schedule").values()
    for target in [*rule["Targets"], schedule["Target"]]:
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["Undelivered", "Arn"]}}
    assert of_type("AWS::SQS::Queue")["Undelivered"]["MessageRetentionPeriod"] == 14 * 86400


@pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
def test_an_alarm_watches_metrics_that_exist_and_says_what_to_do(name: str) -> None:
    alarm = of_type("AWS::CloudWatch::Alarm")[name]
    for namespace, metric, dimensions in alarm_metrics(alarm):
        assert METRICS[namespace, metric] == dimensions
    queried = {item["Id"] for item in alarm.get("Metrics", []) if "MetricStat" in item}
    added = {item["Expression"] for item in alarm.get("Metrics", []) if "Expression" in item}
    assert queried == set(re.findall(r"\bm\d+\b", " ".join(added)))
    assert len(queried) <= 10
    assert alarm["AlarmActions"] == [{"Ref": "Topic"}]
    assert alarm["TreatMissingData"] == "notBreaching"
    assert len(re.findall(r"[.:](?: |$)", alarm["AlarmDescription"])) >= 2
    assert len(alarm["AlarmDescription"]) <= 1024


def test_each_way_for_an_execution_to_end_badly_is_watched_for_each_state_machine() -> None:
    ended = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled")
    watched = {
        (item["MetricStat"]["Metric"]["MetricName"], dimension["Value"]["Ref"])
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        for item in alarm.get("Metrics", [])
        if "MetricStat" in item and item["MetricStat"]["Metric"]["Namespace"] == "AWS/States"
        for dimension in item["MetricStat"]["Metric"].get("Dimensions", [])
        if dimension["Name"] == "StateMachineArn"
    }
    machines = of_type("AWS::StepFunctions::StateMachine")
    assert watched == {(metric, machine) for metric in ended for machine in machines}


def test_the_topic_takes_alarms_of_this_stack_whose_names_begin_with_its_own() -> None:
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmName"]["Fn::Sub"].startswith("${AWS::StackName}-")
    (allowed,) = [item for _, item in statements("AWS::SNS::TopicPolicy") if item["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":alarm:${AWS::StackName}-*")


def test_the_topic_is_never_under_the_key_with_which_alarms_could_not_be_published() -> None:
    assert "alias/aws/sns" not in str(translated())


def test_the_dashboard_shows_every_alarm_and_function() -> None:
    body = of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
    for name in of_type("AWS::CloudWatch::Alarm"):
        assert f'"${{{name}.Arn}}"' in body
    for name in of_type("AWS::Lambda::Function"):
        assert f'"FunctionName", "${{{name}}}"' in body, f"{name} is missing in the dashboard"


# ── parameters ──


def test_every_parameter_is_described_labelled_in_one_group_and_its_default_fits() -> None:
    parameters, interface = source()["Parameters"], source()["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(parameters)
    assert interface["ParameterLabels"].keys() == parameters.keys()
    assert all(item["Description"] for item in parameters.values())
    assert refused_parameters(parameters, {}) == []


def test_every_pattern_of_a_parameter_says_in_words_what_it_asks() -> None:
    for name, parameter in source()["Parameters"].items():
        if "AllowedPattern" in parameter:
            assert parameter["ConstraintDescription"], name


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("BucketNames", ["*", "app-*", "my.bucket"], ["", "My-Bucket", "a,b", "s3://a", "arn:aws:s3:::a"]),
        (
            "KmsKeyId",
            ["none", "*", "0f0f0f0f-0000-4000-8000-00000000000a", f"mrk-{'0' * 32}"],
            ["", "alias/x", "arn:aws:kms:us-east-1:123456789012:key/x"],
        ),
        (
            "EncryptionKeyArn",
            ["", "arn:aws:kms:us-east-1:123456789012:key/0f0f0f0f-0000-4000-8000-00000000000a"],
            ["alias/aws/sns", "arn:aws:kms:us-east-1:123456789012:alias/x"],
        ),
        (
            "ScheduleExpression",
            ["rate(1 day)", "cron(0 3 * * ? *)"],
            ["", "daily", "at(2026-01-01T00:00:00)"],
        ),
        ("ScheduledPairs", ['{"pairs": []}', '{\n "pairs": []\n}'], ["", "[]", "pairs"]),
        ("CreateTrail", ["true", "false"], ["", "yes"]),
        ("FleetConcurrency", ["1", "40"], ["0", "41", "x"]),
    ],
)
def test_a_parameter_takes_what_it_should_and_no_more(
    name: str, taken: list[str], refused: list[str]
) -> None:
    parameters = source()["Parameters"]
    assert [value for value in taken if refused_parameters(parameters, {name: value})] == []
    assert [value for value in refused if not refused_parameters(parameters, {name: value})] == []
