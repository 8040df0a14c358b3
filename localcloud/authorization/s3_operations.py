"""Which IAM action each request to S3 asks for, by method and sub-resource.

Contract: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3"; S3 User Guide,
"Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

BUCKET: dict[str, dict[str, str]] = {
    "GET": {
        "": "ListBucket",
        "accelerate": "GetAccelerateConfiguration",
        "acl": "GetBucketAcl",
        "cors": "GetBucketCORS",
        "encryption": "GetEncryptionConfiguration",
        "inventory": "GetInventoryConfiguration",
        "lifecycle": "GetLifecycleConfiguration",
        "location": "GetBucketLocation",
        "logging": "GetBucketLogging",
        "metrics": "GetMetricsConfiguration",
        "notification": "GetBucketNotification",
        "object-lock": "GetBucketObjectLockConfiguration",
        "ownershipControls": "GetBucketOwnershipControls",
        "policy": "GetBucketPolicy",
        "policyStatus": "GetBucketPolicyStatus",
        "publicAccessBlock": "GetBucketPublicAccessBlock",
        "replication": "GetReplicationConfiguration",
        "requestPayment": "GetBucketRequestPayment",
        "tagging": "GetBucketTagging",
        "uploads": "ListBucketMultipartUploads",
        "versioning": "GetBucketVersioning",
        "versions": "ListBucketVersions",
        "website": "GetBucketWebsite",
    },
    "HEAD": {"": "ListBucket"},
    "PUT": {
        "": "CreateBucket",
        "accelerate": "PutAccelerateConfiguration",
        "acl": "PutBucketAcl",
        "cors": "PutBucketCORS",
        "encryption": "PutEncryptionConfiguration",
        "inventory": "PutInventoryConfiguration",
        "lifecycle": "PutLifecycleConfiguration",
        "logging": "PutBucketLogging",
        "metrics": "PutMetricsConfiguration",
        "notification": "PutBucketNotification",
        "object-lock": "PutBucketObjectLockConfiguration",
        "ownershipControls": "PutBucketOwnershipControls",
        "policy": "PutBucketPolicy",
        "publicAccessBlock": "PutBucketPublicAccessBlock",
        "replication": "PutReplicationConfiguration",
        "requestPayment": "PutBucketRequestPayment",
        "tagging": "PutBucketTagging",
        "versioning": "PutBucketVersioning",
        "website": "PutBucketWebsite",
    },
    "DELETE": {
        "": "DeleteBucket",
        "cors": "PutBucketCORS",
        "encryption": "PutEncryptionConfiguration",
        "inventory": "PutInventoryConfiguration",
        "lifecycle": "PutLifecycleConfiguration",
        "metrics": "PutMetricsConfiguration",
        "ownershipControls": "PutBucketOwnershipControls",
        "policy": "DeleteBucketPolicy",
        "publicAccessBlock": "PutBucketPublicAccessBlock",
        "replication": "PutReplicationConfiguration",
        "tagging": "PutBucketTagging",
        "website": "DeleteBucketWebsite",
    },
    "POST": {"delete": "DeleteObject"},
}

OBJECT: dict[str, dict[str, str]] = {
    "GET": {
        "": "GetObject",
        "acl": "GetObjectAcl",
        "attributes": "GetObjectAttributes",
        "legal-hold": "GetObjectLegalHold",
        "retention": "GetObjectRetention",
        "tagging": "GetObjectTagging",
        "uploadId": "ListMultipartUploadParts",
    },
    "HEAD": {"": "GetObject"},
    "PUT": {
        "": "PutObject",
        "acl": "PutObjectAcl",
        "legal-hold": "PutObjectLegalHold",
        "retention": "PutObjectRetention",
        "tagging": "PutObjectTagging",
        "uploadId": "PutObject",
    },
    "POST": {
        "restore": "RestoreObject",
        "select": "GetObject",
        "uploadId": "PutObject",
        "uploads": "PutObject",
    },
    "DELETE": {
        "": "DeleteObject",
        "tagging": "DeleteObjectTagging",
        "uploadId": "AbortMultipartUpload",
    },
}

OF_VERSIONS = frozenset(
    {
        "DeleteObject",
        "DeleteObjectTagging",
        "GetObject",
        "GetObjectAcl",
        "GetObjectAttributes",
        "GetObjectTagging",
        "PutObjectAcl",
        "PutObjectTagging",
    }
)
"""Actions that have another of their own (`…ObjectVersion…`) where a version id is given."""

PLAIN = frozenset(
    {
        "bucket-region",
        "continuation-token",
        "delimiter",
        "encoding-type",
        "fetch-owner",
        "id",
        "key-marker",
        "list-type",
        "marker",
        "max-buckets",
        "max-keys",
        "max-parts",
        "max-uploads",
        "part-number-marker",
        "partNumber",
        "prefix",
        "select-type",
        "start-after",
        "upload-id-marker",
        "version-id-marker",
        "versionId",
        "x-id",
    }
)
"""Parameters that name no sub-resource; so do those that begin with `response-` or `X-Amz-`."""


def action_of(method: str, query: dict[str, str], on_object: bool) -> str | None:
    """Return the action, without "s3:", or None where this is not known."""
    known = (OBJECT if on_object else BUCKET).get(method, {})
    named = [name for name in query if name not in PLAIN and not name.startswith(("response-", "X-Amz-"))]
    if len(named) > 1:
        return None
    return known.get(named[0] if named else "")


def of_version(action: str, version_id: str | None) -> str:
    """Return the action that a request with this version id asks for instead."""
    if version_id is None or action not in OF_VERSIONS:
        return action
    return action.replace("Object", "ObjectVersion", 1)
