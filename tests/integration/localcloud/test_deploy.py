"""Templates are deployed as they stand, or refused for what the local cloud does not honour."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from localcloud.cloud import LocalCloud
from localcloud.cloudformation import Unsupported

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = """
import os
import sys

def handler(event, context):
    print("hello from", os.environ["AWS_LAMBDA_FUNCTION_NAME"])
    if event == "fail":
        raise KeyError("no such thing")
    return {
        "event": event,
        "variable": os.environ["VARIABLE"],
        "role": __import__("boto3").client("sts").get_caller_identity()["Arn"],
        "left": context.get_remaining_time_in_millis(),
        "home": os.environ.get("HOME"),
    }
"""
FUNCTION_RESOURCE = """
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      CodeUri: code
      Timeout: 7
      LoggingConfig: {LogGroup: !Ref Logs}
      Environment: {Variables: {VARIABLE: value}}
  Logs:
    Type: AWS::Logs::LogGroup
"""


def template(folder: Path, resources: str) -> Path:
    (folder / "code").mkdir()
    (folder / "code" / "app.py").write_text(FUNCTION)
    path = folder / "template.yaml"
    path.write_text(f"Transform: AWS::Serverless-2016-10-31\nResources:\n{resources}")
    return path


def deploy(cloud: LocalCloud, folder: Path, resources: str) -> Any:
    return cloud.deploy(template(folder, resources), name=folder.name.replace("_", "-"))


def test_a_resource_type_that_is_not_honoured_is_an_error(cloud: LocalCloud, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="Table: resource type AWS::DynamoDB::Table is not honoured"):
        deploy(cloud, tmp_path, "  Table: {Type: AWS::DynamoDB::Table}\n")


def test_a_property_that_is_not_honoured_is_an_error(cloud: LocalCloud, tmp_path: Path) -> None:
    resources = (
        "  Bucket: {Type: AWS::S3::Bucket, Properties: {CorsConfiguration: {}, WebsiteConfiguration: {}}}\n"
    )
    with pytest.raises(Unsupported) as caught:
        deploy(cloud, tmp_path, resources)
    assert str(caught.value).splitlines() == [
        "Bucket: property AWS::S3::Bucket.CorsConfiguration is not honoured by the local cloud",
        "Bucket: property AWS::S3::Bucket.WebsiteConfiguration is not honoured by the local cloud",
    ]


def test_a_function_runs_its_deployed_code_with_its_own_environment_and_role(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    stack = deploy(cloud, tmp_path, FUNCTION_RESOURCE)
    answer = cloud.client("lambda").invoke(FunctionName=stack.resources["Function"], Payload=json.dumps("x"))
    document = json.loads(answer["Payload"].read())
    assert (document["event"], document["variable"], document["home"]) == ("x", "value", None)
    assert f"assumed-role/{stack.resources['FunctionRole']}/" in document["role"]
    assert 0 < document["left"] <= 7000


def test_what_a_function_prints_goes_to_its_log_group(cloud: LocalCloud, tmp_path: Path) -> None:
    stack = deploy(cloud, tmp_path, FUNCTION_RESOURCE)
    cloud.client("lambda").invoke(FunctionName=stack.resources["Function"], Payload=json.dumps("x"))
    events = cloud.client("logs").filter_log_events(logGroupName=stack.resources["Logs"])["events"]
    assert [event["message"] for event in events] == [f"hello from {stack.resources['Function']}"]


def test_a_function_that_raises_answers_with_an_error_document(cloud: LocalCloud, tmp_path: Path) -> None:
    stack = deploy(cloud, tmp_path, FUNCTION_RESOURCE)
    answer = cloud.client("lambda").invoke(
        FunctionName=stack.resources["Function"], Payload=json.dumps("fail")
    )
    document = json.loads(answer["Payload"].read())
    assert "FunctionError" in answer
    assert (document["errorType"], document["errorMessage"]) == ("KeyError", "'no such thing'")


def test_a_bucket_has_what_its_properties_say(cloud: LocalCloud, tmp_path: Path) -> None:
    resources = """
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      PublicAccessBlockConfiguration:
        {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}
      BucketEncryption:
        ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]
      LifecycleConfiguration:
        Rules:
          - {Id: r, Status: Enabled, AbortIncompleteMultipartUpload: {DaysAfterInitiation: 7}}
          - {Id: x, Status: Enabled, Prefix: old/, ExpirationInDays: 3}
"""
    s3, bucket = cloud.client("s3"), deploy(cloud, tmp_path, resources).resources["Bucket"]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [rule["ID"] for rule in rules] == ["r", "x"]
    assert rules[0]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert rules[1]["Expiration"] == {"Days": 3}


def test_a_definition_with_a_substitution_that_is_not_given_is_an_error(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    resources = """
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: !GetAtt Role.Arn
      DefinitionString: '{"StartAt": "S", "States": {"S": {"Type": "Pass", "Result": "${Missing}", "End": true}}}'
"""
    with pytest.raises(ValueError, match="DefinitionSubstitutions lacks Missing"):
        deploy(cloud, tmp_path, resources)


def test_a_deleted_stack_leaves_nothing(cloud: LocalCloud, tmp_path: Path) -> None:
    stack = deploy(cloud, tmp_path, FUNCTION_RESOURCE)
    cloud.client("cloudformation").delete_stack(StackName=stack.name)
    functions = cloud.client("lambda").list_functions()["Functions"]
    assert stack.resources["Function"] not in [item["FunctionName"] for item in functions]
    roles = cloud.client("iam").list_roles()["Roles"]
    assert stack.resources["FunctionRole"] not in [item["RoleName"] for item in roles]
