"""Whether a CloudTrail trail lets EventBridge see PutBucketReplication.

Contracts: EventBridge user guide, "AWS service events delivered via AWS CloudTrail": events of calls arrive only where
a trail logs management events; CloudTrail user guide, "Logging management events", and API reference,
AdvancedFieldSelector.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from botocore.exceptions import ClientError

from seeder_cli.checks.aws import Aws
from seeder_cli.checks.finding import Verdict, miss, ok, unseen, warning

GROUP = "Trail"
SERVICE = "s3.amazonaws.com"
TODO = "deploy with CreateTrail=true (sam deploy --parameter-overrides CreateTrail=true), or let a trail log them"
# What the event of a rule added says of itself, in the fields that selectors know.
_EVENT = {
    "eventCategory": "Management",
    "readOnly": "false",
    "eventSource": SERVICE,
    "eventName": "PutBucketReplication",
    "eventType": "AwsApiCall",
}
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
}
Extent = Literal["all", "some", "none"]


def trail(aws: Aws, region: str) -> Verdict:
    """Whether a trail logs management write events of S3 in a region: its own, another region's, an organisation's."""
    seen = aws.client("cloudtrail", region).describe_trails()["trailList"]
    idle: list[str] = []
    partial, hidden = "", None
    for item in seen:
        try:
            extent, why = _extent(aws, item)
        except ClientError as error:
            # A member account may be shown its organisation's trail without the trail's settings.
            hidden = error
            continue
        if extent == "all":
            return ok(f"trail {item['Name']} logs the management events of {region}")
        if extent == "some":
            partial = item["Name"]
        idle.append(f"{item['Name']} {why}")
    if partial:
        return warning(f"trail {partial} logs some management write events of {region} only", TODO)
    if hidden is not None:
        return unseen(hidden)
    reason = f" ({'; '.join(idle)})" if idle else ""
    return miss(
        f"no trail logs management write events of {region}{reason}, so no rule added there starts a run",
        f"{TODO}; runs by hand and on schedule need none",
    )


def _extent(aws: Aws, item: dict[str, Any]) -> tuple[Extent, str]:
    arn = item["TrailARN"]
    client = aws.client("cloudtrail", item.get("HomeRegion", ""))
    if not client.get_trail_status(Name=arn)["IsLogging"]:
        return "none", "is stopped"
    selectors = client.get_event_selectors(TrailName=arn)
    extent = logged(selectors.get("EventSelectors", []), selectors.get("AdvancedEventSelectors", []))
    return extent, "logs no management write events"


def logged(basic: list[dict[str, Any]], advanced: list[dict[str, Any]]) -> Extent:
    """Tell whether a trail with these event selectors logs PutBucketReplication; one without any logs it."""
    if not basic and not advanced:
        return "all"
    extents = [_basic(item) for item in basic] + [_advanced(item["FieldSelectors"]) for item in advanced]
    return "all" if "all" in extents else "some" if "some" in extents else "none"


def _basic(selector: dict[str, Any]) -> Extent:
    takes = (
        selector.get("IncludeManagementEvents", True)
        and selector.get("ReadWriteType", "All") in {"All", "WriteOnly"}
        and SERVICE not in selector.get("ExcludeManagementEventSources", [])
    )
    return "all" if takes else "none"


def _advanced(fields: list[dict[str, Any]]) -> Extent:
    extent: Extent = "all"
    for field in fields:
        value = _EVENT.get(field["Field"])
        if value is None:  # who called, from where: differs from call to call
            extent = "some"
        elif not _takes(field, value):
            return "none"
    return extent


def _takes(field: dict[str, Any], value: str) -> bool:
    """Tell whether a field selector takes a value: any of each positive operator, none of each negative one."""
    for name, fits in _OPERATORS.items():
        if (wanted := field.get(name)) and not any(fits(value, item) for item in wanted):
            return False
        if any(fits(value, item) for item in field.get(f"Not{name}", [])):
            return False
    return True
