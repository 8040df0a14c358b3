from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

import localcloud.batch_operations as batch
from localcloud.batch_operations import Settings
from tests.unit.localcloud.batch_world import (
    ACCOUNT,
    CSV,
    INVENTORY,
    World,
    careless_client,
    copy_to,
    report,
    world,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ARN = "arn:aws:s3:::ops/manifest.csv"
GENERATOR = {"SourceBucket": "arn:aws:s3:::src", "EnableManifestOutput": False}


@pytest.fixture(scope="module")
def cloud() -> Iterator[World]:
    with world() as made:
        yield made


def generator(**changes: Any) -> dict[str, Any]:
    return {"ManifestGenerator": {"S3JobManifestGenerator": {**GENERATOR, **changes}}, "Manifest": None}


def manifest(
    fields: Any = ("Bucket", "Key"), kind: str = CSV, arn: str = ARN, etag: str = "abc"
) -> dict[str, Any]:
    spec = {"Format": kind} if fields is None else {"Format": kind, "Fields": list(fields)}
    return {"Manifest": {"Spec": spec, "Location": {"ObjectArn": arn, "ETag": etag}}}


def operation(name: str, **parameters: Any) -> dict[str, Any]:
    return {"Operation": {name: parameters}}


def without_bucket_owner(name: str, **parameters: Any) -> dict[str, Any]:
    return {**operation(name, **parameters), "Report": report()}


NOT_NULL = "Value null at '{}' failed to satisfy constraint: Member must not be null"

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("Operation is required", {"Operation": None}, NOT_NULL.format("Operation")),
    ("Report is required", {"Report": None}, NOT_NULL.format("Report")),
    ("Priority is required", {"Priority": None}, NOT_NULL.format("Priority")),
    ("RoleArn is required", {"RoleArn": None}, NOT_NULL.format("RoleArn")),
    ("Report.Enabled is required", {"Report": {"Prefix": "p"}}, NOT_NULL.format("Report.Enabled")),
    ("priority is at least 0", {"Priority": -1}, "'Priority' failed"),
    ("priority is at most 2147483647", {"Priority": 2147483648}, "less than or equal to 2147483647"),
    ("priority is a number", {"Priority": "high"}, "The request is malformed"),
    ("token has at least 1 character", {"ClientRequestToken": ""}, "'ClientRequestToken' failed"),
    ("token has at most 64 characters", {"ClientRequestToken": "t" * 65}, "less than or equal to 64"),
    ("description has at least 1 character", {"Description": ""}, "'Description' failed"),
    ("description has at most 256 characters", {"Description": "d" * 257}, "less than or equal to 256"),
    ("role is a role's ARN", {"RoleArn": "arn:aws:iam::123456789012:user/me"}, "regular expression"),
    (
        "role is of the same account",
        {"RoleArn": "arn:aws:iam::999999999999:role/r"},
        "Cross-account pass role",
    ),
    ("at most 50 tags", {"Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(51)]}, "at most 50 tags"),
    ("tag key has at most 128 characters", {"Tags": [{"Key": "k" * 129, "Value": ""}]}, "equal to 128"),
    ("tag value has at most 256 characters", {"Tags": [{"Key": "k", "Value": "v" * 257}]}, "equal to 256"),
    ("tags have no odd characters", {"Tags": [{"Key": "a;b", "Value": ""}]}, "regular expression"),
    ("manifest or generator", {"Manifest": None}, "Exactly one of Manifest and ManifestGenerator"),
    ("not both", {**generator(), **manifest()}, "Exactly one of Manifest and ManifestGenerator"),
    ("manifest format is known", manifest(kind="S3InventoryReport_CSV_20211130"), "enum value set"),
    ("manifest fields are known", manifest(("Bucket", "Size")), "enum value set"),
    ("CSV manifest needs fields", manifest(None), "Manifest.Spec.Fields is required"),
    ("inventory has no fields", manifest(("Bucket",), INVENTORY), "Manifest.Spec.Fields is not allowed"),
    ("manifest ARN has a key", manifest(arn="arn:aws:s3:::ops"), "is not the ARN of an S3 object"),
    ("manifest ARN is one of S3", manifest(arn="arn:aws:sqs:::ops/m"), "regular expression"),
    ("manifest ARN is at most 2000 long", manifest(arn="arn:aws:s3:::o/" + "k" * 2000), "equal to 2000"),
    ("manifest ETag is not empty", manifest(etag=""), "'Manifest.Location.ETag' failed"),
    ("one operation", {"Operation": {**copy_to("dst"), "S3ReplicateObject": {}}}, "Exactly one operation"),
    ("some operation", {"Operation": {}}, "Exactly one operation"),
    ("copy needs a target", operation("S3PutObjectCopy"), "TargetResource is required"),
    (
        "target is a bucket",
        operation("S3PutObjectCopy", TargetResource="arn:aws:s3:::b/k"),
        "general purpose",
    ),
    ("storage class is known", {"Operation": copy_to("dst", StorageClass="FAST")}, "enum value set"),
    ("target prefix is not empty", {"Operation": copy_to("dst", TargetKeyPrefix="")}, "'Operation.S3PutObj"),
    (
        "annotations are not copied",
        {"Operation": copy_to("dst", AnnotationDirective="COPY")},
        "not supported",
    ),
    ("grants are whole", {"Operation": copy_to("dst", AccessControlGrants=[{}])}, "AccessControlGrants"),
    ("report format is known", {"Report": report(Format="Report_CSV_2030")}, "enum value set"),
    ("report scope is known", {"Report": report(ReportScope="Some")}, "enum value set"),
    ("report prefix is not empty", {"Report": report(Prefix="")}, "'Report.Prefix' failed"),
    ("report prefix is at most 512 long", {"Report": report(Prefix="p" * 513)}, "equal to 512"),
    ("report bucket is an ARN", {"Report": report(Bucket="ops")}, "regular expression"),
    ("report owner is an account", {"Report": report(ExpectedBucketOwner="me")}, "regular expression"),
    ("enabled report is whole", {"Report": {"Enabled": True}}, "needs Bucket, Format, ReportScope"),
    ("function is required", operation("LambdaInvoke"), "FunctionArn is required"),
    (
        "schema is 1.0 or 2.0",
        operation("LambdaInvoke", FunctionArn="f", InvocationSchemaVersion="3.0"),
        "1.0 or 2.0",
    ),
    (
        "arguments need schema 2.0",
        operation("LambdaInvoke", FunctionArn="f", UserArguments={"a": "b"}),
        "2.0",
    ),
    (
        "at most 10 arguments",
        operation(
            "LambdaInvoke",
            FunctionArn="f",
            InvocationSchemaVersion="2.0",
            UserArguments={str(n): "v" for n in range(11)},
        ),
        "equal to 10",
    ),
    ("checksum needs an owner", without_bucket_owner("S3ComputeObjectChecksum"), "ExpectedBucketOwner"),
    (
        "generator is whole",
        {"ManifestGenerator": {}, "Manifest": None},
        "must hold an S3JobManifestGenerator",
    ),
    ("generator's output has a place", generator(EnableManifestOutput=True), "ManifestOutputLocation is req"),
    ("generator's source is a bucket", generator(SourceBucket="arn:aws:s3:::b/k"), "general purpose"),
    (
        "one prefix",
        generator(Filter={"KeyNameConstraint": {"MatchAnyPrefix": ["a", "b"]}}),
        "MatchAnyPrefix takes one string",
    ),
    ("statuses but PENDING", generator(Filter={"ObjectReplicationStatuses": ["PENDING"]}), "enum value set"),
    (
        "one encryption",
        generator(Filter={"MatchAnyObjectEncryption": [{"SSES3": {}}, {"SSEC": {}}]}),
        "equal to 1",
    ),
]

NOT_SUPPORTED = [
    ("S3PutObjectTagging", {"TagSet": []}),
    ("S3DeleteObjectTagging", {}),
    ("S3PutObjectAcl", {}),
    ("S3PutObjectLegalHold", {"LegalHold": {"Status": "ON"}}),
    ("S3PutObjectRetention", {"Retention": {}}),
    ("S3UpdateObjectEncryption", {}),
]


def refusal(cloud: World, changes: dict[str, Any]) -> Any:
    request = cloud.request(**{**manifest(), **changes})
    with pytest.raises(ClientError) as caught:
        careless_client().create_job(**request)
    return caught.value.response


@pytest.mark.parametrize(("rule", "changes", "message"), REFUSED, ids=[each[0] for each in REFUSED])
def test_create_job_refuses_with_a_bad_request(
    cloud: World, rule: str, changes: dict[str, Any], message: str
) -> None:
    answer = refusal(cloud, changes)
    assert answer["Error"]["Code"] == "BadRequestException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert message in answer["Error"]["Message"]


@pytest.mark.parametrize(("name", "parameters"), NOT_SUPPORTED)
def test_other_operations_are_not_supported_by_the_local_cloud(
    cloud: World, name: str, parameters: dict[str, Any]
) -> None:
    answer = refusal(cloud, operation(name, **parameters))
    assert answer["Error"]["Message"] == f"The operation {name} is not supported by the local cloud"


@pytest.mark.parametrize(
    "parameters", [{"ChecksumAlgorithm": "XXHASH3"}, {"ChecksumType": "COMPOSITE"}], ids=str
)
def test_what_is_missing_of_checksums_is_not_supported(cloud: World, parameters: dict[str, Any]) -> None:
    changes = {
        **operation("S3ComputeObjectChecksum", **parameters),
        "Report": report(ExpectedBucketOwner=ACCOUNT),
    }
    assert "not supported by the local cloud" in refusal(cloud, changes)["Error"]["Message"]


def test_every_problem_of_a_request_is_named_at_once(cloud: World) -> None:
    answer = refusal(cloud, {"Priority": -1, "RoleArn": "me"})
    assert answer["Error"]["Message"].startswith("2 validation errors detected: ")


def test_a_request_that_is_not_xml_is_refused(cloud: World) -> None:
    def spoil(params: dict[str, Any], **_: Any) -> None:
        params["body"] = b"<CreateJobRequest>"

    control = careless_client("eu-north-1")
    control.meta.events.register("before-call.s3-control.CreateJob", spoil)
    with pytest.raises(control.exceptions.BadRequestException, match="malformed"):
        control.create_job(**cloud.request(**manifest()))


def test_another_account_than_the_callers_is_denied(cloud: World) -> None:
    with pytest.raises(ClientError) as caught:
        cloud.control.describe_job(AccountId="999999999999", JobId="12345")
    assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_the_code_of_refused_requests_is_a_setting(cloud: World) -> None:
    batch.configure(Settings(invalid_request_code="InvalidRequest"))
    try:
        assert refusal(cloud, {"Priority": -1})["Error"]["Code"] == "InvalidRequest"
    finally:
        batch.configure(Settings())


def test_the_same_token_with_the_same_parameters_is_the_same_job(cloud: World) -> None:
    first = cloud.create(cloud.manifest("src,a\n"), ClientRequestToken="once")
    again = cloud.create(cloud.manifest("src,a\n"), ClientRequestToken="once")
    assert first == again


def test_the_same_token_with_other_parameters_is_refused(cloud: World) -> None:
    cloud.create(cloud.manifest("src,a\n"), ClientRequestToken="mine")
    with pytest.raises(cloud.control.exceptions.IdempotencyException):
        cloud.create(cloud.manifest("src,a\n"), ClientRequestToken="mine", Priority=11)
