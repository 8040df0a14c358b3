"""AWS::SQS::Queue and AWS::SQS::QueuePolicy."""

from __future__ import annotations

import json
from typing import Any

from localcloud.aws import client
from localcloud.cloudformation.resource import Resource, if_there

_ATTRIBUTES = (
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MessageRetentionPeriod",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)


class Queue(Resource):
    """A standard queue with its retention, visibility timeout, encryption and tags."""

    resource_type = "AWS::SQS::Queue"
    name_property = "QueueName"
    honoured = frozenset({"QueueName", "Tags", *_ATTRIBUTES})

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> Queue:
        """Create the queue. A template's Ref gives its URL."""
        sqs = client("sqs", region)
        attributes = {key: _text(properties[key]) for key in _ATTRIBUTES if key in properties}
        if "KmsMasterKeyId" in attributes:  # SQS then turns its own encryption off; moto does not
            attributes.setdefault("SqsManagedSseEnabled", "false")
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        url = sqs.create_queue(QueueName=name[:80], Attributes=attributes, tags=tags)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return cls(url, {"Arn": arn, "QueueName": name[:80], "QueueUrl": url}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the queue with what it holds."""
        client("sqs", region).delete_queue(QueueUrl=self.physical_resource_id)


class QueuePolicy(Resource):
    """The policy of one or more queues."""

    resource_type = "AWS::SQS::QueuePolicy"
    honoured = frozenset({"PolicyDocument", "Queues"})

    def __init__(self, physical_id: str, attributes: dict[str, str], region: str, queues: list[str]) -> None:
        super().__init__(physical_id, attributes, region)
        self.queues = queues

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> QueuePolicy:
        """Set the policy of each queue, which a template names by URL."""
        for url in properties["Queues"]:
            _set_policy(url, json.dumps(properties["PolicyDocument"]), region)
        return cls(name, {"Id": name}, region, properties["Queues"])

    def delete(self, account_id: str, region: str) -> None:
        """Take the policy from each queue that is there still."""
        for url in self.queues:
            with if_there("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"):
                _set_policy(url, "", region)


def _set_policy(url: str, document: str, region: str) -> None:
    client("sqs", region).set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
