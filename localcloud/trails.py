"""CloudTrail trails: what CloudTrail tells of reaches EventBridge only where a trail logs it.

Contract: EventBridge User Guide, "AWS service events delivered via AWS CloudTrail": a trail with logging on must
record the event's kind, in the region where it happened or in all regions. CloudTrail User Guide, "Logging
management events" and "Filtering events with advanced event selectors", say which kinds a trail records.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.cloudtrail.models import Trail, cloudtrail_backends
from moto.s3.models import s3_backends

from localcloud import events
from localcloud.aws import ACCOUNT_ID, REGION
from localcloud.patching import Patches

ORGANIZATION_TRAIL = "organization"
MANAGEMENT_ACCOUNT_ID = "210987654321"
"""The account in which an organisation keeps its trail's bucket."""

_DEFAULT_SELECTOR = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
}


def install(patches: Patches, organization: bool) -> None:
    """Give trails CloudTrail's own selectors; make a trail of the organisation if there is to be one.

    moto shows a trail without selectors as recording nothing, and keeps selectors of both kinds.
    """

    def put(trail: Any, basic: list[Any] | None, advanced: list[Any] | None) -> None:
        trail.event_selectors, trail.advanced_event_selectors = basic or [], advanced or []

    def get(trail: Any) -> tuple[list[Any], list[Any]]:
        if trail.event_selectors or trail.advanced_event_selectors:
            return trail.event_selectors, trail.advanced_event_selectors
        return [_DEFAULT_SELECTOR], []

    patches.replace(Trail, "put_event_selectors", put)
    patches.replace(Trail, "get_event_selectors", get)
    if organization:
        _make_organization_trail()


def deliver(event: dict[str, Any], region: str) -> None:
    """Put an event that CloudTrail tells of on the default bus of a region, if a trail logs it.

    `event` is the whole envelope, its detail the CloudTrail record.
    """
    if logged(event["detail"], region):
        events.deliver(event, region)


def logged(record: dict[str, Any], region: str) -> bool:
    """Return whether any trail that is logging records this management event of a region."""
    return any(
        trail.status.is_logging
        and (trail.is_multi_region or trail.region_name == region)
        and _records(trail, record)
        for backend in list(cloudtrail_backends[ACCOUNT_ID].values())
        for trail in list(backend.trails.values())
    )


def _records(trail: Any, record: dict[str, Any]) -> bool:
    basic, advanced = trail.get_event_selectors()
    fields = {"eventCategory": "Management", "readOnly": str(record.get("readOnly", False)).lower()}
    fields |= {key: str(record.get(key, "")) for key in ("eventName", "eventSource", "eventType")}
    return any(_basic(selector, fields) for selector in basic) or any(
        all(_field(field, fields) for field in selector["FieldSelectors"]) for selector in advanced
    )


def _basic(selector: dict[str, Any], fields: dict[str, str]) -> bool:
    kind = "ReadOnly" if fields["readOnly"] == "true" else "WriteOnly"
    return bool(
        selector.get("IncludeManagementEvents", True)
        and selector.get("ReadWriteType", "All") in ("All", kind)
        and fields["eventSource"] not in selector.get("ExcludeManagementEventSources", [])
    )


def _field(selector: dict[str, Any], fields: dict[str, str]) -> bool:
    """Return whether a field's value satisfies every operator of its selector."""
    value = fields.get(selector["Field"], "")
    return all(
        any(same(value, wanted) for wanted in selector[name]) if name in selector else True
        for name, same in _OPERATORS.items()
    ) and not any(
        same(value, wanted) for name, same in _OPERATORS.items() for wanted in selector.get(f"Not{name}", [])
    )


def _make_organization_trail() -> None:
    """Log all management events of all regions, into a bucket of the organisation's own account."""
    bucket = "aws-cloudtrail-logs-organization"
    s3_backends[MANAGEMENT_ACCOUNT_ID]["aws"].create_bucket(bucket, REGION)
    trail = cloudtrail_backends[ACCOUNT_ID][REGION].create_trail(
        name=ORGANIZATION_TRAIL,
        bucket_name=bucket,
        s3_key_prefix=None,
        sns_topic_name=None,
        is_global=True,
        is_multi_region=True,
        log_validation=True,
        is_org_trail=True,
        cw_log_group_arn=None,
        cw_role_arn=None,
        kms_key_id=None,
        tags_list=[],
    )
    trail.start_logging()
