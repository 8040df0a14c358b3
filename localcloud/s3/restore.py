"""RestoreObject on the clock: archived, being restored, restored until its copy expires.

moto restores at once, the current version only, and knows no tiers.

Contract: S3 API reference, RestoreObject; S3 User Guide, "Restoring an archived object" and "Restore objects with
Batch Operations" (overlapping restores).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

import xmltodict  # type: ignore[import-untyped]  # has no types
from moto.s3 import notifications
from moto.s3.exceptions import (
    MalformedXML,
    MethodNotAllowed,
    MissingKey,
    MissingVersion,
    S3ClientError,
)
from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends
from moto.s3.responses import S3Response
from moto.s3.utils import ARCHIVE_STORAGE_CLASSES

if TYPE_CHECKING:
    from localcloud.clock import Clock
    from localcloud.patching import Patches

_HOUR = 3600.0

RESTORE_SECONDS = {
    ("GLACIER", "Expedited"): 5 / 60 * _HOUR,
    ("GLACIER", "Standard"): 5 * _HOUR,
    ("GLACIER", "Bulk"): 12 * _HOUR,
    ("DEEP_ARCHIVE", "Standard"): 12 * _HOUR,
    ("DEEP_ARCHIVE", "Bulk"): 48 * _HOUR,
}
"""How long a restore takes by storage class and tier: the longest that "Archive retrieval options" names."""

_SPEED = ("Bulk", "Standard", "Expedited")
_NOT_ARCHIVED = "Restore is not allowed for the object's current storage class"
_IN_PROGRESS = "Object restore is already in progress"
_NO_TIER = "The retrieval tier {} is not supported for the storage class {}"


@dataclass(frozen=True)
class Restore:
    """A restore of one version: asked for, done at, gone after."""

    days: int
    tier: str
    done: datetime
    expires: datetime


def install(patches: Patches, clock: Clock) -> None:
    """Restore on this clock until the patches are undone."""

    def headers(key: Any) -> dict[str, Any]:
        found = dict(original_headers.fget(key))
        found.pop("x-amz-restore", None)
        if header := _header(getattr(key, "restore_request", None), clock.now()):
            found["x-amz-restore"] = header
        return found

    def post(response: Any, request: Any, body: bytes, bucket: str, query: dict[str, Any], key: str) -> Any:
        if "restore" not in query:
            return original_post(response, request, body, bucket, query, key)
        response._set_action("KEY", "POST", query)
        response._authenticate_and_authorize_s3_action(bucket_name=bucket, key_name=key)
        version = _version(response, bucket, key, query.get("versionId", [None])[0])
        return _restore(version, _parse(body), clock.now()), {}, ""

    original_headers = patches.replace(FakeKey, "response_dict", property(headers))
    original_post = patches.replace(S3Response, "_key_response_post", post)


def is_archived(version: Any) -> bool:
    """Return whether a version can't be read: archived, and not restored."""
    if version.storage_class not in ARCHIVE_STORAGE_CLASSES:
        return False
    return 'ongoing-request="false"' not in version.response_dict.get("x-amz-restore", "")


def status(version: Any) -> dict[str, Any] | None:
    """Return a listing's RestoreStatus of a version; None where there is no restore (API reference, RestoreStatus)."""
    header = version.response_dict.get("x-amz-restore", "")
    if not header:
        return None
    if 'ongoing-request="true"' in header:
        return {"IsRestoreInProgress": True}
    expiry = parsedate_to_datetime(header.split('expiry-date="')[1].rstrip('"'))
    return {"IsRestoreInProgress": False, "RestoreExpiryDate": expiry}


def _header(restore: Restore | None, now: datetime) -> str | None:
    if restore is None or now >= restore.expires:
        return None
    if now < restore.done:
        return 'ongoing-request="true"'
    return f'ongoing-request="false", expiry-date="{restore.expires:%a, %d %b %Y %H:%M:%S} GMT"'


def _version(response: Any, bucket: str, key: str, version_id: str | None) -> Any:
    version = response.backend.get_object(bucket, key, version_id=version_id, return_delete_marker=True)
    if version is None:
        raise MissingVersion if version_id else MissingKey(key=key)
    if isinstance(version, FakeDeleteMarker):
        raise MethodNotAllowed(method="POST", resource_type="DeleteMarker")
    return version


def _parse(body: bytes) -> tuple[int, str]:
    """Return days and tier of a RestoreRequest. Raises S3ClientError for what is malformed or not supported."""
    try:
        document = xmltodict.parse(body, dict_constructor=dict)["RestoreRequest"] or {}
    except (ExpatError, KeyError):
        raise MalformedXML from None
    request = {name: value for name, value in document.items() if not name.startswith("@")}
    if unknown := sorted(set(request) - {"Days", "GlacierJobParameters", "Tier", "Description"}):
        raise S3ClientError("NotImplemented", f"{', '.join(unknown)} is not supported by the local cloud")
    tier = (request.get("GlacierJobParameters") or {}).get("Tier") or request.get("Tier") or "Standard"
    days = request.get("Days", "")
    if not days.isdecimal() or int(days) < 1 or tier not in _SPEED:
        raise MalformedXML
    return int(days), str(tier)


def _restore(version: Any, asked: tuple[int, str], now: datetime) -> int:
    """Start a restore, hasten it or prolong its copy; return the HTTP status. Raises S3ClientError."""
    days, tier = asked
    if version.storage_class not in ARCHIVE_STORAGE_CLASSES:
        raise S3ClientError("InvalidObjectState", _NOT_ARCHIVED)
    seconds = RESTORE_SECONDS.get((version.storage_class, tier))
    if seconds is None:
        raise S3ClientError("InvalidArgument", _NO_TIER.format(tier, version.storage_class))
    before: Restore | None = getattr(version, "restore_request", None)
    if before is not None and before.done <= now < before.expires:
        version.restore_request = Restore(days, tier, before.done, _expiry(now, days))
        return 200
    if before is not None and now < before.done:
        faster = _SPEED.index(tier) > _SPEED.index(before.tier)
        if days != before.days or not faster:
            raise S3ClientError("RestoreAlreadyInProgress", _IN_PROGRESS)
    done = now + timedelta(seconds=seconds)
    version.restore_request = Restore(days, tier, done, _expiry(done, days))
    _notify(version)
    return 202


def _expiry(start: datetime, days: int) -> datetime:
    """Return the midnight (UTC) that ends the day on which the days have passed."""
    day = (start + timedelta(days=days + 1)).date()
    return datetime.combine(day, time(), start.tzinfo)


def _notify(version: Any) -> None:
    event = notifications.S3NotificationEvent.OBJECT_RESTORE_POST_EVENT
    bucket = s3_backends[version.account_id][version.partition].get_bucket(version.bucket_name)
    notifications.send_event(version.account_id, event, bucket, version)
