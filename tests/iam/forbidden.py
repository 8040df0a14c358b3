"""Calls that no role of the application may make, whatever it is for.

Of a stack deployed with BucketNames=bucket-* and KmsKeyId=KEY_ID; "mine" is a bucket that the pattern covers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

ACCOUNT, OTHER_ACCOUNT, REGION = "123456789012", "999999999999", "us-east-1"
KEY_ID, OTHER_KEY_ID = "11111111-2222-3333-4444-555555555555", "99999999-8888-7777-6666-555555555555"
PARAMETERS = {"BucketNames": "bucket-*", "KmsKeyId": KEY_ID}

MINE, OTHER = "arn:aws:s3:::bucket-1", "arn:aws:s3:::payroll"
# None of them is covered by bucket-*: it must hold at the beginning and at the end of a name.
OTHERS = [OTHER, "arn:aws:s3:::bucket", "arn:aws:s3:::my-bucket-1"]


@dataclass(frozen=True)
class Call:
    """An action on a resource."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


def _words(text: str) -> list[str]:
    return text.split()


OBJECT_ACTIONS = _words(
    """
    AbortMultipartUpload GetObject GetObjectAcl GetObjectTagging GetObjectVersion GetObjectVersionAcl
    GetObjectVersionForReplication GetObjectVersionTagging InitiateReplication ListMultipartUploadParts
    ObjectOwnerOverrideToBucketOwner PutObject PutObjectAcl PutObjectTagging PutObjectVersionTagging ReplicateDelete
    ReplicateObject ReplicateTags RestoreObject
    """
)
BUCKET_ACTIONS = _words(
    """
    GetBucketTagging GetBucketVersioning GetEncryptionConfiguration GetReplicationConfiguration
    ListBucket ListBucketMultipartUploads ListBucketVersions PutBucketVersioning PutReplicationConfiguration
    """
)
"""What the application does on the buckets it may seed; on any other bucket nobody may."""

NEVER_ON_OBJECTS = _words(
    """
    BypassGovernanceRetention DeleteObject DeleteObjectTagging DeleteObjectVersion DeleteObjectVersionTagging
    PutObjectLegalHold PutObjectRetention PutObjectVersionAcl
    """
)
NEVER_ON_BUCKETS = _words(
    """
    CreateBucket DeleteBucket DeleteBucketPolicy DeleteBucketWebsite PutBucketAcl PutBucketCORS PutBucketLogging
    PutBucketNotification PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy
    PutBucketPublicAccessBlock PutBucketWebsite PutEncryptionConfiguration PutInventoryConfiguration
    PutLifecycleConfiguration
    """
)
"""What nobody may do on any bucket: nothing is ever deleted, and no bucket's protection changed."""

NEVER_ON_KEYS = _words("CreateGrant DisableKey PutKeyPolicy ScheduleKeyDeletion")
USES_OF_KEYS = _words("Decrypt Encrypt GenerateDataKey ReEncryptFrom ReEncryptTo")

ON_ROLES = _words(
    """
    AttachRolePolicy CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy PassRole
    PutRolePermissionsBoundary PutRolePolicy TagRole UpdateAssumeRolePolicy
    """
)
NEVER_ON_OWN_ROLES = ["AttachRolePolicy", "DeleteRolePermissionsBoundary"]


def calls(state_bucket: str, path: str) -> list[Call]:
    """Return all of them, for a stack with this state bucket and this path of the roles it makes, as `seeder/`."""
    state = f"arn:aws:s3:::{state_bucket}"
    return [*_on_other_buckets(), *_on_all_buckets(state), *_on_roles(path), *_on_keys(), *_elsewhere()]


def _on_other_buckets() -> Iterator[Call]:
    for bucket in OTHERS:
        for action in OBJECT_ACTIONS:
            for key in ("a", "seeder/runs/1/manifests/a.csv", "manifest.json"):
                yield Call(f"s3:{action}", f"{bucket}/{key}")
        for action in BUCKET_ACTIONS:
            yield Call(f"s3:{action}", bucket)


def _on_all_buckets(state: str) -> Iterator[Call]:
    for bucket in (MINE, OTHER, state):
        for action in NEVER_ON_OBJECTS:
            yield Call(f"s3:{action}", f"{bucket}/runs/1/run.json")
        for action in NEVER_ON_BUCKETS:
            yield Call(f"s3:{action}", bucket)
    for key in (
        "a",
        "run.json",
        "run/1/run.json",
        "athena/a",
        "datasets/other/a",
        "metastore/a",
        "seeder/runs/1/run.json",
    ):
        yield Call("s3:PutObject", f"{state}/{key}")
    for action in ("PutBucketVersioning", "PutReplicationConfiguration"):
        yield Call(f"s3:{action}", state)
    yield Call("s3:PutAccountPublicAccessBlock", "*")
    for action in ("UpdateJobPriority", "UpdateJobStatus"):
        yield Call(f"s3:{action}", f"arn:aws:s3:{REGION}:{ACCOUNT}:job/1")


def _on_roles(path: str) -> Iterator[Call]:
    administrator = {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}
    roles = [
        f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("Admin", f"x/{path}Admin", "aws-service-role/s3/A")
    ]
    for action in ON_ROLES:
        for role in roles:
            passed = (
                {"iam:PassedToService": "batchoperations.s3.amazonaws.com"} if action == "PassRole" else {}
            )
            yield Call(f"iam:{action}", role, passed)
    for action in NEVER_ON_OWN_ROLES:
        attached = administrator if action == "AttachRolePolicy" else {}
        yield Call(f"iam:{action}", f"arn:aws:iam::{ACCOUNT}:role/{path}made", attached)
    for action in ("CreateRole", "PutRolePolicy", "PutRolePermissionsBoundary"):
        own = f"arn:aws:iam::{ACCOUNT}:role/{path}made"
        yield Call(f"iam:{action}", own)
        yield Call(
            f"iam:{action}", own, {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}
        )
    for action in ("CreatePolicy", "CreatePolicyVersion", "DeletePolicy", "SetDefaultPolicyVersion"):
        yield Call(f"iam:{action}", f"arn:aws:iam::{ACCOUNT}:policy/{path}boundary")
    for action in ("AddUserToGroup", "CreateAccessKey", "CreateLoginProfile", "CreateUser", "PutUserPolicy"):
        kind = "group" if action == "AddUserToGroup" else "user"
        yield Call(f"iam:{action}", f"arn:aws:iam::{ACCOUNT}:{kind}/{path}somebody")
    for role in (
        *roles,
        f"arn:aws:iam::{ACCOUNT}:role/{path}made",
        f"arn:aws:iam::{OTHER_ACCOUNT}:role/Admin",
    ):
        yield Call("sts:AssumeRole", role)


def _on_keys() -> Iterator[Call]:
    other = [
        f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{OTHER_KEY_ID}",
        f"arn:aws:kms:{REGION}:{OTHER_ACCOUNT}:key/{KEY_ID}",
    ]
    via = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
    for key in other:
        for action in USES_OF_KEYS:
            yield Call(f"kms:{action}", key, via)
    for key in (*other, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}"):
        for action in NEVER_ON_KEYS:
            yield Call(f"kms:{action}", key, via)


def _elsewhere() -> Iterator[Call]:
    def here(service: str, name: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"

    for action in (
        "AddPermission",
        "DeleteFunction",
        "InvokeFunction",
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
    ):
        yield Call(f"lambda:{action}", here("lambda", "function:payroll"))
    for action in ("DeleteStateMachine", "StartExecution", "UpdateStateMachine"):
        yield Call(f"states:{action}", here("states", "stateMachine:payroll"))
    for action in ("DescribeExecution", "GetExecutionHistory", "StopExecution"):
        yield Call(f"states:{action}", here("states", "execution:payroll:1"))
    for action in ("DeleteLogGroup", "DeleteRetentionPolicy", "PutSubscriptionFilter"):
        yield Call(f"logs:{action}", here("logs", "log-group:seeder-FunctionLogs-1"))
    for action in ("DeleteTopic", "Publish", "SetTopicAttributes", "Subscribe"):
        yield Call(f"sns:{action}", here("sns", "payroll"))
    for action in ("DeleteRule", "DisableRule", "PutRule", "PutTargets"):
        yield Call(f"events:{action}", here("events", "rule/payroll"))
    yield Call("events:PutEvents", here("events", "event-bus/payroll"))
    for action in ("ReceiveMessage", "SendMessage", "PurgeQueue"):
        yield Call(f"sqs:{action}", here("sqs", "payroll"))
    yield Call("scheduler:UpdateSchedule", here("scheduler", "schedule/default/seeder-resync"))
    yield Call("cloudtrail:StopLogging", here("cloudtrail", "trail/all"))
    yield Call("cloudformation:UpdateStack", here("cloudformation", "stack/seeder/1"))
    yield Call("secretsmanager:GetSecretValue", here("secretsmanager", "secret:payroll"))
    yield Call("ssm:GetParameter", here("ssm", "parameter/payroll"))
    yield Call("dynamodb:GetItem", here("dynamodb", "table/payroll"))


WRITERS = {
    "runs/1/manifests/copy.csv": {"PaginateKeys"},
    "runs/1/rounds/1/copy.csv": {"ParseReport"},
    "runs/1/verification/differences.csv": {"VerifyReplica"},
    "runs/1/large/a.json": {"CopyLargeObject", "RecordRun", "RecordFailure"},
    "runs/1/report.html": {"ClaimPair", "RecordRun", "RecordFailure"},
    "datasets/seeding_failures/a.parquet": {"ParseReport"},
}
"""Keys of the state bucket, and the functions that may write there; roles of jobs may write reports only."""
