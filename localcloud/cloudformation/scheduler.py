"""AWS::Scheduler::Schedule."""

from __future__ import annotations

from typing import Any

from localcloud.aws import client
from localcloud.cloudformation.resource import Resource


class Schedule(Resource):
    """A schedule, fired by `localcloud.schedules`."""

    resource_type = "AWS::Scheduler::Schedule"
    name_property = "Name"
    honoured = frozenset(
        {
            "Description",
            "FlexibleTimeWindow",
            "Name",
            "ScheduleExpression",
            "ScheduleExpressionTimezone",
            "State",
            "Target",
        }
    )

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> Schedule:
        """Create the schedule."""
        given = {key: value for key, value in properties.items() if key != "Name"}
        answer = client("scheduler", region).create_schedule(Name=name[:64], **given)
        return cls(name[:64], {"Arn": answer["ScheduleArn"]}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the schedule."""
        client("scheduler", region).delete_schedule(Name=self.physical_resource_id)
