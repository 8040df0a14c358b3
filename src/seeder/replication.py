"""A bucket's replication configuration: read, merged, written; never a rule of somebody else's altered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from seeder.errors import InvalidRequest, NotYetVisible, code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ReplicationConfigurationUnionTypeDef

    from seeder.buckets import Bucket
    from seeder.clients import Clients
    from seeder.run import Run

_ADDED_ID = "seeder-"
_NO_CONFIGURATION = "ReplicationConfigurationNotFoundError"


@dataclass(frozen=True)
class Rule:
    """What matters here of a replication rule (API reference, ReplicationRule)."""

    id: str
    destination: str
    prefix: str
    enabled: bool
    filters_by_tag: bool

    def covers(self, destination: str, prefix: str) -> bool:
        """Tell whether every key under `prefix` is replicated to the bucket `destination`."""
        return (
            self.enabled
            and not self.filters_by_tag
            and self.destination == destination
            and prefix.startswith(self.prefix)
        )


def read_rules(s3: S3Client, bucket: str) -> list[Rule]:
    """Return the bucket's rules; none when it has no configuration. Raises ClientError."""
    return [parse_rule(rule) for rule in read_configuration(s3, bucket).get("Rules", [])]


def read_configuration(s3: S3Client, bucket: str) -> dict[str, Any]:
    """Return the bucket's ReplicationConfiguration; empty when it has none. Raises ClientError."""
    try:
        answer = s3.get_bucket_replication(Bucket=bucket)
    except ClientError as error:
        if code_of(error) == _NO_CONFIGURATION:
            return {}
        raise
    return dict(answer["ReplicationConfiguration"])


def parse_rule(rule: dict[str, Any]) -> Rule:
    """Return a rule as this library sees it, of either version of the schema."""
    selection = rule.get("Filter") or {}
    both = selection.get("And") or {}
    return Rule(
        id=rule.get("ID", ""),
        destination=rule["Destination"]["Bucket"].rpartition(":::")[2],
        prefix=both.get("Prefix") or selection.get("Prefix") or rule.get("Prefix") or "",
        enabled=rule["Status"] == "Enabled",
        filters_by_tag=bool(selection.get("Tag") or both.get("Tags")),
    )


def merged(configuration: dict[str, Any], role_arn: str, destination: str, prefix: str) -> dict[str, Any]:
    """Return the configuration with one rule more; the other rules, and the role if there is one, stay.

    Raises InvalidRequest where the existing rules use the schema without Filter, which can't be mixed.
    """
    rules = list(configuration.get("Rules", []))
    if any("Filter" not in rule for rule in rules):
        raise InvalidRequest(
            "enable_replication",
            "the source's rules use the old schema (Prefix without Filter), to which none of the new can be "
            "added; add a rule to them yourself, or move them to Filter",
        )
    digest = hashlib.sha256(f"{destination}\n{prefix}".encode()).hexdigest()[:12]
    rule = {
        "ID": f"{_ADDED_ID}{digest}",
        "Priority": max((rule.get("Priority", 0) for rule in rules), default=0) + 1,
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{destination}"},
    }
    return {"Role": configuration.get("Role") or role_arn, "Rules": [*rules, rule]}


def ensure(run: Run, role_arn: str, clients: Clients) -> dict[str, Any]:
    """Do for a run what its request says of replication; return `{"rule_id": str, "added": bool}`.

    A run that a rule started changes nothing and only checks that the rule can be seeded by a copy. With
    `enable_replication`, versioning is turned on for both buckets and one rule is added, unless one covers the
    pair. Raises InvalidRequest, NotYetVisible when the rule just added can't be read back, ClientError.
    """
    s3 = clients.s3(run.source.region)
    destination, prefix = run.destination.name, run.request.prefix
    if run.request.trigger == "rule-added":
        return {"rule_id": _check(read_rules(s3, run.source.name), run.request.rule_id), "added": False}
    if not run.request.enable_replication:
        return {"rule_id": "", "added": False}
    for bucket in (run.source, run.destination):
        _enable_versioning(clients, bucket)
    configuration = read_configuration(s3, run.source.name)
    covering = _covering(configuration, destination, prefix)
    if covering is not None:
        return {"rule_id": covering.id, "added": False}
    wanted: ReplicationConfigurationUnionTypeDef = merged(configuration, role_arn, destination, prefix)  # type: ignore[assignment]
    s3.put_bucket_replication(Bucket=run.source.name, ReplicationConfiguration=wanted)
    added = _covering(read_configuration(s3, run.source.name), destination, prefix)
    if added is None:
        raise NotYetVisible(f"bucket '{run.source.name}' does not show the rule that was just added")
    return {"rule_id": added.id, "added": True}


def _check(rules: list[Rule], rule_id: str) -> str:
    rule = next((item for item in rules if item.id == rule_id), None)
    if rule is None or not rule.enabled:
        raise InvalidRequest("rule_id", f"rule '{rule_id}' is not there or not enabled any more")
    if rule.filters_by_tag:
        raise InvalidRequest(
            "rule_id",
            f"rule '{rule_id}' selects objects by tag, which a listing does not show; seed its prefix by hand, "
            "or copy the tagged objects with a manifest of your own",
        )
    return rule_id


def _covering(configuration: dict[str, Any], destination: str, prefix: str) -> Rule | None:
    rules = [parse_rule(rule) for rule in configuration.get("Rules", [])]
    return next((rule for rule in rules if rule.covers(destination, prefix)), None)


def _enable_versioning(clients: Clients, bucket: Bucket) -> None:
    if bucket.versioning != "Enabled":
        clients.s3(bucket.region).put_bucket_versioning(
            Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
        )
