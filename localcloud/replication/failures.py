"""Why a version is not replicated: the reason codes that S3 gives.

Source of the codes: S3 User Guide, "Amazon S3 replication failure reasons". Completion reports of S3 Batch
Operations carry them with HTTP status 500, whatever the reason; of the messages only those of
SrcObjectNotEligible and SrcObjectNotFound have been seen, the others say the same in our words.
"""

from __future__ import annotations

MESSAGES = {
    "AssumeRoleNotPermitted": "The replication role cannot be assumed by Amazon S3",
    "DstBucketNotFound": "The destination bucket does not exist",
    "DstBucketObjectLockConfigMissing": "The destination bucket has no Object Lock configuration",
    "DstBucketUnversioned": "Versioning is not enabled on the destination bucket",
    "DstDelObjNotPermitted": "The replication role may not replicate delete markers to the destination",
    "DstObjectHardDeleted": "The version was permanently deleted in the destination bucket",
    "DstPutAclNotPermitted": "The replication role may not change the owner of replicas",
    "DstPutObjectNotPermitted": "The replication role may not replicate objects to the destination",
    "DstPutTaggingNotPermitted": "The replication role may not replicate tags to the destination",
    "InitiateReplicationNotPermitted": "The job role may not initiate replication of the object",
    "SrcBucketNotFound": "The source bucket does not exist",
    "SrcBucketReplicationConfigMissing": "The source bucket has no replication configuration",
    "SrcGetAclNotPermitted": "The replication role may not read the ACL of the source object",
    "SrcGetObjectNotPermitted": "The replication role may not read the source object",
    "SrcGetTaggingNotPermitted": "The replication role may not read the tags of the source object",
    "SrcHeadObjectNotPermitted": "The replication role may not list the source bucket",
    "SrcKeyNotFound": "The source object does not exist",
    "SrcObjectNotEligible": "Object is not eligible for replication",
    "SrcObjectNotFound": "Object versionID is invalid",
    "SrcVersionNotFound": "The source version does not exist",
}


class ReplicationFailure(Exception):  # S3 speaks of failure reasons
    """A version not replicated: `code` as S3 names the reason, `message`, and the `status` in a report."""

    def __init__(self, code: str, message: str | None = None, status: int = 500) -> None:
        self.code = code
        self.message = message or MESSAGES[code]
        self.status = status
        super().__init__(f"{code}: {self.message}")
