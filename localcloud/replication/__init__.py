"""S3 replication: configurations kept whole, and what is written after a rule exists replicated.

moto stores a part of the configuration and replicates nothing. Here versions keep their id, content,
metadata, tags and times; their status goes from PENDING to COMPLETED or FAILED; the replication role's
policies decide.

    patches = Patches()
    replication.install(patches, clock, delay=lambda: 5.0)
    ...
    replication.drain()
    replication.stop()
    patches.undo()
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from localcloud.replication import capture, configuration, replica
from localcloud.replication.engine import Engine
from localcloud.replication.failures import ReplicationFailure
from localcloud.replication.permissions import Allowed, allowed_by_iam

if TYPE_CHECKING:
    from collections.abc import Callable

    from localcloud.clock import Clock
    from localcloud.patching import Patches

__all__ = ["ReplicationFailure", "drain", "failure_reason", "install", "replicate_version", "stop", "written"]

_engine: Engine | None = None


def install(
    patches: Patches,
    clock: Clock,
    delay: Callable[[], float] | float = 0.0,
    allowed: Allowed = allowed_by_iam,
    new_rule_id: Callable[[], object] = uuid.uuid4,
) -> None:
    """Replicate until stopped. Each version waits `delay` seconds of the clock before it is copied.

    `allowed(role, action, resource)` decides what the replication role may do; `new_rule_id` names rules
    without one.
    """
    global _engine
    stop()
    _engine = Engine(clock, delay if callable(delay) else lambda: float(delay), allowed)
    configuration.install(patches, new_rule_id)
    capture.install(patches, _engine)


def stop() -> None:
    """Stop replicating; what is pending stays so. Does nothing where nothing runs."""
    global _engine
    if _engine:
        _engine.stop()
    _engine = None


def drain(timeout: float = 30.0) -> None:
    """Return when no version is pending. Raises TimeoutError after `timeout` real seconds."""
    _running().drain(timeout)


def written(bucket: str, key: str, version_id: str) -> None:
    """Replicate a version that was written past S3's operations, as rules say. Does nothing where nothing runs."""
    if _engine:
        _engine.created(bucket, key, version_id)


def replicate_version(bucket: str, key: str, version_id: str | None) -> None:
    """Initiate the replication of one version to every destination that the bucket's rules give it.

    Existing, failed, completed and replica versions can be replicated; "null" is the null version. The
    version is PENDING on return and copied after the delay. Raises ReplicationFailure with the reason where
    it cannot be (S3 User Guide, "Replicating existing objects with Batch Replication"), and UnsupportedPolicy
    where a policy cannot be evaluated.
    """
    _running().initiate(bucket, key, version_id)


def failure_reason(bucket: str, key: str, version_id: str) -> str:
    """Return why a version's status is FAILED, "code: message" for each destination; "" where it is not."""
    held = replica.find_bucket(bucket)
    return str(getattr(held and replica.find_version(held, key, version_id), "replication_failure", ""))


def _running() -> Engine:
    if _engine is None:
        raise RuntimeError("replication is not running; call localcloud.replication.install first")
    return _engine
