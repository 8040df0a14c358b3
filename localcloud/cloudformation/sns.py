"""AWS::SNS::Topic and AWS::SNS::TopicPolicy."""

from __future__ import annotations

import json
from typing import Any

from localcloud.aws import client
from localcloud.cloudformation.resource import Resource, if_there


class Topic(Resource):
    """A topic with its display name and key."""

    resource_type = "AWS::SNS::Topic"
    name_property = "TopicName"
    honoured = frozenset({"DisplayName", "KmsMasterKeyId", "Tags", "TopicName"})

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> Topic:
        """Create the topic."""
        attributes = {key: properties[key] for key in ("DisplayName", "KmsMasterKeyId") if key in properties}
        answer = client("sns", region).create_topic(
            Name=name, Attributes=attributes, Tags=properties.get("Tags", [])
        )
        return cls(answer["TopicArn"], {"TopicArn": answer["TopicArn"], "TopicName": name}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the topic."""
        client("sns", region).delete_topic(TopicArn=self.physical_resource_id)


class TopicPolicy(Resource):
    """The policy of one or more topics."""

    resource_type = "AWS::SNS::TopicPolicy"
    honoured = frozenset({"PolicyDocument", "Topics"})

    def __init__(
        self, physical_id: str, attributes: dict[str, str], region: str, before: dict[str, str]
    ) -> None:
        super().__init__(physical_id, attributes, region)
        self.before = before

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> TopicPolicy:
        """Set the policy of each topic, which a template names by ARN."""
        sns = client("sns", region)
        before = {
            arn: sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
            for arn in properties["Topics"]
        }
        for arn in before:
            _set_policy(arn, json.dumps(properties["PolicyDocument"]), region)
        return cls(name, {"Id": name}, region, before)

    def delete(self, account_id: str, region: str) -> None:
        """Give each topic that is there still the policy it was made with."""
        for arn, document in self.before.items():
            with if_there("NotFound"):
                _set_policy(arn, document, region)


def _set_policy(arn: str, document: str, region: str) -> None:
    client("sns", region).set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)
