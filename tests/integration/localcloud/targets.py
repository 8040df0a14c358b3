"""Roles and queues for what EventBridge and Scheduler start."""

from __future__ import annotations

import json
from typing import Any

from localcloud.cloud import LocalCloud

ACCOUNT = "123456789012"
_PASS = json.dumps({"StartAt": "S", "States": {"S": {"Type": "Pass", "End": True}}})


def make_role(cloud: LocalCloud, arn: str, service: str, source: str, *statements: dict[str, Any]) -> str:
    """Make a role that a service takes on for one source; return its ARN."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnEquals": {"aws:SourceArn": source}},
    }
    iam, name = cloud.client("iam"), arn.rpartition("/")[2]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))
    iam.put_role_policy(RoleName=name, PolicyName="start", PolicyDocument=_document(*statements))
    return arn


def make_machine(cloud: LocalCloud, name: str) -> str:
    """Make a state machine that gives back its input, with a role of its own; return its ARN."""
    arn = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{name}"
    nothing = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    role = make_role(cloud, f"arn:aws:iam::{ACCOUNT}:role/of-{name}", "states.amazonaws.com", arn, nothing)
    cloud.client("stepfunctions").create_state_machine(name=name, definition=_PASS, roleArn=role)
    return arn


def make_queue(cloud: LocalCloud, name: str, *statements: dict[str, Any]) -> str:
    """Make a queue with a policy of these statements, without one if there are none; return its ARN."""
    attributes = {"Policy": _document(*statements)} if statements else {}
    cloud.client("sqs").create_queue(QueueName=name, Attributes=attributes)
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def messages(cloud: LocalCloud, queue: str) -> list[dict[str, Any]]:
    """Return what a queue holds, with all attributes."""
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return list(answer.get("Messages", []))


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
