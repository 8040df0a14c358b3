"""DeleteObject and DeleteObjects: conditions, quiet answers, delete markers told apart; delete markers read.

moto ignores conditions and Quiet in DeleteObjects, knows no `If-Match: *`, does not say that a deleted
version was a delete marker, and takes reading a delete marker by its version id for a missing version.

Contract: S3 User Guide, "How to perform conditional deletes" and "Managing delete markers"; S3 API reference,
DeleteObject and DeleteObjects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xmltodict  # type: ignore[import-untyped]  # has no types
from moto.core.responses import ActionResult
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import (
    MalformedXML,
    MethodNotAllowed,
    PreconditionFailed,
    S3AccessDeniedError,
    S3ClientError,
)
from moto.s3.models import FakeDeleteMarker, S3Backend
from moto.s3.responses import S3Response

from localcloud.s3.conditions import require_match
from localcloud.s3.locks import writing

if TYPE_CHECKING:
    from localcloud.patching import Patches

MAX_OBJECTS = 1000


def install(patches: Patches) -> None:
    """Delete as documented until the patches are undone."""

    def delete(
        backend: Any, bucket_name: str, key_name: str, version_id: str | None = None, bypass: Any = False
    ) -> Any:
        held = backend.get_bucket(bucket_name).keys.getlist(key_name, [])
        marker = any(isinstance(item, FakeDeleteMarker) and item.version_id == version_id for item in held)
        deleted, meta = original_delete(backend, bucket_name, key_name, version_id=version_id, bypass=bypass)
        if marker:
            meta["delete-marker"] = "true"
        return deleted, meta

    def get_key(response: Any, *args: Any, **kwargs: Any) -> Any:
        version_id = response._get_param("versionId")
        if version_id and isinstance(_version(response, version_id), FakeDeleteMarker):
            raise MethodNotAllowed(method=response.method, resource_type="DeleteMarker")
        return original_get(response, *args, **kwargs)

    patches.replace(S3Response, "delete_object", _delete_object)
    patches.replace(S3Response, "_bucket_response_delete_keys", _delete_objects)
    original_get = patches.replace(S3Response, "_get_key", get_key)
    original_delete = patches.replace(S3Backend, "delete_object", delete)


def _version(response: Any, version_id: str) -> Any:
    return response.backend.get_object(
        response.bucket_name, response.parse_key_name(), version_id=version_id, return_delete_marker=True
    )


def _delete_object(response: Any) -> Any:
    headers = response.headers
    bypass = headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
    condition, version_id = headers.get("If-Match"), response._get_param("versionId")
    meta = _delete(response, response.parse_key_name(), version_id, condition, bypass)
    return 204, {f"x-amz-{name}": value for name, value in meta.items()}, ""


def _delete(
    response: Any, key: str, version_id: str | None, condition: str | None, bypass: bool
) -> dict[str, str]:
    bucket = response.bucket_name
    with writing(bucket, key):
        if condition:
            _check(condition, response.backend.get_object(bucket, key, return_delete_marker=True))
        _, meta = response.backend.delete_object(bucket, key, version_id=version_id, bypass=bypass)
    return dict(meta)


def _check(condition: str, current: Any) -> None:
    """`*` wants any object: a delete marker fails it, and a key without versions is not found."""
    marker = isinstance(current, FakeDeleteMarker)
    if condition == "*" and marker:
        raise PreconditionFailed("If-Match")
    if condition != "*" or current is None:
        require_match(condition, None if marker else current)


def _delete_objects(response: Any, bucket_name: str, authenticated: bool = True) -> Any:
    request = xmltodict.parse(response.body, strip_whitespace=False, force_list={"Object"})["Delete"]
    objects = request.get("Object", []) if isinstance(request, dict) else []
    if not 1 <= len(objects) <= MAX_OBJECTS:
        raise MalformedXML
    bypass = response.headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
    deleted, errors = [], []
    for item in objects:
        try:
            deleted.append(_delete_one(response, item, bypass, authenticated))
        except S3ClientError as error:
            named = {"Key": item["Key"], "VersionId": item.get("VersionId")}
            errors.append({**named, "Code": error.code, "Message": error.message})
    quiet = request.get("Quiet") == "true"
    response.data["Action"] = "DeleteObjects"
    return response.serialized(ActionResult({"Deleted": [] if quiet else deleted, "Errors": errors}))


def _delete_one(response: Any, item: dict[str, Any], bypass: bool, authenticated: bool) -> dict[str, Any]:
    key, version_id = item["Key"], item.get("VersionId")
    bucket = response.backend.get_bucket(response.bucket_name)
    permission = bucket.get_permission("s3:DeleteObject", f"{bucket.arn}/{key}")
    if not authenticated or permission == PermissionResult.DENIED:
        raise S3AccessDeniedError
    meta = _delete(response, key, version_id, item.get("ETag"), bypass)
    marker = meta.get("delete-marker") == "true"
    return {
        "Key": key,
        "VersionId": version_id,
        "DeleteMarker": True if marker else None,
        "DeleteMarkerVersionId": meta["version-id"] if marker else None,
    }
