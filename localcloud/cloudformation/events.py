"""AWS::Events::Rule."""

from __future__ import annotations

import json
from typing import Any

from localcloud.aws import client
from localcloud.cloudformation.resource import Resource


class Rule(Resource):
    """A rule that matches events by a pattern; its targets' Input members are applied."""

    resource_type = "AWS::Events::Rule"
    name_property = "Name"
    honoured = frozenset({"Description", "EventPattern", "Name", "State", "Targets"})

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> Rule:
        """Put the rule and its targets."""
        events = client("events", region)
        given = {key: properties[key] for key in ("Description", "State") if key in properties}
        arn = events.put_rule(Name=name[:64], EventPattern=json.dumps(properties["EventPattern"]), **given)[
            "RuleArn"
        ]
        if "Targets" in properties:
            events.put_targets(Rule=name[:64], Targets=properties["Targets"])
        return cls(name[:64], {"Arn": arn}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Remove the targets, then the rule."""
        events, name = client("events", region), self.physical_resource_id
        targets = events.list_targets_by_rule(Rule=name)["Targets"]
        if targets:
            events.remove_targets(Rule=name, Ids=[target["Id"] for target in targets])
        events.delete_rule(Name=name)
