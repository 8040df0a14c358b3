"""AWS::Logs::LogGroup."""

from __future__ import annotations

from typing import Any

from localcloud.aws import ACCOUNT_ID, client
from localcloud.cloudformation.resource import Resource


class LogGroup(Resource):
    """A log group with its retention and key."""

    resource_type = "AWS::Logs::LogGroup"
    name_property = "LogGroupName"
    honoured = frozenset({"KmsKeyId", "LogGroupName", "RetentionInDays", "Tags"})

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> LogGroup:
        """Create the log group."""
        logs = client("logs", region)
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        key = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
        logs.create_log_group(logGroupName=name, tags=tags, **key)
        if "RetentionInDays" in properties:
            logs.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
        arn = f"arn:aws:logs:{region}:{ACCOUNT_ID}:log-group:{name}:*"
        return cls(name, {"Arn": arn}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the log group."""
        client("logs", region).delete_log_group(logGroupName=self.physical_resource_id)
