"""S3ReplicateObject: one version to every destination that the bucket's rules give it.

Contract: S3 User Guide, "Replicating existing objects with Batch Replication". Rows as captured from real
reports: every failure has status 500 and a replication failure reason as its code.
"""

from __future__ import annotations

from importlib.util import find_spec

from localcloud.batch_operations.operations.base import Operation
from localcloud.batch_operations.task import Outcome, Task, failed

NO_SUCH_VERSION = (500, "SrcObjectNotFound", "Object versionID is invalid")
NOT_PERMITTED = (500, "InitiateReplicationNotPermitted", "The job role may not initiate replication")


class ReplicateOperation(Operation):
    """Initiates replication; success says no more than that."""

    missing_version = NO_SUCH_VERSION

    def perform(self, task: Task, key: str) -> Outcome:
        """Initiate the replication of one version."""
        if task.version_id is None:
            return failed(*self.settings.replicate_without_version)
        if not self.session.may_object("s3:InitiateReplication", task.bucket, key):
            return failed(*NOT_PERMITTED)
        from localcloud.replication import ReplicationFailure, replicate_version

        replicate = self.settings.replicate or replicate_version
        try:
            replicate(task.bucket, key, task.version_id)
        except ReplicationFailure as failure:
            return failed(failure.status, failure.code, failure.message)
        return Outcome(True, message="success")


def supported() -> bool:
    """Return whether `localcloud.replication` is there."""
    return find_spec("localcloud.replication") is not None
