"""A replication rule made of a request, and what a rule that is there says to the same questions.

Contract: API reference, ReplicationRule and Destination; S3 User Guide, "Replication configuration file elements",
"Replicating encrypted objects", "Changing the replica owner" and "Using S3 Replication Time Control".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seeder.errors import InvalidRequest

if TYPE_CHECKING:
    from seeder.request import Request
    from seeder.run import Run

_MINUTES = 15


def id_for(request: Request) -> str:
    """Return the ID of the rule that a request adds; the same for the same destination, prefix and tags."""
    tags = [f"{key}\0{value}" for key, value in sorted(request.tags.items())]
    scope = "\n".join([request.destination, request.prefix, *tags])
    return f"seeder-{hashlib.sha256(scope.encode()).hexdigest()[:12]}"


def rule_for(run: Run, priority: int) -> dict[str, Any]:
    """Return the rule that a run asks for, as S3 takes it.

    Raises InvalidRequest for a key that is not in the destination's region, and for replicas that shall belong to an
    account that is not given.
    """
    request = run.request
    rule: dict[str, Any] = {
        "ID": id_for(request),
        "Priority": priority,
        "Status": "Enabled",
        "Filter": _filter(request),
        "DeleteMarkerReplication": {
            # S3 takes none together with tags.
            "Status": "Enabled" if request.replicate_delete_markers and not request.tags else "Disabled"
        },
        "Destination": _destination(run),
    }
    if request.replica_kms_key:
        rule["SourceSelectionCriteria"] = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    return rule


def options_of(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a rule of either version of the schema says, by the names and in the terms of a request."""
    destination = rule["Destination"]
    markers = (
        rule["DeleteMarkerReplication"].get("Status") if "DeleteMarkerReplication" in rule else "Enabled"
    )
    return {
        "replicate_delete_markers": markers == "Enabled",
        "replica_storage_class": destination.get("StorageClass"),
        "replica_kms_key": destination.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID", ""),
        "replication_time_control": destination.get("ReplicationTime", {}).get("Status") == "Enabled",
        "replica_owner": "destination" if "AccessControlTranslation" in destination else "source",
    }


def _filter(request: Request) -> dict[str, Any]:
    tags = [{"Key": key, "Value": value} for key, value in request.tags.items()]
    if not tags:
        return {"Prefix": request.prefix}
    if len(tags) == 1 and not request.prefix:
        return {"Tag": tags[0]}
    return {"And": {**({"Prefix": request.prefix} if request.prefix else {}), "Tags": tags}}


def _destination(run: Run) -> dict[str, Any]:
    request = run.request
    destination: dict[str, Any] = {"Bucket": f"arn:aws:s3:::{run.destination.name}"}
    if request.replica_storage_class:
        destination["StorageClass"] = request.replica_storage_class
    if request.replica_kms_key:
        _check_key(run)
        destination["EncryptionConfiguration"] = {"ReplicaKmsKeyID": request.replica_kms_key}
    if request.replication_time_control:
        destination["ReplicationTime"] = {"Status": "Enabled", "Time": {"Minutes": _MINUTES}}
        destination["Metrics"] = {"Status": "Enabled", "EventThreshold": {"Minutes": _MINUTES}}
    # In one account all objects have the same owner, and S3 takes a change of it only across accounts.
    if request.replica_owner == "destination" and not run.destination.is_ours:
        destination["Account"] = _account(run)
        destination["AccessControlTranslation"] = {"Owner": "Destination"}
    return destination


def _check_key(run: Run) -> None:
    region = run.request.replica_kms_key.split(":")[3]
    if region != run.destination.region:
        raise InvalidRequest(
            "replica_kms_key",
            f"'{run.request.replica_kms_key}' is in {region}, and the destination in {run.destination.region}; give a "
            "key of the destination's region",
        )


def _account(run: Run) -> str:
    account = run.request.destination_account
    if account and account != run.account_id:
        return account
    told = f"'{account}' is this account" if account else "missing"
    raise InvalidRequest(
        "destination_account",
        f"{told}, and '{run.destination.name}' belongs to another, which replica_owner 'destination' must name; give "
        "the id of the account that owns it",
    )
