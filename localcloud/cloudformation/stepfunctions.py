"""AWS::StepFunctions::StateMachine."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from localcloud.aws import client
from localcloud.cloudformation.resource import Resource


class StateMachine(Resource):
    """A state machine, its definition read from S3 or given, its substitutions made.

    `TracingConfiguration` and `LoggingConfiguration` are kept, but no traces or execution logs are written.
    """

    resource_type = "AWS::StepFunctions::StateMachine"
    name_property = "StateMachineName"
    honoured = frozenset(
        {
            "DefinitionS3Location",
            "DefinitionString",
            "DefinitionSubstitutions",
            "LoggingConfiguration",
            "RoleArn",
            "StateMachineName",
            "StateMachineType",
            "Tags",
            "TracingConfiguration",
        }
    )

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> StateMachine:
        """Create the state machine from its definition."""
        given: dict[str, Any] = {}
        if "TracingConfiguration" in properties:
            given["tracingConfiguration"] = {"enabled": properties["TracingConfiguration"]["Enabled"]}
        if "LoggingConfiguration" in properties:
            given["loggingConfiguration"] = _logging(properties["LoggingConfiguration"])
        answer = client("stepfunctions", region).create_state_machine(
            name=name[:80],
            definition=_definition(properties, region),
            roleArn=properties["RoleArn"],
            type=properties.get("StateMachineType", "STANDARD"),
            tags=[{"key": tag["Key"], "value": tag["Value"]} for tag in properties.get("Tags", [])],
            **given,
        )
        arn = answer["stateMachineArn"]
        return cls(arn, {"Arn": arn, "Name": name[:80]}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the state machine."""
        client("stepfunctions", region).delete_state_machine(stateMachineArn=self.physical_resource_id)


def _definition(properties: dict[str, Any], region: str) -> str:
    if "DefinitionS3Location" in properties:
        place = properties["DefinitionS3Location"]
        body = client("s3", region).get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read()
        text = body.decode("utf-8")
    else:
        text = properties["DefinitionString"]
    substitutions = properties.get("DefinitionSubstitutions", {})
    missing = sorted(set(re.findall(r"\$\{(\w+)\}", text)) - set(substitutions))
    if missing:
        raise ValueError(f"DefinitionSubstitutions lacks {', '.join(missing)}")
    text = re.sub(r"\$\{(\w+)\}", lambda match: str(substitutions[match[1]]), text)
    return json.dumps(yaml.load(text, Loader=yaml.CSafeLoader))


def _logging(value: dict[str, Any]) -> dict[str, Any]:
    destinations = [
        {"cloudWatchLogsLogGroup": {"logGroupArn": item["CloudWatchLogsLogGroup"]["LogGroupArn"]}}
        for item in value.get("Destinations", [])
    ]
    return {
        "level": value.get("Level", "OFF"),
        "includeExecutionData": value.get("IncludeExecutionData", False),
        "destinations": destinations,
    }
