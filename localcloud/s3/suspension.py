"""Buckets whose versioning is suspended, and delete markers for keys that do not exist.

In a suspended bucket moto throws away all older versions; a write must replace the null version alone, and a
delete put a null delete marker in its place. In a versioned bucket the delete of a key that does not exist
makes a delete marker too.

Contract: S3 User Guide, "Adding objects to versioning-suspended buckets" and "Deleting object versions from a
versioning-suspended bucket"; S3 API reference, DeleteObject.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeBucket, FakeDeleteMarker, S3Backend

from localcloud.s3.locks import writing

if TYPE_CHECKING:
    from localcloud.patching import Patches

NULL = "null"


def install(patches: Patches) -> None:
    """Keep versions in suspended buckets until the patches are undone."""

    def put_object(backend: Any, bucket_name: str, key_name: str, *args: Any, **kwargs: Any) -> Any:
        with writing(bucket_name, key_name):
            version = original(backend, bucket_name, key_name, *args, **kwargs)
            bucket = backend.get_bucket(bucket_name)
            if is_suspended(bucket):
                version._version_id, version._is_versioned = NULL, False
                bucket.keys.setlist(key_name, [*_without_null(bucket, key_name, but=version), version])
            return version

    patches.replace(FakeBucket, "is_versioned", property(_keeps_versions))
    patches.replace(S3Backend, "_set_delete_marker", _set_delete_marker)
    original = patches.replace(S3Backend, "put_object", put_object)


def is_suspended(bucket: Any) -> bool:
    """Whether the bucket's versioning has been enabled and suspended."""
    return bool(bucket.versioning_status == "Suspended")


def _keeps_versions(bucket: Any) -> bool:
    return bucket.versioning_status in ("Enabled", "Suspended")


def _set_delete_marker(backend: Any, bucket_name: str, key_name: str) -> Any:
    bucket = backend.get_bucket(bucket_name)
    marker = FakeDeleteMarker(key=bucket.keys.get(key_name) or SimpleNamespace(name=key_name))
    kept = bucket.keys.getlist(key_name, [])
    if is_suspended(bucket):
        marker._version_id = NULL
        kept = _without_null(bucket, key_name)
    bucket.keys.setlist(key_name, [*kept, marker])
    return marker


def _without_null(bucket: Any, key: str, but: Any = None) -> list[Any]:
    held = bucket.keys.getlist(key, [])
    return [version for version in held if version is not but and version.version_id != NULL]
