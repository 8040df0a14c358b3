"""Replication configurations: read from the request, validated, kept whole, answered whole.

moto checks little of PutBucketReplication and answers GetBucketReplication without filters, delete markers
and selection criteria. Here a configuration is a dict shaped as botocore's `ReplicationConfiguration`.

Contract: S3 API reference, PutBucketReplication; S3 User Guide, "Replication configuration file elements" and
"Requirements and considerations for replication".
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.parsers
import botocore.session
from botocore.validate import ParamValidator
from moto.core.responses import ActionResult
from moto.s3.exceptions import (
    InvalidBucketState,
    MalformedXML,
    MissingBucket,
    ReplicationConfigurationNotFoundError,
    S3ClientError,
    VersioningNotEnabledForReplication,
)
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response

from localcloud.replication import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from localcloud.patching import Patches

Configuration = dict[str, Any]
Rule = dict[str, Any]

MAX_BYTES = 2 * 1024 * 1024
MAX_RULES = 1000
MAX_RULE_ID = 255

_ROLE_ARN = re.compile(r"arn:[^:]+:iam::\d{12}:role/.+")
_BUCKET_ARN = re.compile(r"arn:[^:]+:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def install(patches: Patches, new_rule_id: Callable[[], object]) -> None:
    """Replace what moto does with replication configurations."""

    def put(backend: Any, bucket_name: str, configuration: Configuration) -> None:
        _check_buckets(backend, bucket_name, configuration)
        for rule in configuration["Rules"]:
            rule.setdefault("ID", str(new_rule_id()))
        backend.get_bucket(bucket_name).replication = configuration

    def put_versioning(backend: Any, bucket_name: str, status: str) -> None:
        if status != "Enabled" and of_bucket(backend.get_bucket(bucket_name)):
            raise InvalidBucketState(messages.VERSIONING_IN_USE)
        original_put_versioning(backend, bucket_name, status)

    patches.replace(S3Response, "_replication_config_from_xml", lambda _, body: parse(body))
    patches.replace(S3Response, "get_bucket_replication", _answer)
    patches.replace(S3Backend, "put_bucket_replication", put)
    original_put_versioning = patches.replace(S3Backend, "put_bucket_versioning", put_versioning)


def of_bucket(bucket: Any) -> Configuration | None:
    """Return the configuration of one of moto's buckets."""
    return getattr(bucket, "replication", None)


def _answer(response: Any) -> Any:
    configuration = of_bucket(response.backend.get_bucket(response.bucket_name))
    if not configuration:
        raise ReplicationConfigurationNotFoundError(bucket_name=response.bucket_name)
    response.data["Action"] = "GetBucketReplication"
    return response.serialized(ActionResult({"ReplicationConfiguration": configuration}))


@cache
def _shape() -> Any:
    model = botocore.session.get_session().get_service_model("s3")
    return model.operation_model("GetBucketReplication").output_shape


def parse(body: bytes) -> Configuration:
    """Return the configuration in a request body. Raises S3ClientError (MalformedXML, InvalidRequest, …)."""
    if len(body) > MAX_BYTES:
        raise S3ClientError("MaxMessageLengthExceeded", messages.TOO_LARGE)
    answer = {"body": body, "headers": {}, "status_code": 200}
    try:
        parsed = botocore.parsers.create_parser("rest-xml").parse(answer, _shape())
    except (ValueError, botocore.parsers.ResponseParserError):
        raise MalformedXML from None
    configuration: Configuration = parsed["ReplicationConfiguration"]
    _check_schema(configuration)
    _check_rules(configuration["Rules"])
    return configuration


def _check_schema(configuration: Configuration) -> None:
    shape = _shape().members["ReplicationConfiguration"]
    if ParamValidator().validate(configuration, shape).has_errors():
        raise MalformedXML
    if not 1 <= len(configuration["Rules"]) <= MAX_RULES or not all(_enums(configuration, shape)):
        raise MalformedXML
    if not _ROLE_ARN.fullmatch(configuration["Role"]):
        raise S3ClientError("InvalidArgument", messages.ROLE_ARN)
    for rule in configuration["Rules"]:
        if ("Filter" in rule) == ("Prefix" in rule) or len(rule.get("Filter", {})) > 1:
            raise MalformedXML


def _enums(value: Any, shape: Any) -> Iterator[bool]:
    if shape.type_name == "structure":
        for name, item in value.items():
            yield from _enums(item, shape.members[name])
    elif shape.type_name == "list":
        for item in value:
            yield from _enums(item, shape.member)
    elif shape.type_name == "string" and shape.enum:
        yield value in shape.enum


def _check_rules(rules: list[Rule]) -> None:
    ids = [rule["ID"] for rule in rules if rule.get("ID")]
    if any(len(rule_id) > MAX_RULE_ID for rule_id in ids):
        raise S3ClientError("InvalidArgument", messages.RULE_ID_LENGTH)
    _require(len(set(ids)) == len(ids), messages.RULE_ID_UNIQUE)
    for rule in rules:
        _check_version(rule)
        _check_tags(rule)
        _check_destination(rule)
    if not is_v2(rules[0]):
        destinations = {rule["Destination"]["Bucket"] for rule in rules}
        _require(len(destinations) == 1, messages.ONE_DESTINATION)
    priorities = [rule["Priority"] for rule in rules if "Priority" in rule]
    _require(not messages.PRIORITIES_UNIQUE or len(set(priorities)) == len(priorities), messages.PRIORITY)


def _check_version(rule: Rule) -> None:
    v2 = is_v2(rule)
    for member in ("Priority", "DeleteMarkerReplication"):
        verb = "must be specified" if v2 else "cannot be used"
        _require((member in rule) == v2, messages.SCHEMA_VERSION.format(member=member, verb=verb))
    _require("ExistingObjectReplication" not in rule, messages.EXISTING_OBJECTS)


def _check_tags(rule: Rule) -> None:
    keys = [tag["Key"] for tag in filter_tags(rule)]
    _require(len(set(keys)) == len(keys), messages.DUPLICATE_TAGS)
    _require(not (keys and replicates_delete_markers(rule)), messages.DELETE_MARKERS_WITH_TAGS)


def _check_destination(rule: Rule) -> None:
    destination = rule["Destination"]
    _require(bool(_BUCKET_ARN.fullmatch(destination["Bucket"])), messages.BUCKET_ARN)
    encrypted = "EncryptionConfiguration" in destination
    _require(encrypted or not replicates_kms(rule), messages.REPLICA_KMS_KEY)
    _require(not encrypted or replicates_kms(rule), messages.KMS_CRITERIA)
    time, metrics = destination.get("ReplicationTime"), destination.get("Metrics")
    _require(time is None or metrics is not None, messages.TIME_NEEDS_METRICS)
    minutes = [
        time and time["Time"].get("Minutes"),
        metrics and metrics.get("EventThreshold", {}).get("Minutes"),
    ]
    _require(all(value in (None, 15) for value in minutes), messages.MINUTES)


def _check_buckets(backend: Any, source: str, configuration: Configuration) -> None:
    if backend.get_bucket(source).versioning_status != "Enabled":
        raise VersioningNotEnabledForReplication(bucket_name=source)
    for name in _destinations(configuration["Rules"]):
        _require(name != source, messages.SAME_BUCKET)
        try:
            bucket = backend.get_bucket(name)
        except MissingBucket:
            raise S3ClientError("InvalidRequest", messages.DESTINATION_MISSING) from None
        _require(bucket.versioning_status == "Enabled", messages.DESTINATION_UNVERSIONED)


def _destinations(rules: Iterable[Rule]) -> list[str]:
    return list(dict.fromkeys(destination_bucket(rule) for rule in rules))


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise S3ClientError("InvalidRequest", message)


def is_v2(rule: Rule) -> bool:
    """Whether a rule is of the second version of the schema, which has a Filter."""
    return "Filter" in rule


def destination_bucket(rule: Rule) -> str:
    """Return the name of the bucket that a rule replicates to."""
    return str(rule["Destination"]["Bucket"].split(":::")[1])


def filter_prefix(rule: Rule) -> str:
    """Return the prefix that keys must have, "" for every key."""
    condition = rule.get("Filter", rule)
    return str(condition.get("Prefix") or condition.get("And", {}).get("Prefix") or "")


def filter_tags(rule: Rule) -> list[dict[str, str]]:
    """Return the tags that objects must have, each `{"Key", "Value"}`."""
    condition = rule.get("Filter", {})
    return [condition["Tag"]] if "Tag" in condition else list(condition.get("And", {}).get("Tags", []))


def replicates_delete_markers(rule: Rule) -> bool:
    """Whether a rule replicates delete markers; those of the first version of the schema always do."""
    return not is_v2(rule) or rule["DeleteMarkerReplication"].get("Status") == "Enabled"


def replicates_kms(rule: Rule) -> bool:
    """Whether a rule replicates objects encrypted with KMS keys."""
    return _criterion(rule, "SseKmsEncryptedObjects")


def replicates_replica_changes(rule: Rule) -> bool:
    """Whether a rule replicates changes to the metadata of replicas."""
    return _criterion(rule, "ReplicaModifications")


def _criterion(rule: Rule, name: str) -> bool:
    return bool(rule.get("SourceSelectionCriteria", {}).get(name, {}).get("Status") == "Enabled")


def overrides_owner(rule: Rule) -> bool:
    """Whether replicas belong to the owner of the destination bucket."""
    return "AccessControlTranslation" in rule["Destination"]
