"""S3InitiateRestoreObject: a restore begun, not awaited.

Contract: S3 User Guide, "Restore objects with Batch Operations"; API reference, S3InitiateRestoreObjectOperation.
"""

from __future__ import annotations

from localcloud.batch_operations.operations.base import Operation
from localcloud.batch_operations.task import Outcome, Task

TIERS = {"BULK": "Bulk", "STANDARD": "Standard"}


class RestoreOperation(Operation):
    """Asks S3 to restore each object; success says that the restore was initiated."""

    def perform(self, task: Task, key: str) -> Outcome:
        """Initiate one restore."""
        extra = {"s3:VersionId": task.version_id} if task.version_id else None
        if not self.session.may_object("s3:RestoreObject", task.bucket, key, extra):
            return self.denied()
        tier = TIERS[self.parameters.get("GlacierJobTier", "STANDARD")]
        which = {"VersionId": task.version_id} if task.version_id else {}
        self.session.s3(task.bucket).restore_object(
            Bucket=task.bucket,
            Key=key,
            RestoreRequest={
                "Days": self.parameters["ExpirationInDays"],
                "GlacierJobParameters": {"Tier": tier},
            },
            **which,
        )
        return Outcome(True)
