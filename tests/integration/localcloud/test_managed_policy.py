"""AWS::IAM::ManagedPolicy, and roles within it as their boundary."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from localcloud.cloudformation import Unsupported

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
TRUST = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
}


def template(**properties: Any) -> str:
    boundary = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "Description": "limit",
            "Path": "/limits/",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [ALLOW]},
            **properties,
        },
    }
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": TRUST | {"Version": "2012-10-17"},
            "Path": "/limited/",
            "PermissionsBoundary": {"Ref": "Boundary"},
        },
    }
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Boundary", "PolicyArn"]}}}
    return json.dumps({"Resources": {"Boundary": boundary, "Role": role}, "Outputs": outputs})


def test_a_role_of_the_stack_has_it_as_its_boundary(cloud: LocalCloud) -> None:
    formation, iam = cloud.client("cloudformation"), cloud.client("iam")
    formation.create_stack(StackName="limited", TemplateBody=template(), Capabilities=["CAPABILITY_IAM"])
    (output,) = formation.describe_stacks(StackName="limited")["Stacks"][0]["Outputs"]
    arn = output["OutputValue"]
    assert ":policy/limits/" in arn
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert document["Statement"] == [ALLOW]
    resources = formation.describe_stack_resources(StackName="limited")["StackResources"]
    (name,) = [item["PhysicalResourceId"] for item in resources if item["LogicalResourceId"] == "Role"]
    role = iam.get_role(RoleName=name)["Role"]
    assert role["Path"] == "/limited/"
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    formation.delete_stack(StackName="limited")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_policy(PolicyArn=arn)


def test_a_property_that_is_not_honoured_is_refused(cloud: LocalCloud) -> None:
    with pytest.raises(Unsupported, match="Groups"):
        cloud.client("cloudformation").create_stack(StackName="x", TemplateBody=template(Groups=["g"]))
