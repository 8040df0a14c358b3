"""Whether the state bucket is as the template makes it: private, TLS only, versioned, encrypted, tidied up.

Contracts: S3 User Guide, "Blocking public access", "Managing the lifecycle of objects", "Tracking job status and
completion reports" (no report is written where Object Lock has a default retention) and "Create an S3 Batch Operations
job" (no CSV manifest encrypted by KMS; seeder's own are written with SSE-S3 whatever the bucket's default).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from seeder_cli.checks.aws import Aws
from seeder_cli.checks.bucket import Bucket
from seeder_cli.checks.deployment import DEPLOY
from seeder_cli.checks.documents import listed, statements
from seeder_cli.checks.finding import Check, Verdict, miss, ok, present

GROUP = "State bucket"
TEMPORARY = {"Key": "seeder", "Value": "temporary"}
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_AGAIN = f"put it back as template.yaml has it ({DEPLOY}; what was changed by hand, by hand)"


def state_bucket_checks(aws: Aws, bucket: Bucket) -> Iterator[Check]:
    """Yield the checks of the settings of a state bucket that exists."""
    for name, look in (
        ("region", partial(same_region, aws)),
        ("private", private),
        ("tls-only", tls_only),
        ("versioned", versioned),
        ("encrypted", encrypted),
        ("no-retention", no_retention),
        ("temporary-objects", temporary_objects),
        ("unfinished-uploads", unfinished_uploads),
    ):
        yield Check(GROUP, name, partial(look, bucket))


def same_region(aws: Aws, bucket: Bucket) -> Verdict:
    """Whether the bucket is where the stack is."""
    if bucket.region != aws.region:
        return miss(f"{bucket.name} is in {bucket.region}, the stack in {aws.region}", DEPLOY)
    return ok(f"{bucket.name} is in {bucket.region}")


def private(bucket: Bucket) -> Verdict:
    """Whether all public access is blocked."""
    answer = present(
        lambda: bucket.s3.get_public_access_block(**bucket.place), "NoSuchPublicAccessBlockConfiguration"
    )
    blocks = answer["PublicAccessBlockConfiguration"] if answer else {}
    off = [name for name in _BLOCKS if not blocks.get(name)]
    if off:
        return miss(
            f"public access is not blocked: {', '.join(off)}",
            f"run: aws s3api put-public-access-block --bucket {bucket.name} --public-access-block-configuration "
            + ",".join(f"{name}=true" for name in _BLOCKS),
        )
    return ok("all public access is blocked")


def tls_only(bucket: Bucket) -> Verdict:
    """Whether the policy refuses everybody without TLS, for the bucket and its objects."""
    refused = {
        resource
        for statement in statements(bucket.policy())
        if _refuses_plain_http(statement)
        for resource in listed(statement.get("Resource"))
    }
    for resource in (bucket.name, f"{bucket.name}/*"):
        if not any(item == "*" or item.rpartition(":::")[2] == resource for item in refused):
            return miss(f"the bucket policy does not refuse calls without TLS to {resource}", _AGAIN)
    return ok("calls without TLS are refused")


def _refuses_plain_http(statement: dict[str, Any]) -> bool:
    condition = statement.get("Condition", {})
    secure = {key.lower(): value for key, value in condition.get("Bool", {}).items()}
    everybody = statement.get("Principal") == "*" or "*" in listed(
        (statement.get("Principal") or {}).get("AWS")
    )
    return (
        statement["Effect"] == "Deny"
        and everybody
        and bool({"s3:*", "*"} & set(listed(statement.get("Action"))))
        and set(condition) == {"Bool"}
        and [str(item).lower() for item in listed(secure.get("aws:securetransport"))] == ["false"]
        and len(secure) == 1
    )


def versioned(bucket: Bucket) -> Verdict:
    """Whether what is overwritten can be had back."""
    state = bucket.versioning()
    if state != "Enabled":
        return miss(
            f"versioning is {state or 'off'}",
            f"run: aws s3api put-bucket-versioning --bucket {bucket.name} --versioning-configuration Status=Enabled",
        )
    return ok("versioning is Enabled")


def encrypted(bucket: Bucket) -> Verdict:
    """Whether what is written is encrypted by default."""
    encryption = bucket.encryption()
    if not encryption.algorithm:
        return miss("no default encryption is set", _AGAIN)
    if encryption.is_kms:
        return miss(
            f"the default encryption is {encryption.algorithm}, by a key that the functions' roles may not use",
            "set it to SSE-S3 (AES256), as template.yaml has it",
        )
    return ok(f"objects are encrypted by default ({encryption.algorithm})")


def no_retention(bucket: Bucket) -> Verdict:
    """Whether S3 can write completion reports to the bucket."""
    lock = bucket.lock()
    if lock.get("Rule", {}).get("DefaultRetention"):
        return miss(
            "Object Lock has a default retention, with which S3 writes no completion reports",
            f"remove it: aws s3api put-object-lock-configuration --bucket {bucket.name} "
            "--object-lock-configuration ObjectLockEnabled=Enabled; or let runs have "
            'report_location "source" or "destination"',
        )
    return ok("no default retention keeps reports out")


def temporary_objects(bucket: Bucket) -> Verdict:
    """Whether objects tagged seeder=temporary expire."""
    if any(_expires_temporary(rule) for rule in _lifecycle(bucket)):
        return ok("temporary objects expire")
    return miss("no lifecycle rule expires the objects tagged seeder=temporary", _AGAIN)


def unfinished_uploads(bucket: Bucket) -> Verdict:
    """Whether uploads that nobody finishes are given up."""
    if any("AbortIncompleteMultipartUpload" in rule and _is_for_all(rule) for rule in _lifecycle(bucket)):
        return ok("unfinished uploads are given up")
    return miss("no lifecycle rule gives up unfinished uploads of the whole bucket", _AGAIN)


def _lifecycle(bucket: Bucket) -> list[dict[str, Any]]:
    answer = present(
        lambda: bucket.s3.get_bucket_lifecycle_configuration(**bucket.place), "NoSuchLifecycleConfiguration"
    )
    return [rule for rule in (answer or {}).get("Rules", []) if rule["Status"] == "Enabled"]


def _expires_temporary(rule: dict[str, Any]) -> bool:
    return "Days" in rule.get("Expiration", {}) and (
        rule.get("Filter", {}).get("Tag") == TEMPORARY or _is_for_all(rule)
    )


def _is_for_all(rule: dict[str, Any]) -> bool:
    return not rule.get("Prefix") and rule.get("Filter", {}) in ({}, {"Prefix": ""})
