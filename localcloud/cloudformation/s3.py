"""AWS::S3::Bucket and AWS::S3::BucketPolicy."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from localcloud.aws import client
from localcloud.cloudformation.resource import Resource, if_there


class Bucket(Resource):
    """A bucket with its versioning, encryption, access block, ownership, lifecycle and tags."""

    resource_type = "AWS::S3::Bucket"
    name_property = "BucketName"
    honoured = frozenset(
        {
            "BucketEncryption",
            "BucketName",
            "LifecycleConfiguration",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
            "VersioningConfiguration",
        }
    )

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> Bucket:
        """Create the bucket, then put each configuration."""
        s3 = client("s3", region)
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **place)
        puts: dict[str, Callable[[Any], Any]] = {
            "VersioningConfiguration": lambda value: s3.put_bucket_versioning(
                Bucket=name, VersioningConfiguration=value
            ),
            "BucketEncryption": lambda value: s3.put_bucket_encryption(
                Bucket=name, ServerSideEncryptionConfiguration=_encryption(value)
            ),
            "PublicAccessBlockConfiguration": lambda value: s3.put_public_access_block(
                Bucket=name, PublicAccessBlockConfiguration=value
            ),
            "OwnershipControls": lambda value: s3.put_bucket_ownership_controls(
                Bucket=name, OwnershipControls=value
            ),
            "LifecycleConfiguration": lambda value: s3.put_bucket_lifecycle_configuration(
                Bucket=name, LifecycleConfiguration={"Rules": [_lifecycle(rule) for rule in value["Rules"]]}
            ),
            "Tags": lambda value: s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": value}),
        }
        for key, put in puts.items():
            if key in properties:
                put(properties[key])
        domain = f"{name}.s3.amazonaws.com"
        return cls(name, {"Arn": f"arn:aws:s3:::{name}", "DomainName": domain}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the bucket; S3 refuses one that is not empty."""
        client("s3", region).delete_bucket(Bucket=self.physical_resource_id)


class BucketPolicy(Resource):
    """The policy of a bucket."""

    resource_type = "AWS::S3::BucketPolicy"
    honoured = frozenset({"Bucket", "PolicyDocument"})

    @classmethod
    def create(cls, name: str, properties: dict[str, Any], region: str) -> BucketPolicy:
        """Put the policy."""
        bucket = properties["Bucket"]
        client("s3", region).put_bucket_policy(Bucket=bucket, Policy=json.dumps(properties["PolicyDocument"]))
        return cls(bucket, {}, region)

    def delete(self, account_id: str, region: str) -> None:
        """Remove the policy, if the bucket is there still."""
        with if_there("NoSuchBucket"):
            client("s3", region).delete_bucket_policy(Bucket=self.physical_resource_id)


def _encryption(value: dict[str, Any]) -> dict[str, Any]:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault" if key == "ServerSideEncryptionByDefault" else key: member
            for key, member in rule.items()
        }
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    return {"Rules": rules}


# CloudFormation's names for what the S3 API calls otherwise.
_LIFECYCLE = {
    "Id": "ID",
    "AbortIncompleteMultipartUpload": "AbortIncompleteMultipartUpload",
    "ExpirationInDays": "Expiration",
    "ExpiredObjectDeleteMarker": "Expiration",
    "NoncurrentVersionExpiration": "NoncurrentVersionExpiration",
    "Status": "Status",
}


def _lifecycle(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule as the API takes it; the template's has its filter's parts as members of its own."""
    answer: dict[str, Any] = {"Filter": _lifecycle_filter(rule.get("Prefix", ""), rule.get("TagFilters", []))}
    for key, value in rule.items():
        if key == "ExpirationInDays":
            answer[_LIFECYCLE[key]] = {"Days": int(value)}
        elif key == "ExpiredObjectDeleteMarker":
            answer[_LIFECYCLE[key]] = {key: value}
        elif key not in {"Prefix", "TagFilters"}:
            answer[_LIFECYCLE[key]] = value
    return answer


def _lifecycle_filter(prefix: str, tags: list[Any]) -> dict[str, Any]:
    if not tags:
        return {"Prefix": prefix}
    if len(tags) == 1 and not prefix:
        return {"Tag": tags[0]}
    return {"And": {"Tags": tags} | ({"Prefix": prefix} if prefix else {})}
