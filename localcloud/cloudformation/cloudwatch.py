"""AWS::CloudWatch::Alarm and AWS::CloudWatch::Dashboard."""

from __future__ import annotations

from typing import Any

from localcloud.aws import ACCOUNT_ID, client
from localcloud.cloudformation.resource import Resource

_NUMBERS = {
    "DatapointsToAlarm": int,
    "EvaluationPeriods": int,
    "Period": int,
    "Threshold": float,
}


class Alarm(Resource):
    """An alarm, kept as it is described: the local cloud has no metrics of services, so none goes off by itself.

    A test sets its state with `set_alarm_state`.
    """

    resource_type = "AWS::CloudWatch::Alarm"
    name_property = "AlarmName"
    honoured = frozenset(
        {
            "ActionsEnabled",
            "AlarmActions",
            "AlarmDescription",
            "AlarmName",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluationPeriods",
            "InsufficientDataActions",
            "MetricName",
            "Metrics",
            "Namespace",
            "OKActions",
            "Period",
            "Statistic",
            "Tags",
            "Threshold",
            "TreatMissingData",
            "Unit",
        }
    )

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> Alarm:
        """Create the alarm."""
        given = {key: _NUMBERS.get(key, _as_it_is)(value) for key, value in properties.items()}
        given |= {"AlarmName": name[:255]}
        client("cloudwatch", region).put_metric_alarm(**given)
        arn = f"arn:aws:cloudwatch:{region}:{ACCOUNT_ID}:alarm:{name[:255]}"
        return cls(name[:255], {"Arn": arn}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the alarm."""
        client("cloudwatch", region).delete_alarms(AlarmNames=[self.physical_resource_id])


class Dashboard(Resource):
    """A dashboard, kept as its body."""

    resource_type = "AWS::CloudWatch::Dashboard"
    name_property = "DashboardName"
    honoured = frozenset({"DashboardBody", "DashboardName"})

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> Dashboard:
        """Put the dashboard."""
        client("cloudwatch", region).put_dashboard(
            DashboardName=name, DashboardBody=properties["DashboardBody"]
        )
        return cls(name, {}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the dashboard."""
        client("cloudwatch", region).delete_dashboards(DashboardNames=[self.physical_resource_id])


def _as_it_is(value: Any) -> Any:
    return value
