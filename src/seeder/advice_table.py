"""Every error code of completion reports that is known, with its kind and what to do about it.

Sources: S3 User Guide, "Amazon S3 replication failure reasons" and "Invoking AWS Lambda functions from S3 Batch
Operations"; S3 API reference, "Error responses". The KMS codes are those of KMS's exceptions, as S3 passes them on.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["retryable", "permanent", "person"]
"""`retryable` by another job as it is; `permanent` for this object; a `person` must change something first."""


class Rule(NamedTuple):
    """What to do about tasks with one of `codes` (words), whose message has `says` (a regular expression) in it.

    `of` is the one operation that the rule is for, empty for all. `text` may hold `{action}`, a group of `says`.
    """

    codes: str
    kind: Kind
    text: str
    says: str = ""
    of: str = ""


_ACTION = r"not authorized to perform: (?P<action>\w+:\w+)"
_DENIED = "AccessDenied AccessDeniedException Forbidden"
_DENIED_OR_GIVEN_UP = f"{_DENIED} PermanentFailure"

# Of the rules for a code the first that fits is taken.
_RULES = [
    # What passes.
    Rule(
        "InternalError InternalFailure RequestLimitExceeded RequestThrottled RequestTimeTooSkewed RequestTimeout "
        "ServiceUnavailable SlowDown Throttling ThrottlingException TooManyRequestsException "
        "KMS.DependencyTimeoutException KMS.InternalException KMS.KMSInternalException KMS.KeyUnavailableException",
        "retryable",
        "AWS was busy or failed for a moment: the next round tries the object again.",
    ),
    Rule(
        "KMS.ThrottlingException",
        "retryable",
        "KMS was asked too often: the next round tries again; bucket keys make such calls rarer.",
    ),
    Rule(
        "ConditionalRequestConflict OperationAborted PreconditionFailed",
        "retryable",
        "Something else wrote the object at the same time: the next round copies it as it is then.",
    ),
    Rule(
        "BadDigest IncompleteBody",
        "retryable",
        "The object was damaged on its way: the next round copies it again.",
    ),
    Rule("NoSuchUpload", "retryable", "The upload was aborted meanwhile: the next round begins another."),
    Rule(
        "GlacierExpeditedRetrievalNotAvailable",
        "retryable",
        "No expedited retrieval was to be had: the next round asks for the object again.",
    ),
    Rule(
        "TemporaryFailure",
        "retryable",
        "The object is so large that its copy goes on in the next round, from the parts that are there.",
        r"^OutOfTime: ",
    ),
    Rule(
        "TemporaryFailure",
        "retryable",
        "The function could not do it this time: the next round invokes it for the object again.",
    ),
    # Objects that can't be had.
    Rule(
        "NoSuchKey NoSuchVersion NotFound SrcKeyNotFound SrcObjectNotFound SrcVersionNotFound",
        "permanent",
        "The object, or this version of it, is not in the source any more: run again to list what is there now.",
    ),
    Rule(
        "MethodNotAllowed",
        "permanent",
        "The current version is a delete marker, which can't be copied: nothing is left to do.",
    ),
    Rule(
        "InvalidObjectState",
        "permanent",
        "The object is archived: restore it (`restore: true` in the request), then run again.",
    ),
    Rule(
        "ObjectAlreadyInActiveTierError",
        "permanent",
        "The object can be read already and needs no restore: run again to copy it.",
    ),
    Rule(
        "RestoreAlreadyInProgress",
        "permanent",
        "A restore of the object is under way already: run again when it is done.",
    ),
    Rule(
        "SrcObjectNotEligible",
        "permanent",
        "The object can't be replicated as it is, most often because it is archived: restore it, then copy it.",
    ),
    Rule(
        "SrcReplicationNotPending",
        "permanent",
        "The version was replicated meanwhile: nothing is left to do, and the verification proves it.",
    ),
    Rule(
        "DstObjectHardDeleted DstVersionNotFound",
        "permanent",
        "The destination lost this version for good: copy the object onto itself in the source, for a version that can "
        "be replicated.",
    ),
    Rule(
        "KeyTooLongError",
        "permanent",
        "With the prefix added the key is over 1,024 bytes: choose a shorter prefix or key.",
    ),
    # Requests that S3 refuses.
    Rule(
        "InvalidRequest EntityTooLarge",
        "permanent",
        "The object is over 5 GiB, the most that a copy job takes: copy it in parts, as the large objects' job does.",
        says="larger than the maximum allowable size",
    ),
    Rule(
        "InvalidRequest",
        "person",
        "The manifest has no version for this object: write `null` where an object has none, then run again.",
        says="missing VersionId",
    ),
    Rule(
        "InvalidRequest",
        "person",
        "The object is encrypted with a key that only its owner has (SSE-C): copy it with that key, by hand.",
        says=r"(?i)server.side encryption|SSE-C|customer.provided",
    ),
    Rule(
        "InvalidRequest EntityTooLarge InvalidArgument InvalidTag",
        "person",
        "S3 refuses this request for the reason in the message: change what it names, then run again.",
    ),
    Rule(
        "NotImplemented",
        "person",
        "The destination demands what a job can't do, such as conditional writes: exempt the batch role in its bucket "
        "policy, then run again.",
    ),
    Rule(
        "AccessControlListNotSupported",
        "person",
        "The destination has ACLs disabled: copy without ACLs, or enable them there, then run again.",
    ),
    # Permissions. A function's failure may hold the same words.
    Rule(
        _DENIED_OR_GIVEN_UP,
        "person",
        "The batch role lacks kms:Decrypt on the source's key: allow it in the role's policy and in the key's, then "
        "run again.",
        says="kms:Decrypt",
    ),
    Rule(
        _DENIED_OR_GIVEN_UP,
        "person",
        "The batch role lacks {action} on the destination's key: allow it in the role's policy and in the key's, then "
        "run again.",
        says=r"(?P<action>kms:\w+)",
    ),
    Rule(
        _DENIED_OR_GIVEN_UP,
        "person",
        "A policy explicitly denies {action} to the batch role: change that policy, then run again.",
        says=rf"{_ACTION}(?s:.*)explicit deny",
    ),
    Rule(
        _DENIED_OR_GIVEN_UP,
        "person",
        "The batch role lacks {action}: allow it in the role's policy and, across accounts, in the bucket's, then run "
        "again.",
        says=_ACTION,
    ),
    Rule(
        _DENIED,
        "person",
        "The batch role lacks s3:RestoreObject, or the source's bucket policy denies it: allow it, then run again.",
        of="restore",
    ),
    Rule(
        _DENIED,
        "person",
        "The batch role may not read the source or write the destination: check its policy, both bucket policies and "
        "the keys, then run again.",
    ),
    Rule(
        "AllAccessDisabled",
        "person",
        "Access to the bucket is disabled: ask AWS Support why, then run again.",
    ),
    Rule(
        "AssumeRoleNotPermitted",
        "person",
        "S3 can't assume the replication role: let its trust policy name s3.amazonaws.com, then run again.",
    ),
    Rule(
        "InitiateReplicationNotPermitted",
        "person",
        "The batch role lacks s3:InitiateReplication on the source: allow it, then run again.",
    ),
    *(
        Rule(
            codes,
            "person",
            f"The replication role lacks {action}: allow it in the role's policy, then run again.",
        )
        for codes, action in {
            "DstDelObjNotPermitted": "s3:ReplicateDelete on the destination",
            "DstMultipartCompleteNotPermitted DstMultipartInitNotPermitted DstMultipartUploadNotPermitted "
            "DstPutObjectNotPermitted": "s3:ReplicateObject on the destination",
            "DstPutAclNotPermitted": "s3:ObjectOwnerOverrideToBucketOwner on the destination",
            "DstPutLegalHoldNotPermitted": "s3:PutObjectLegalHold on the destination",
            "DstPutRetentionNotPermitted": "s3:PutObjectRetention on the destination",
            "DstPutTaggingNotPermitted": "s3:ReplicateTags on the destination",
            "SrcGetAclNotPermitted": "s3:GetObjectVersionAcl on the source",
            "SrcGetLegalHoldNotPermitted": "s3:GetObjectLegalHold on the source",
            "SrcGetObjectNotPermitted": "s3:GetObjectVersionForReplication on the source, or kms:Decrypt on its key",
            "SrcGetRetentionNotPermitted": "s3:GetObjectRetention on the source",
            "SrcGetTaggingNotPermitted": "s3:GetObjectVersionTagging on the source",
            "SrcHeadObjectNotPermitted": "s3:ListBucket or s3:GetObjectVersionForReplication on the source",
        }.items()
    ),
    # Buckets.
    Rule(
        "NoSuchBucket",
        "person",
        "The source or the destination bucket does not exist: see which, then run again.",
    ),
    Rule(
        "DstBucketNotFound",
        "person",
        "A rule's destination bucket does not exist: create it or correct the rule, then run again.",
    ),
    Rule(
        "DstBucketInvalidRegion",
        "person",
        "The destination is not in the region expected of it: correct the rule, then run again.",
    ),
    Rule(
        "DstBucketObjectLockConfigMissing",
        "person",
        "The source has Object Lock and the destination has not: enable it there, then run again.",
    ),
    Rule(
        "DstBucketUnversioned",
        "person",
        "Versioning is not enabled on the destination: enable it, then run again.",
    ),
    Rule(
        "SrcBucketNotFound",
        "person",
        "The source bucket does not exist: see what became of it, then run again.",
    ),
    Rule(
        "SrcBucketInvalidRegion",
        "person",
        "The source is not in the job's region: start the run where the source is.",
    ),
    Rule(
        "SrcBucketReplicationConfigMissing",
        "person",
        "The source has no replication configuration any more: add the rule again, then run again.",
    ),
    # Keys.
    Rule(
        "DstKmsKeyNotFound KMS.NotFoundException",
        "person",
        "The KMS key that encrypts here does not exist: correct the rule or bucket that names it, then run again.",
    ),
    Rule(
        "DstKmsKeyInvalidState SrcKmsKeyInvalidState KMS.DisabledException KMS.InvalidStateException "
        "KMS.KMSInvalidStateException",
        "person",
        "The KMS key of the source or destination is disabled or to be deleted: enable it, then run again.",
    ),
    Rule(
        "KMS.IncorrectKeyException KMS.InvalidKeyUsageException",
        "person",
        "The KMS key can't be used for this object: correct the bucket's encryption or the key, then run again.",
    ),
    # Functions that a job invokes for each object.
    Rule(
        "PermanentFailure",
        "retryable",
        "The function ended before it answered; where it does so each time, give it more memory or time: the next "
        "round goes on with the object.",
        says=r"(?i)timed? ?out|Runtime\.(ExitError|OutOfMemory)|Runtime exited|signal: killed",
        of="large",
    ),
    Rule(
        "PermanentFailure",
        "person",
        "The function ran out of time with this object: give it more memory or time, then run again.",
        says=r"(?i)timed? ?out",
    ),
    Rule(
        "PermanentFailure",
        "permanent",
        "The function gave this object up: read its message among the run's failures, mend what it names, run again.",
    ),
]

TABLE: dict[str, list[Rule]] = {}
"""The rules by code, in the order in which they are tried."""
for _rule in _RULES:
    for _code in _rule.codes.split():
        TABLE.setdefault(_code, []).append(_rule)
