"""Replication at work: versions waiting their time, copied by one thread, their status kept."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from localcloud.replication import configuration, permissions, replica, rules
from localcloud.replication.failures import ReplicationFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from localcloud.clock import Clock
    from localcloud.replication.configuration import Configuration, Rule
    from localcloud.replication.permissions import Allowed

log = logging.getLogger(__name__)

PENDING, COMPLETED, FAILED = "PENDING", "COMPLETED", "FAILED"

_LOOK_SECONDS = 0.01
"""Real time between looks at the clock while versions wait: whoever advances it wakes nobody."""


@dataclass(order=True)
class _Task:
    due: datetime
    number: int
    bucket: str = field(compare=False)
    key: str = field(compare=False)
    version_id: str = field(compare=False)
    role: str = field(compare=False)
    rules: list[Rule] = field(compare=False)


class Engine:
    """Replicates what it is told of, `delay` seconds of the clock after it was told."""

    def __init__(self, clock: Clock, delay: Callable[[], float], allowed: Allowed) -> None:
        self._clock = clock
        self._delay = delay
        self._allowed = allowed
        self._waiting: list[_Task] = []
        self._numbers = itertools.count()
        self._pending = 0
        self._changed = threading.Condition()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._hard_deleted: set[tuple[str, str, str]] = set()

    def created(self, bucket_name: str, key: str, version_id: str) -> None:
        """Replicate a version that has just been written, as far as rules want it. Replicas go no further."""
        bucket, config, version = _look_up(bucket_name, key, version_id)
        if bucket is None or config is None or version is None or replica.is_replica(version):
            return
        self._start(bucket_name, config, version, rules.matching(config, replica.describe(version)))

    def changed(self, bucket_name: str, key: str, version_id: str) -> None:
        """Carry a change of a version's tags, ACL or lock on to where the version has been replicated."""
        bucket, config, version = _look_up(bucket_name, key, version_id)
        if bucket is None or config is None or version is None:
            return

        def holds(destination: str) -> bool:
            other = replica.find_bucket(destination)
            return other is not None and replica.find_version(other, key, version_id) is not None

        wanted = rules.for_changes(config, key, of_replica=replica.is_replica(version), holds=holds)
        self._start(bucket_name, config, version, wanted)

    def deleted(self, bucket_name: str, key: str, version: Any) -> None:
        """Remember that a replica was permanently deleted: it is not replicated again."""
        if replica.is_replica(version):
            self._hard_deleted.add((bucket_name, key, str(version.version_id)))

    def initiate(self, bucket_name: str, key: str, version_id: str | None) -> None:
        """Replicate one version on demand. Raises ReplicationFailure, UnsupportedPolicy."""
        config, version = _source(bucket_name, key, version_id)
        subject = replica.describe(version)
        wanted = rules.matching(config, subject)
        if not wanted:
            raise ReplicationFailure("SrcObjectNotEligible")
        try:
            for rule in wanted:
                self._check(bucket_name, config["Role"], rule, version)
        except ReplicationFailure as failure:
            _set_status(version, FAILED, str(failure))
            raise
        self._start(bucket_name, config, version, wanted)

    def drain(self, timeout: float) -> None:
        """Return when nothing is pending. Raises TimeoutError after `timeout` real seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._pending == 0 or self._stopped.is_set(), timeout):
                raise TimeoutError(f"{self._pending} versions are still to be replicated after {timeout} s")

    def stop(self) -> None:
        """Replicate no more; return when the thread has ended."""
        with self._changed:
            self._stopped.set()
            self._changed.notify_all()
        self._wake.set()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join()

    def _start(self, bucket: str, config: Configuration, version: Any, wanted: list[Rule]) -> None:
        if not wanted:
            return
        _set_status(version, PENDING)
        due = self._clock.now() + timedelta(seconds=self._delay())
        identity = (bucket, version.name, str(version.version_id))
        with self._changed:
            if self._stopped.is_set():
                return
            heapq.heappush(self._waiting, _Task(due, next(self._numbers), *identity, config["Role"], wanted))
            self._pending += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="s3-replication", daemon=True)
                self._thread.start()
        self._wake.set()

    def _work(self) -> None:
        while True:
            self._wake.clear()
            with self._changed:
                first = self._waiting[0] if self._waiting else None
            if self._stopped.is_set():
                return
            if first is None:
                self._wake.wait()
                continue
            if first.due > self._clock.now():
                self._wake.wait(_LOOK_SECONDS)
                continue
            with self._changed:
                task = heapq.heappop(self._waiting)
            self._run(task)
            with self._changed:
                self._pending -= 1
                self._changed.notify_all()

    def _run(self, task: _Task) -> None:
        bucket = replica.find_bucket(task.bucket)
        version = bucket and replica.find_version(bucket, task.key, task.version_id)
        if not version:
            return
        reasons = []
        for rule in task.rules:
            try:
                destination = self._check(task.bucket, task.role, rule, version)
                replica.write(version, destination, rule)
            except ReplicationFailure as failure:
                reasons.append(str(failure))
            except Exception as error:
                log.exception("replication of %s/%s failed", task.bucket, task.key)
                reasons.append(str(error))
        _set_status(version, FAILED if reasons else COMPLETED, "; ".join(reasons))

    def _check(self, source: str, role: str, rule: Rule, version: Any) -> Any:
        """Return moto's destination bucket. Raises ReplicationFailure where the rule cannot be followed."""
        permissions.check(self._allowed, role, source, rule, replica.describe(version))
        name = configuration.destination_bucket(rule)
        destination = replica.find_bucket(name)
        if destination is None:
            raise ReplicationFailure("DstBucketNotFound")
        if destination.versioning_status != "Enabled":
            raise ReplicationFailure("DstBucketUnversioned")
        if replica.is_locked(version) and not destination.object_lock_enabled:
            raise ReplicationFailure("DstBucketObjectLockConfigMissing")
        if (name, version.name, str(version.version_id)) in self._hard_deleted:
            raise ReplicationFailure("DstObjectHardDeleted")
        return destination


def _look_up(bucket_name: str, key: str, version_id: str) -> tuple[Any, Configuration | None, Any]:
    bucket = replica.find_bucket(bucket_name)
    config = bucket and configuration.of_bucket(bucket)
    return bucket, config, bucket and replica.find_version(bucket, key, version_id)


def _source(bucket_name: str, key: str, version_id: str | None) -> tuple[Configuration, Any]:
    if not version_id:
        raise ReplicationFailure("SrcObjectNotFound")
    bucket, config, version = _look_up(bucket_name, key, version_id)
    if bucket is None:
        raise ReplicationFailure("SrcBucketNotFound")
    if config is None:
        raise ReplicationFailure("SrcBucketReplicationConfigMissing")
    if version is None:
        raise ReplicationFailure("SrcVersionNotFound" if bucket.keys.getlist(key) else "SrcKeyNotFound")
    return config, version


def _set_status(version: Any, status: str, reason: str = "") -> None:
    version.replication_failure = reason
    if not replica.is_replica(version):
        version.replication_status = status
