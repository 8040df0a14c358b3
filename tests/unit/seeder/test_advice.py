from __future__ import annotations

import re

import pytest

from localcloud.replication.failures import MESSAGES
from seeder import advice
from seeder.advice import explain
from seeder.advice_table import TABLE

TOO_LARGE = (
    "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120 "
    "(Service: Amazon S3; Status Code: 400; Error Code: InvalidRequest; Request ID: X; Proxy: null)"
)
# S3 User Guide, "Amazon S3 replication failure reasons".
REPLICATION_REASONS = """
AssumeRoleNotPermitted DstBucketInvalidRegion DstBucketNotFound DstBucketObjectLockConfigMissing DstBucketUnversioned
DstDelObjNotPermitted DstKmsKeyInvalidState DstKmsKeyNotFound DstMultipartCompleteNotPermitted
DstMultipartInitNotPermitted DstMultipartUploadNotPermitted DstObjectHardDeleted DstPutAclNotPermitted
DstPutLegalHoldNotPermitted DstPutObjectNotPermitted DstPutRetentionNotPermitted DstPutTaggingNotPermitted
DstVersionNotFound InitiateReplicationNotPermitted SrcBucketInvalidRegion SrcBucketNotFound
SrcBucketReplicationConfigMissing SrcGetAclNotPermitted SrcGetLegalHoldNotPermitted SrcGetObjectNotPermitted
SrcGetRetentionNotPermitted SrcGetTaggingNotPermitted SrcHeadObjectNotPermitted SrcKeyNotFound SrcKmsKeyInvalidState
SrcObjectNotEligible SrcObjectNotFound SrcReplicationNotPending SrcVersionNotFound
"""


def denied(action: str, why: str = "because no identity-based policy allows the action") -> str:
    return (
        f"User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: {action} on resource: arn {why}"
    )


@pytest.mark.parametrize("code", sorted({*REPLICATION_REASONS.split(), *MESSAGES}))
def test_no_reason_of_a_failed_replication_is_retried_for_its_status(code: str) -> None:
    told = explain(code, 500, "", "replicate")
    assert code in TABLE
    assert told.kind in {"permanent", "person"}


@pytest.mark.parametrize("code", sorted(TABLE))
@pytest.mark.parametrize("operation", ["copy", "replicate", "restore", "invoke"])
def test_every_code_has_one_sentence_of_advice_that_says_what_to_do(code: str, operation: str) -> None:
    text = explain(code, 400, "", operation).text
    assert text.endswith(".")
    assert ":" in text
    assert "{" not in text
    assert len(text) < 200


def test_every_rule_can_be_reached() -> None:
    for code, rules in TABLE.items():
        always = [rule for rule in rules if not rule.says and not rule.of]
        assert always == rules[-1:], code
        for rule in rules:
            re.compile(rule.says)


@pytest.mark.parametrize(
    ("code", "status", "message", "operation", "kind", "says"),
    [
        ("InvalidRequest", 400, TOO_LARGE, "copy", "permanent", "over 5 GiB"),
        ("InvalidRequest", 400, "Task failed due to missing VersionId", "copy", "person", "`null`"),
        ("InvalidRequest", 400, "?", "copy", "person", "reason in the message"),
        ("AccessDenied", 403, "Access Denied", "copy", "person", "check its policy"),
        ("AccessDenied", 403, "Access Denied", "restore", "person", "s3:RestoreObject"),
        (
            "AccessDenied",
            403,
            denied("kms:Decrypt"),
            "copy",
            "person",
            "lacks kms:Decrypt on the source's key",
        ),
        ("AccessDenied", 403, denied("kms:GenerateDataKey"), "copy", "person", "GenerateDataKey on the dest"),
        ("AccessDenied", 403, denied("s3:PutObject"), "copy", "person", "lacks s3:PutObject:"),
        ("AccessDenied", 403, denied("s3:PutObject", "with an explicit deny"), "copy", "person", "denies"),
        ("PermanentFailure", 200, denied("s3:GetObject"), "invoke", "person", "lacks s3:GetObject:"),
        ("PermanentFailure", 200, "Task timed out after 3.00 seconds", "invoke", "person", "ran out of time"),
        ("PermanentFailure", 200, "no", "invoke", "permanent", "gave this object up"),
        ("TemporaryFailure", 200, "busy", "invoke", "retryable", "invokes it"),
        ("NoSuchKey", 404, "", "copy", "permanent", "not in the source"),
        ("404", 404, "", "copy", "permanent", "not in the source"),
        ("NoSuchBucket", 404, "", "copy", "person", "does not exist"),
        ("NoSuchVersion", 404, "", "copy", "permanent", "not in the source"),
        ("InvalidObjectState", 403, "", "copy", "permanent", "archived"),
        ("RestoreAlreadyInProgress", 409, "", "restore", "permanent", "under way already"),
        ("ObjectAlreadyInActiveTierError", 403, "", "restore", "permanent", "needs no restore"),
        ("PreconditionFailed", 412, "", "copy", "retryable", "at the same time"),
        ("NotImplemented", 501, "", "copy", "person", "exempt"),
        ("KMS.ThrottlingException", 400, "", "copy", "retryable", "KMS was asked too often"),
        ("KMS.DisabledException", 400, "", "copy", "person", "disabled"),
        ("KMS.NewException", 500, "", "copy", "person", "not known"),
        ("SlowDown", 503, "", "copy", "retryable", "next round"),
        ("InternalError", 500, "", "replicate", "retryable", "next round"),
        ("RequestTimeout", 400, "", "copy", "retryable", "next round"),
        ("ServiceUnavailable", 503, "", "copy", "retryable", "next round"),
        ("NeverSeen", 503, "", "copy", "retryable", "failed on its side"),
        ("NeverSeen", 503, "", "replicate", "person", "not known"),
        ("NeverSeen", 418, "", "copy", "person", "not known"),
        ("", 500, "", "replicate", "person", "not known"),
    ],
)
def test_a_failure_is_explained(
    code: str, status: int, message: str, operation: str, kind: str, says: str
) -> None:
    told = explain(code, status, message, operation)
    assert told.kind == kind
    assert says in told.text


def test_only_codes_with_several_rules_need_a_look_at_each_message() -> None:
    assert advice.depends_on_message("AccessDenied")
    assert advice.depends_on_message("403")
    assert not advice.depends_on_message("SlowDown")
    assert not advice.depends_on_message("NeverSeen")
