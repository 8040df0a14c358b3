"""The deployed stack, read once: its state, parameters, outputs and resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from seeder.errors import code_of

OUTPUTS = ("FleetArn", "RolePath", "SeedArn", "StateBucketName", "TopicArn")


@dataclass(frozen=True)
class Resource:
    """One resource: its logical id, type and physical id."""

    logical_id: str
    type: str
    id: str


@dataclass(frozen=True)
class Stack:
    """A CloudFormation stack (API reference, Stack)."""

    name: str
    status: str
    outputs: dict[str, str]
    parameters: dict[str, str]
    resources: list[Resource] = field(default_factory=list)

    def of_type(self, kind: str) -> list[Resource]:
        """Return its resources of a type, such as "AWS::SQS::Queue"."""
        return [item for item in self.resources if item.type == kind]

    def named(self, logical_id: str) -> str:
        """Return the physical id of a resource; "" where there is none."""
        return next((item.id for item in self.resources if item.logical_id == logical_id), "")


def read_stack(cloudformation: Any, name: str) -> Stack | None:
    """Return a stack without its resources; None where there is none of this name. Raises ClientError."""
    try:
        seen = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        # DescribeStacks has no error of its own for a stack that is not there.
        if code_of(error) == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return Stack(
        name=name,
        status=seen["StackStatus"],
        outputs={item["OutputKey"]: item.get("OutputValue", "") for item in seen.get("Outputs", [])},
        parameters={
            item["ParameterKey"]: item.get("ParameterValue", "") for item in seen.get("Parameters", [])
        },
    )


def read_resources(cloudformation: Any, name: str) -> list[Resource]:
    """Return the resources of a stack that exist. Raises ClientError."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    return [
        Resource(item["LogicalResourceId"], item["ResourceType"], item.get("PhysicalResourceId", ""))
        for page in pages
        for item in page["StackResourceSummaries"]
    ]
