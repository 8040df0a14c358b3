"""AWS::SNS::Topic."""

from __future__ import annotations

from typing import Any

from localcloud.aws import client
from localcloud.cloudformation.resource import Resource


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
