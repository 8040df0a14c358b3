"""What the engine is told: every version that S3's operations write, change or permanently delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeKey, S3Backend
from moto.s3.responses import S3Response

from localcloud.replication import replica

if TYPE_CHECKING:
    from localcloud.patching import Patches
    from localcloud.replication.engine import Engine


def install(patches: Patches, engine: Engine) -> None:
    """Tell `engine` of writes, and show x-amz-replication-status, until the patches are undone."""
    for operation in ("put_object", "copy_object"):
        _after(patches, operation, engine.created)
    for operation in ("put_object_tagging", "delete_object_tagging", "put_object_acl"):
        _after(patches, operation, engine.changed)
    for operation in ("put_object_retention", "put_object_legal_hold"):
        _after(patches, operation, engine.changed)
    _after_multipart_uploads(patches, engine)
    _after_deletions(patches, engine)
    _show_status(patches)


def _after(patches: Patches, operation: str, tell: Any) -> None:
    def observed(response: Any) -> Any:
        answer = original(response)
        bucket, key = response.bucket_name, response.parse_key_name()
        version_id = answer[1].get("x-amz-version-id") or response._get_param("versionId")
        tell(bucket, key, str(version_id or _current(bucket, key)))
        return answer

    original = patches.replace(S3Response, operation, observed)


def _current(bucket_name: str, key: str) -> str | None:
    bucket = replica.find_bucket(bucket_name)
    version = bucket and bucket.keys.get(key)
    return version and version.version_id


def _after_multipart_uploads(patches: Patches, engine: Engine) -> None:
    def observed(backend: Any, bucket_name: str, *args: Any, **kwargs: Any) -> Any:
        key = original(backend, bucket_name, *args, **kwargs)
        if key is not None:
            engine.created(bucket_name, key.name, str(key.version_id))
        return key

    original = patches.replace(S3Backend, "complete_multipart_upload", observed)


def _after_deletions(patches: Patches, engine: Engine) -> None:
    def observed(
        backend: Any, bucket_name: str, key_name: str, version_id: str | None = None, **kwargs: Any
    ) -> Any:
        bucket = backend.get_bucket(bucket_name)
        gone = version_id and replica.find_version(bucket, key_name, version_id)
        answer = original(backend, bucket_name, key_name, version_id=version_id, **kwargs)
        if gone:
            engine.deleted(bucket_name, key_name, gone)
        elif not version_id and answer[1].get("delete-marker"):
            engine.created(bucket_name, key_name, str(answer[1]["version-id"]))
        return answer

    original = patches.replace(S3Backend, "delete_object", observed)


def _show_status(patches: Patches) -> None:
    def with_status(key: Any) -> dict[str, Any]:
        headers = dict(original.fget(key))
        if status := replica.status(key):
            headers["x-amz-replication-status"] = status
        return headers

    original = patches.replace(FakeKey, "response_dict", property(with_status))
