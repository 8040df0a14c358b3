"""Versions in moto's buckets: looked up, described, copied with their identity.

No S3 operation can write a given version id, so replicas are made inside moto's backend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends

from localcloud.replication.rules import Subject
from localcloud.s3.locks import writing

if TYPE_CHECKING:
    from localcloud.replication.configuration import Rule

REPLICA = "REPLICA"


def find_bucket(name: str) -> Any | None:
    """Return moto's bucket of any account, or None."""
    place = s3_backends.bucket_accounts.get(name)
    return s3_backends[place[1]][place[0]].buckets.get(name) if place else None


def find_version(bucket: Any, key: str, version_id: str) -> Any | None:
    """Return the version (or delete marker) of a key with this id, or None."""
    held = bucket.keys.getlist(key, [])
    return next((version for version in held if str(version.version_id) == version_id), None)


def describe(version: Any) -> Subject:
    """Return what replication rules look at."""
    if is_delete_marker(version):
        return Subject(version.name, delete_marker=True)
    return Subject(
        version.name,
        tags=_tagger(version).get_tag_dict_for_resource(version.arn),
        storage_class=version.storage_class,
        kms=(version.encryption or "").startswith("aws:kms"),
    )


def is_delete_marker(version: Any) -> bool:
    """Whether a version is a delete marker."""
    return isinstance(version, FakeDeleteMarker)


def status(version: Any) -> str | None:
    """Return a version's x-amz-replication-status."""
    return getattr(version, "replication_status", None)


def is_replica(version: Any) -> bool:
    """Whether a version was itself replicated from another bucket."""
    return status(version) == REPLICA


def is_locked(version: Any) -> bool:
    """Whether a version has a retention or a legal hold, which only buckets with Object Lock can keep."""
    return bool(getattr(version, "lock_mode", None) or getattr(version, "lock_legal_status", None) == "ON")


def write(version: Any, destination: Any, rule: Rule) -> None:
    """Give `destination` the version: id, content, metadata, tags and times; or only what has changed."""
    with writing(destination.name, version.name):
        held = find_version(destination, version.name, str(version.version_id))
        if held is not None and held.last_modified == version.last_modified:
            copy = held
        else:
            copy = _marker(version) if is_delete_marker(version) else _object(version, destination, rule)
            copy.replication_status = REPLICA
            _insert(destination, copy)
        if not is_delete_marker(version):
            _copy_changeable(version, copy)


def _insert(bucket: Any, copy: Any) -> None:
    kept = [
        held for held in bucket.keys.getlist(copy.name, []) if str(held.version_id) != str(copy.version_id)
    ]
    bucket.keys.setlist(copy.name, sorted([*kept, copy], key=lambda held: held.last_modified))


def _marker(version: Any) -> Any:
    copy = FakeDeleteMarker(key=version.key)
    copy.last_modified, copy._version_id = version.last_modified, version.version_id
    return copy


def _object(version: Any, destination: Any, rule: Rule) -> Any:
    target = rule["Destination"]
    replica_key = target.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID")
    copy = FakeKey(
        name=version.name,
        value=version.value,
        account_id=destination.account_id,
        region_name=version.region_name,
        storage=target.get("StorageClass") or version.storage_class,
        etag=version.etag.strip('"'),
        is_versioned=True,
        version_id=version.version_id,
        multipart=version.multipart,
        bucket_name=destination.name,
        encryption=version.encryption,
        kms_key_id=replica_key if describe(version).kms else version.kms_key_id,
        bucket_key_enabled=version.bucket_key_enabled,
        checksum_value=version.checksum_value,
        checksum_type=version.checksum_type,
        checksum_parts=version.checksum_parts,
    )
    copy.last_modified = version.last_modified
    copy.checksum_algorithm = version.checksum_algorithm
    copy.website_redirect_location = version.website_redirect_location
    copy.set_metadata(dict(version.metadata))
    return copy


def _copy_changeable(version: Any, copy: Any) -> None:
    copy.acl = version.acl
    copy.lock_mode, copy.lock_until = version.lock_mode, version.lock_until
    copy.lock_legal_status = version.lock_legal_status
    tagger = _tagger(copy)
    tags = _tagger(version).get_tag_dict_for_resource(version.arn)
    tagger.delete_all_tags_for_resource(copy.arn)
    tagger.tag_resource(copy.arn, tagger.convert_dict_to_tags_input(tags))


def _tagger(version: Any) -> Any:
    return s3_backends[version.account_id][version.partition].tagger
