"""S3PutObjectCopy.

Contract: S3 User Guide, "Copy objects"; API reference, S3CopyObjectOperation and CopyObject.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from localcloud.batch_operations import store
from localcloud.batch_operations.operations.base import JobContext, Operation
from localcloud.batch_operations.task import Outcome, Task

TOO_LARGE = "The specified copy source is larger than the maximum allowable size for a copy source: {}"
_MAX_KEY = 1024

_SAME_NAME = (
    "StorageClass",
    "BucketKeyEnabled",
    "ChecksumAlgorithm",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "ObjectLockLegalHoldStatus",
)
_METADATA = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType")
_GRANTS = {
    "FULL_CONTROL": "GrantFullControl",
    "READ": "GrantRead",
    "READ_ACP": "GrantReadACP",
    "WRITE_ACP": "GrantWriteACP",
}


class CopyOperation(Operation):
    """Copies each object into one bucket with CopyObject, under the job role."""

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        self._target = self.parameters["TargetResource"].split(":::", 1)[1]
        self._s3 = self.session.s3(self._target)
        self._call = copy_parameters(self.parameters)
        prefix = self.parameters.get("TargetKeyPrefix")
        self._prefix = f"{prefix}{self.settings.target_prefix_separator}" if prefix else ""

    def perform(self, task: Task, key: str) -> Outcome:
        """Copy one object."""
        new_key = f"{self._prefix}{key}"
        source = store.version(task.bucket, key, task.version_id)
        refusal = (
            self._may_read(task, key, source)
            or self._unfit(task, key, source)
            or self._may_write(task, new_key, source)
        )
        if refusal:
            return refusal
        return self.copy(task, key)

    def copy(self, task: Task, key: str) -> Outcome:
        """Have S3 copy one object. Errors of botocore may pass."""
        copy_source = {"Bucket": task.bucket, "Key": key}
        if task.version_id is not None:
            copy_source["VersionId"] = task.version_id
        self._s3.copy_object(
            Bucket=self._target, Key=f"{self._prefix}{key}", CopySource=copy_source, **self._call
        )
        return Outcome(True, message=self.settings.copy_success_message)

    def _may_read(self, task: Task, key: str, source: Any | None) -> Outcome | None:
        suffix, extra = ("Version", {"s3:VersionId": task.version_id}) if task.version_id else ("", None)
        if not self.session.may_object(f"s3:GetObject{suffix}", task.bucket, key, extra):
            return self.denied()
        if source is None:
            bucket = f"arn:aws:s3:::{task.bucket}"
            return None if self.session.may("s3:ListBucket", bucket, task.bucket) else self.denied()
        if self._copies_tags(source) and not self.session.may_object(
            f"s3:GetObject{suffix}Tagging", task.bucket, key, extra
        ):
            return self.denied()
        with_bucket_key = str(source.bucket_key_enabled).lower() == "true"
        return self.key_refusal(
            "kms:Decrypt", store.kms_key_of(source), task.bucket, key, bucket_key=with_bucket_key
        )

    def _unfit(self, task: Task, key: str, source: Any | None) -> Outcome | None:
        if len(key.encode()) > _MAX_KEY or len(self._prefix.encode()) + len(key.encode()) > _MAX_KEY:
            return self.refused(400, "KeyTooLongError", "Your key is too long")
        if source is None:
            return self._missing(task, key)
        if source.size > self.settings.max_copy_bytes:
            return self.refused(400, "InvalidRequest", TOO_LARGE.format(self.settings.max_copy_bytes))
        written = source.last_modified.replace(tzinfo=UTC)
        since, until = (
            self.parameters.get(f"{name}Constraint") for name in ("ModifiedSince", "UnModifiedSince")
        )
        if (since and written <= _aware(since)) or (until and written > _aware(until)):
            return self.refused(
                412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"
            )
        return None

    def _missing(self, task: Task, key: str) -> Outcome:
        if store.bucket(task.bucket) is None:
            return self.refused(404, "NoSuchBucket", "The specified bucket does not exist")
        if task.version_id is None:
            return self.refused(404, "NoSuchKey", "The specified key does not exist.")
        if store.is_delete_marker(task.bucket, key, task.version_id):
            return self.refused(
                400,
                "InvalidRequest",
                "The source of a copy request may not specifically refer to a delete marker by version id.",
            )
        return self.refused(404, "NoSuchVersion", "The specified version does not exist.")

    def _may_write(self, task: Task, new_key: str, source: Any) -> Outcome | None:
        extra = {
            "s3:ObjectCreationOperation": "true",
            "s3:x-amz-copy-source": f"{task.bucket}/{new_key[len(self._prefix) :]}",
            "s3:x-amz-metadata-directive": self._call.get("MetadataDirective"),
            "s3:x-amz-storage-class": self._call.get("StorageClass"),
            "s3:x-amz-acl": self._call.get("ACL"),
            "s3:x-amz-server-side-encryption": self._call.get("ServerSideEncryption"),
            "s3:x-amz-server-side-encryption-aws-kms-key-id": self._call.get("SSEKMSKeyId"),
        }
        needed = ["s3:PutObject"]
        if self._call.get("Tagging") or self._copies_tags(source):
            needed.append("s3:PutObjectTagging")
        if "ACL" in self._call or any(name in self._call for name in _GRANTS.values()):
            needed.append("s3:PutObjectAcl")
        if all(self.session.may_object(action, self._target, new_key, extra) for action in needed):
            return self._may_encrypt(new_key)
        return self.denied()

    def _may_encrypt(self, new_key: str) -> Outcome | None:
        key_id = self._call.get("SSEKMSKeyId")
        if key_id is None and self._call.get("ServerSideEncryption") != "AES256":
            key_id = store.default_kms_key(self._target)
        with_bucket_key = bool(self._call.get("BucketKeyEnabled")) or store.uses_bucket_key(self._target)
        return self.key_refusal(
            "kms:GenerateDataKey", key_id, self._target, new_key, bucket_key=with_bucket_key
        )

    def _copies_tags(self, source: Any) -> bool:
        return "Tagging" not in self._call and bool(store.tags(source))


def copy_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the CopyObject parameters that a S3CopyObjectOperation stands for, without source and target."""
    call = {name: parameters[name] for name in _SAME_NAME if name in parameters}
    metadata = parameters.get("NewObjectMetadata") or {}
    call |= {name: metadata[name] for name in _METADATA if name in metadata}
    if "UserMetadata" in metadata:
        call["Metadata"] = metadata["UserMetadata"]
    if "HttpExpiresDate" in metadata:
        call["Expires"] = metadata["HttpExpiresDate"]
    replaces = any(name in call for name in (*_METADATA, "Metadata", "Expires"))
    call["MetadataDirective"] = parameters.get("MetadataDirective") or ("REPLACE" if replaces else "COPY")
    if "SSEAlgorithm" in metadata:
        call["ServerSideEncryption"] = "AES256" if metadata["SSEAlgorithm"] == "AES256" else "aws:kms"
    if "SSEAwsKmsKeyId" in parameters:
        call |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": parameters["SSEAwsKmsKeyId"]}
    if "NewObjectTagging" in parameters:
        pairs = {tag["Key"]: tag["Value"] for tag in parameters["NewObjectTagging"]}
        call |= {"TaggingDirective": "REPLACE", "Tagging": urlencode(pairs)}
    if "CannedAccessControlList" in parameters:
        call["ACL"] = parameters["CannedAccessControlList"]
    if "RedirectLocation" in parameters:
        call["WebsiteRedirectLocation"] = parameters["RedirectLocation"]
    if parameters.get("RequesterPays"):
        call["RequestPayer"] = "requester"
    return call | _grants(parameters.get("AccessControlGrants") or [])


def _grants(grants: list[dict[str, Any]]) -> dict[str, str]:
    headers: dict[str, list[str]] = {}
    for grant in grants:
        grantee = grant["Grantee"]
        header = headers.setdefault(_GRANTS[grant["Permission"]], [])
        header.append(f'{grantee["TypeIdentifier"]}="{grantee["Identifier"]}"')
    return {name: ",".join(values) for name, values in headers.items()}


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
