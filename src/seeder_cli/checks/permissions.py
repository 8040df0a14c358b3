"""The permissions that the checks need: what to allow who runs them, and what to say when one is missing.

Where an operation's permission has another name than the operation: S3 User Guide, "Required permissions for Amazon
S3 API operations". A test holds this table against the calls that are made.
"""

from __future__ import annotations

import re

from botocore.exceptions import ClientError

PERMISSIONS = {
    "DescribeStacks": "cloudformation:DescribeStacks",
    "ListStackResources": "cloudformation:ListStackResources",
    "DescribeTrails": "cloudtrail:DescribeTrails",
    "GetEventSelectors": "cloudtrail:GetEventSelectors",
    "GetTrailStatus": "cloudtrail:GetTrailStatus",
    "DescribeRule": "events:DescribeRule",
    "ListTargetsByRule": "events:ListTargetsByRule",
    "GetRole": "iam:GetRole",
    "SimulatePrincipalPolicy": "iam:SimulatePrincipalPolicy",
    "DescribeKey": "kms:DescribeKey",
    "GetKeyPolicy": "kms:GetKeyPolicy",
    "GetAccountSettings": "lambda:GetAccountSettings",
    "GetSchedule": "scheduler:GetSchedule",
    "GetQueueAttributes": "sqs:GetQueueAttributes",
    "DescribeStateMachine": "states:DescribeStateMachine",
    "GetCallerIdentity": "sts:GetCallerIdentity",
    "HeadBucket": "s3:ListBucket",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "GetBucketOwnershipControls": "s3:GetBucketOwnershipControls",
    "GetBucketPolicy": "s3:GetBucketPolicy",
    "GetBucketReplication": "s3:GetReplicationConfiguration",
    "GetBucketRequestPayment": "s3:GetBucketRequestPayment",
    "GetBucketVersioning": "s3:GetBucketVersioning",
    "GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "ListJobs": "s3:ListJobs",
    "PutObject": "s3:PutObject and s3:PutObjectTagging",
    "DeleteObject": "s3:DeleteObject and s3:DeleteObjectVersion",
    "CreateMultipartUpload": "s3:PutObject and s3:PutObjectTagging",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
}
_SAID = re.compile(r"not authorized to perform: ([a-z0-9-]+:\w+)")


def permission_for(error: ClientError) -> str:
    """Return the permission that AWS misses: as its message names it, else by the operation."""
    said = _SAID.search(str(error))
    return said[1] if said else PERMISSIONS.get(error.operation_name, error.operation_name)
