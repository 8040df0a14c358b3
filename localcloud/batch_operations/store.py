"""What the service sees of S3 from within, as AWS's own does: facts of buckets and objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends

if TYPE_CHECKING:
    from collections.abc import Iterator


def bucket(name: str) -> Any | None:
    """Return moto's bucket of this name, whichever account owns it, or None."""
    place = s3_backends.bucket_accounts.get(name)
    if place is None:
        return None
    partition, account = place
    return s3_backends[account][partition].buckets.get(name)


def owner(name: str) -> str | None:
    """Return the account id that owns a bucket, or None."""
    place = s3_backends.bucket_accounts.get(name)
    return place[1] if place else None


def version(bucket_name: str, key: str, version_id: str | None = None) -> Any | None:
    """Return moto's object version (without an id the current one), or None; None for a delete marker too."""
    held = bucket(bucket_name)
    if held is None:
        return None
    versions = held.keys.getlist(key, default=[])
    if version_id is None:
        found = versions[-1] if versions else None
    else:
        found = next((each for each in versions if each.version_id == version_id), None)
    return found if isinstance(found, FakeKey) else None


def tags(held: Any) -> dict[str, str]:
    """Return the tags of an object version."""
    backend = s3_backends[held.account_id][held.partition]
    return dict(backend.tagger.get_tag_dict_for_resource(held.arn))


def versions(bucket_name: str) -> Iterator[tuple[str, Any, bool]]:
    """Yield (key, version, is it the latest) in key order, newest first, without delete markers."""
    held = bucket(bucket_name)
    for key in sorted(list(held.keys) if held else (), key=lambda name: name.encode()):
        stack = held.keys.getlist(key, default=[]) if held else []
        for place, each in enumerate(reversed(stack)):
            if not isinstance(each, FakeDeleteMarker):
                yield key, each, place == 0


def is_delete_marker(bucket_name: str, key: str, version_id: str) -> bool:
    """Return whether this version of a key is a delete marker."""
    held = bucket(bucket_name)
    stack = held.keys.getlist(key, default=[]) if held else []
    return any(isinstance(each, FakeDeleteMarker) and each.version_id == version_id for each in stack)


def kms_key_of(held: Any) -> str | None:
    """Return the id of the KMS key that an object version is encrypted with, or None."""
    return held.kms_key_id if str(held.encryption or "").startswith("aws:kms") else None


def default_kms_key(bucket_name: str) -> str | None:
    """Return the id of the KMS key that a bucket encrypts new objects with, or None."""
    held = bucket(bucket_name)
    rule = (held.encryption or {}).get("Rule", {}) if held else {}
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    is_kms = str(default.get("SSEAlgorithm", "")).startswith("aws:kms")
    return default.get("KMSMasterKeyID") if is_kms else None


def uses_bucket_key(bucket_name: str) -> bool:
    """Return whether a bucket encrypts new objects with an S3 Bucket Key."""
    held = bucket(bucket_name)
    rule = (held.encryption or {}).get("Rule", {}) if held else {}
    return str(rule.get("BucketKeyEnabled", "false")).lower() == "true"
