"""A small AWS with S3 Batch Operations, for tests. Every request and answer is checked against botocore's model."""

from __future__ import annotations

import csv
import io
import json
import uuid
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.validate import ParamValidator
from moto import mock_aws

import localcloud.batch_operations as batch
from localcloud import caches
from localcloud.batch_operations.shapes import problems
from localcloud.patching import Patches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localcloud.batch_operations.settings import Settings

ACCOUNT = "123456789012"
REGION = "us-east-1"
CSV = "S3BatchOperations_CSV_20180820"
INVENTORY = "S3InventoryReport_CSV_20161130"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "batchoperations.s3.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@cache
def client(service: str, region: str = REGION) -> Any:
    """Return a client; that of S3 Control asserts that requests and answers fit botocore's model."""
    made = boto3.client(
        service,  # type: ignore[call-overload]
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    made.meta.events.register("provide-client-params.s3-control", _request_fits)
    made.meta.events.register("after-call.s3-control", _answer_fits)
    return made


@cache
def careless_client(region: str = REGION) -> Any:
    """Return an S3 Control client that sends whatever it is given."""
    return boto3.client(
        "s3control",
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )


def _request_fits(params: dict[str, Any], model: Any, **_: Any) -> None:
    sent = {"ClientRequestToken": "filled in", **params} if model.name == "CreateJob" else params
    assert list(problems(model.input_shape, sent)) == []


def _answer_fits(parsed: dict[str, Any], model: Any, **_: Any) -> None:
    if "Error" in parsed:
        modelled = {shape.name for shape in model.error_shapes} | {"AccessDenied", "SlowDown"}
        assert parsed["Error"]["Code"] in modelled
        return
    answer = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    assert ParamValidator().validate(answer, model.output_shape).generate_report() == ""
    assert list(problems(model.output_shape, answer)) == []


class World:
    """Buckets `src`, `dst` and `ops` (manifests, reports) in one region, and a job role that may do anything."""

    def __init__(self, region: str = REGION) -> None:
        self.region = region
        self.s3 = client("s3", region)
        self.control = client("s3control", region)
        for name in ("src", "dst", "ops"):
            self.bucket(name)
        self.role = self.make_role("job", allow("s3:*", "lambda:*", "kms:*"))

    def bucket(self, name: str, region: str | None = None, versioned: bool = False) -> None:
        """Make a bucket."""
        place = region or self.region
        where = {} if place == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": place}}
        client("s3", place).create_bucket(Bucket=name, **where)
        if versioned:
            self.version(name)

    def version(self, *names: str) -> None:
        """Enable versioning."""
        for name in names:
            self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

    def make_role(
        self, name: str, *statements: dict[str, Any], trust: Any = TRUST, boundary: str | None = None
    ) -> str:
        """Make a role with one inline policy; return its ARN."""
        limit = {"PermissionsBoundary": boundary} if boundary else {}
        made = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), **limit)
        if statements:
            client("iam").put_role_policy(
                RoleName=name, PolicyName="inline", PolicyDocument=document(*statements)
            )
        return str(made["Role"]["Arn"])

    def put(self, key: str, body: bytes = b"content", bucket: str = "src", **fields: Any) -> dict[str, Any]:
        """Write an object."""
        answer: dict[str, Any] = self.s3.put_object(Bucket=bucket, Key=key, Body=body, **fields)
        return answer

    def read(self, key: str, bucket: str = "dst") -> bytes:
        """Return an object's bytes."""
        return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def keys(self, bucket: str = "dst", prefix: str = "") -> list[str]:
        """Return the keys of a bucket."""
        listed = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def manifest(
        self, body: str | bytes, fields: Sequence[str] = ("Bucket", "Key"), **put: Any
    ) -> dict[str, Any]:
        """Write a CSV manifest; return it as CreateJob takes it."""
        raw = body.encode() if isinstance(body, str) else body
        etag = self.put("manifest.csv", raw, "ops", **put)["ETag"]
        return {
            "Spec": {"Format": CSV, "Fields": list(fields)},
            "Location": {"ObjectArn": "arn:aws:s3:::ops/manifest.csv", "ETag": etag},
        }

    def request(self, manifest: Any = None, operation: Any = None, **changes: Any) -> dict[str, Any]:
        """Return a valid CreateJob request with some fields changed; None leaves a field out."""
        whole = {
            "AccountId": ACCOUNT,
            "ConfirmationRequired": False,
            "Operation": operation or copy_to("dst"),
            "Report": report(),
            "ClientRequestToken": str(uuid.uuid4()),
            "Manifest": manifest,
            "Priority": 10,
            "RoleArn": self.role,
            **changes,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def create(self, manifest: Any = None, operation: Any = None, **changes: Any) -> str:
        """Create a job; return its id."""
        made = self.control.create_job(**self.request(manifest, operation, **changes))
        return str(made["JobId"])

    def describe(self, job_id: str) -> dict[str, Any]:
        """Return DescribeJob's Job."""
        answer: dict[str, Any] = self.control.describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"]
        return answer

    def run(self, manifest: Any = None, operation: Any = None, **changes: Any) -> dict[str, Any]:
        """Create a job, let it end, return it described."""
        job_id = self.create(manifest, operation, **changes)
        batch.wait_for_idle(20)
        return self.describe(job_id)

    def rows(self, job: dict[str, Any]) -> list[list[str]]:
        """Return the rows of a job's report."""
        return [row for text in self.results(job).values() for row in csv.reader(io.StringIO(text))]

    def results(self, job: dict[str, Any]) -> dict[str, str]:
        """Return the result files of a job's report, by TaskExecutionStatus."""
        prefix = job["Report"].get("Prefix")
        key = f"{prefix}/job-{job['JobId']}/manifest.json" if prefix else f"job-{job['JobId']}/manifest.json"
        results = json.loads(self.read(key, "ops"))["Results"]
        return {each["TaskExecutionStatus"]: self.read(each["Key"], "ops").decode() for each in results}

    def update(self, job_id: str, status: str, **fields: Any) -> str:
        """Call UpdateJobStatus; return the status it answers."""
        answer = self.control.update_job_status(
            AccountId=ACCOUNT, JobId=job_id, RequestedJobStatus=status, **fields
        )
        return str(answer["Status"])


@contextmanager
def world(settings: Settings | None = None, region: str = REGION) -> Iterator[World]:
    """Run the block in a new world with these settings; every job has ended afterwards."""
    batch.configure(settings or batch.Settings())
    patches = Patches()
    with mock_aws():
        caches.install(patches)
        try:
            yield World(region)
        finally:
            batch.stop_all()
            patches.undo()
            batch.configure(batch.Settings())


def copy_to(bucket: str, **parameters: Any) -> dict[str, Any]:
    """Return the operation that copies to a bucket."""
    return {"S3PutObjectCopy": {"TargetResource": f"arn:aws:s3:::{bucket}", **parameters}}


def report(**changes: Any) -> dict[str, Any]:
    """Return a report of all tasks."""
    return {
        "Bucket": "arn:aws:s3:::ops",
        "Format": "Report_CSV_20180820",
        "Enabled": True,
        "ReportScope": "AllTasks",
        "Prefix": "reports",
        **changes,
    }


def allow(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """Return an Allow statement."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def deny(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """Return a Deny statement."""
    return {**allow(*actions, resource=resource), "Effect": "Deny", **more}


def document(*statements: dict[str, Any]) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def failure(job: dict[str, Any]) -> tuple[str, str]:
    """Return the code and reason of a failed job's only failure."""
    assert job["Status"] == "Failed"
    (only,) = job["FailureReasons"]
    return only["FailureCode"], only["FailureReason"]
