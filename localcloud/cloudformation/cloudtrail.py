"""AWS::CloudTrail::Trail."""

from __future__ import annotations

from typing import Any

from localcloud.aws import client
from localcloud.cloudformation.resource import Resource

_SELECTORS = ("EventSelectors", "AdvancedEventSelectors")
_ATTRIBUTES = (
    "EnableLogFileValidation",
    "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail",
    "KMSKeyId",
    "S3BucketName",
    "S3KeyPrefix",
)
_API_NAMES = {"KMSKeyId": "KmsKeyId"}


class Trail(Resource):
    """A trail; `localcloud.trails` sees from its selectors what it logs. No log files are written."""

    resource_type = "AWS::CloudTrail::Trail"
    name_property = "TrailName"
    honoured = frozenset({"IsLogging", "Tags", "TrailName", *_ATTRIBUTES, *_SELECTORS})

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> Trail:
        """Create the trail with its selectors, and start logging if `IsLogging` says so."""
        cloudtrail = client("cloudtrail", region)
        given = {_API_NAMES.get(key, key): properties[key] for key in _ATTRIBUTES if key in properties}
        answer = cloudtrail.create_trail(Name=name, TagsList=properties.get("Tags", []), **given)
        selectors = {key: properties[key] for key in _SELECTORS if key in properties}
        if selectors:
            cloudtrail.put_event_selectors(TrailName=name, **selectors)
        if properties["IsLogging"]:
            cloudtrail.start_logging(Name=name)
        return cls(name, {"Arn": answer["TrailARN"]}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the trail."""
        client("cloudtrail", region).delete_trail(Name=self.physical_resource_id)
