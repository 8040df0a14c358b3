"""S3 itself refuses who writes to the lake without a condition, whatever library they use.

python examples/policy_enforcement.py BUCKET      puts a policy on a bucket that has none
"""
# ruff: noqa: T201 - what an example does it says

from __future__ import annotations

import json
import sys
from typing import Any

import boto3
from botocore.exceptions import ClientError

from seeder.lake import Lake
from seeder.lake.policies import Rules, bucket_arn, merged, statements

KEY = "datasets/customer_profiles/year=2024/month=01/day=01/profile_data_001.csv"
REGISTRY = "metastore/dataset_registry.json"


def attempt(what: str, call: Any, **given: Any) -> bool:
    """Make a call, and say what S3 answered."""
    try:
        call(**given)
    except ClientError as error:
        print(f"{what}: {error.response['Error']['Code']}")
        return False
    print(f"{what}: done")
    return True


def main(s3: Any, bucket: str) -> list[bool]:
    """Write without conditions, then with them; return which calls were let through."""
    policy = merged({}, statements(bucket_arn(bucket), Rules()))
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    file, registry = {"Bucket": bucket, "Key": KEY}, {"Bucket": bucket, "Key": REGISTRY}
    let_through = [
        attempt("a file, with no condition", s3.put_object, **file, Body=b"id\n1\n"),
        attempt("a file, if there is none", s3.put_object, **file, Body=b"id\n1\n", IfNoneMatch="*"),
        attempt("the file again, with no condition", s3.put_object, **file, Body=b"id\n2\n"),
        attempt("the registry, with no condition", s3.put_object, **registry, Body=b"{}"),
        attempt("a scratch file elsewhere", s3.put_object, Bucket=bucket, Key="scratch/1", Body=b"1"),
    ]
    day = {"year": "2024", "month": "01", "day": "01"}
    Lake(s3, bucket).add_file("customer_profiles", day, "profile_data_001.csv", b"id\n1\n", 1)
    print("the library, which names its conditions: done")
    return let_through


if __name__ == "__main__":
    main(boto3.client("s3"), sys.argv[1])
