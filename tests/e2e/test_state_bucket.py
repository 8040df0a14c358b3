"""The policy of the state bucket: nobody writes to its data lake without a condition, and runs go on."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud.faults import Fault
from seeder.lake import objects
from seeder.lake.registry import Registry
from tests.e2e.deployed import ACCOUNT, EUROPE, Deployed

FILES, REGISTRIES = "datasets/mine", "metastore/mine"
_numbers = itertools.count()


@pytest.fixture(params=["the owner", "a role that may do everything"])
def s3(request: pytest.FixtureRequest, deployed: Deployed) -> Any:
    if request.param == "the owner":
        return deployed.cloud.client("s3")
    iam = deployed.cloud.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    }
    may = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    name = f"writer-{next(_numbers)}"
    trusted, allowed = (json.dumps({"Version": "2012-10-17", "Statement": [item]}) for item in (trust, may))
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=allowed)
    given = deployed.cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy") as error:
        yield
    assert error.value.response["Error"]["Code"] == "AccessDenied"


def place(deployed: Deployed, folder: str) -> dict[str, str]:
    return {"Bucket": deployed.state_bucket, "Key": f"{folder}/{next(_numbers)} +,%.csv"}


def upload(s3: Any, at: dict[str, str], **condition: str) -> None:
    """Make an object of one part; give the upload up where it is refused."""
    begun = {**at, "UploadId": s3.create_multipart_upload(**at)["UploadId"]}
    part = s3.upload_part(**begun, PartNumber=1, Body=b"part")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    try:
        s3.complete_multipart_upload(**begun, MultipartUpload=parts, **condition)
    except ClientError:
        s3.abort_multipart_upload(**begun)
        raise


@pytest.mark.parametrize("folder", [FILES, REGISTRIES])
def test_nobody_writes_or_deletes_without_a_condition(deployed: Deployed, s3: Any, folder: str) -> None:
    at = place(deployed, folder)
    source = {"Bucket": deployed.bucket(keys=["source"]), "Key": "source"}
    for _ in range(2):
        with refused():
            s3.put_object(**at, Body=b"new")
        with refused():
            s3.copy_object(**at, CopySource=source)
        with refused():
            upload(s3, at)
        # Once more over an object that is there, then without it again.
        s3.put_object(**at, Body=b"first", IfNoneMatch="*")
        version = s3.head_object(**at)["VersionId"]
        with refused():
            s3.delete_object(**at)
        with refused():
            s3.delete_object(**at, VersionId=version)
        assert s3.get_object(**at)["Body"].read() == b"first"
        s3.delete_object(**at, IfMatch=s3.head_object(**at)["ETag"])


def test_many_are_not_deleted_at_once_without_conditions(deployed: Deployed, s3: Any) -> None:
    at = place(deployed, FILES)
    s3.put_object(**at, Body=b"kept", IfNoneMatch="*")
    told = s3.delete_objects(Bucket=at["Bucket"], Delete={"Objects": [{"Key": at["Key"]}]})
    assert [error["Code"] for error in told["Errors"]] == ["AccessDenied"]
    assert s3.get_object(**at)["Body"].read() == b"kept"


def test_whoever_gives_the_condition_writes(deployed: Deployed, s3: Any) -> None:
    source = {"Bucket": deployed.bucket(keys=["source"]), "Key": "source"}
    for folder in (FILES, REGISTRIES):
        s3.put_object(**place(deployed, folder), Body=b"new", IfNoneMatch="*")
        s3.copy_object(**place(deployed, folder), CopySource=source, IfNoneMatch="*")
        upload(s3, place(deployed, folder), IfNoneMatch="*")
    at = place(deployed, REGISTRIES)
    for write in (
        lambda **condition: s3.put_object(**at, Body=b"swapped", **condition),
        lambda **condition: s3.copy_object(**at, CopySource=source, **condition),
        lambda **condition: upload(s3, at, **condition),
    ):
        there = s3.list_objects_v2(Bucket=at["Bucket"], Prefix=at["Key"]).get("Contents", [])
        write(**({"IfMatch": there[0]["ETag"]} if there else {"IfNoneMatch": "*"}))


def test_files_are_not_even_replaced_by_who_read_them(deployed: Deployed, s3: Any) -> None:
    at = place(deployed, FILES)
    etag = s3.put_object(**at, Body=b"first", IfNoneMatch="*")["ETag"]
    with refused():
        s3.put_object(**at, Body=b"second", IfMatch=etag)
    with refused():
        upload(s3, at, IfMatch=etag)


def test_the_library_needs_no_exemption(deployed: Deployed, s3: Any) -> None:
    at, registry = place(deployed, FILES), place(deployed, REGISTRIES)
    written = objects.create(s3, at["Bucket"], at["Key"], b"1")
    objects.delete(s3, at["Bucket"], at["Key"], written.etag)
    for number in (1, 2):
        swapped = Registry(s3, registry["Bucket"], registry["Key"]).update(lambda body: body)
        assert swapped.revision == number


def test_elsewhere_all_is_as_before(deployed: Deployed, s3: Any) -> None:
    at = place(deployed, "runs/mine/reports/job-1")
    for body in (b"first", b"second"):
        s3.put_object(**at, Body=body)
    s3.delete_object(**at)


def test_a_run_that_fails_leaves_its_failures_where_all_is_written_once(deployed: Deployed) -> None:
    asked = {"source": deployed.bucket(keys=["a", "denied"]), "destination": deployed.bucket(EUROPE)}
    deployed.next_second()
    with deployed.faults(Fault(key_prefix="denied", status=403, code="AccessDenied")):
        ended = deployed.seed(asked)
    (address,) = deployed.record(ended["name"])["failure_files"]
    assert address.startswith(f"s3://{deployed.state_bucket}/datasets/seeding_failures/")
    assert b"AccessDenied" in deployed.read(address)
    keys = deployed.contents(deployed.state_bucket)
    mine = [key for key in keys if key.startswith("datasets/seeding_failures/") and ended["name"] in key]
    assert mine == [address.partition(f"{deployed.state_bucket}/")[2]]
