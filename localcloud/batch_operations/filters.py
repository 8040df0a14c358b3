"""Which object versions an S3JobManifestGenerator selects.

Contract: API reference, JobManifestGeneratorFilter.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Selects = Callable[[str, Any], bool]

_TYPES = {None: "NOTSSE", "AES256": "SSES3", "aws:kms": "SSEKMS", "aws:kms:dsse": "DSSEKMS"}


def selection(wanted: dict[str, Any], eligible: Selects) -> Selects:
    """Return whether a key and moto's version of it pass every filter; `eligible` answers for replication."""
    checks = [_CHECKS[name](value) for name, value in wanted.items() if name in _CHECKS]
    if wanted.get("EligibleForReplication") is not None:
        asked = wanted["EligibleForReplication"]
        checks.append(lambda key, version: eligible(key, version) == asked)
    return lambda key, version: all(check(key, version) for check in checks)


def _created_after(moment: datetime) -> Selects:
    return lambda _, version: _aware(version.last_modified) > _aware(moment)


def _created_before(moment: datetime) -> Selects:
    return lambda _, version: _aware(version.last_modified) < _aware(moment)


def _statuses(wanted: list[str]) -> Selects:
    return lambda _, version: version.response_dict.get("x-amz-replication-status", "NONE") in wanted


def _names(constraint: dict[str, list[str]]) -> Selects:
    prefixes, suffixes, parts = (
        constraint.get(f"MatchAny{kind}") for kind in ("Prefix", "Suffix", "Substring")
    )

    def fits(key: str, _: Any) -> bool:
        return (
            (not prefixes or key.startswith(tuple(prefixes)))
            and (not suffixes or key.endswith(tuple(suffixes)))
            and (not parts or any(part in key for part in parts))
        )

    return fits


def _larger(size: int) -> Selects:
    return lambda _, version: version.size > size


def _smaller(size: int) -> Selects:
    return lambda _, version: version.size < size


def _classes(wanted: list[str]) -> Selects:
    return lambda _, version: version.storage_class in wanted


def _encryption(wanted: list[dict[str, Any]]) -> Selects:
    def fits(_: str, version: Any) -> bool:
        return any(
            _encrypted_as(version, kind, details) for choice in wanted for kind, details in choice.items()
        )

    return fits


def _encrypted_as(version: Any, kind: str, details: dict[str, Any]) -> bool:
    if _TYPES.get(version.encryption) != kind:
        return False
    key, bucket_key = details.get("KmsKeyArn"), details.get("BucketKeyEnabled")
    enabled = str(version.bucket_key_enabled).lower() == "true"
    return (key is None or version.kms_key_id == key) and (bucket_key is None or enabled == bucket_key)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_CHECKS: dict[str, Callable[[Any], Selects]] = {
    "CreatedAfter": _created_after,
    "CreatedBefore": _created_before,
    "ObjectReplicationStatuses": _statuses,
    "KeyNameConstraint": _names,
    "ObjectSizeGreaterThanBytes": _larger,
    "ObjectSizeLessThanBytes": _smaller,
    "MatchAnyStorageClass": _classes,
    "MatchAnyObjectEncryption": _encryption,
}
