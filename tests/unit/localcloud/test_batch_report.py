"""The captured reports of facts about AWS: each is made again by the job that made it, byte for byte."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from localcloud import replication
from localcloud.batch_operations import PretendDataPlane, Settings
from localcloud.batch_operations.task import Outcome, Task
from localcloud.clock import ManualClock
from tests.unit.localcloud.batch_world import World, allow, client, deny, document, failure, report, world

if TYPE_CHECKING:
    from collections.abc import Iterator

CREATED = datetime(2026, 8, 27, 9, 49, 46, 474712, tzinfo=UTC)
VERSIONED = ("Bucket", "Key", "VersionId")


@pytest.fixture
def cloud() -> Iterator[World]:
    with world(Settings(clock=ManualClock(CREATED))) as made:
        made.put("a")
        yield made


def replicated(
    bucket: str, key: str, version: str, error: replication.ReplicationFailure | None = None
) -> dict[str, str]:
    def replicate(*_: Any) -> None:
        if error:
            raise error

    with world(Settings(replicate=replicate)) as cloud:
        cloud.bucket(bucket)
        manifest = cloud.manifest(f"{bucket},{key},{version}\n", VERSIONED)
        return cloud.results(cloud.run(manifest, {"S3ReplicateObject": {}}))


def test_the_report_of_a_replicated_null_version() -> None:
    files = replicated("example-source-bucket", "null-a.txt", "null")
    assert files == {"succeeded": "example-source-bucket,null-a.txt,null,succeeded,200,,success\r\n"}


def test_the_report_of_an_archived_object() -> None:
    version = "MPJOm_.lSga3Ql8P4u3oHCfdi3qsWvEJ"
    error = replication.ReplicationFailure("SrcObjectNotEligible")
    files = replicated("amzn-s3-demo-source", "archived.txt", version, error)
    assert files["failed"] == (
        f"amzn-s3-demo-source,archived.txt,{version},failed,500,SrcObjectNotEligible,"
        "Object is not eligible for replication\r\n"
    )


def test_the_report_of_an_empty_version_id() -> None:
    files = replicated("example-source-bucket", "verify-test/null-version-req2.txt", "")
    assert files["failed"] == (
        r"example-source-bucket,verify-test/null-version-req2.txt,\N,failed,500,SrcObjectNotFound,"
        "Object versionID is invalid\r\n"
    )


def test_the_report_of_a_literal_percent_echoes_the_manifests_encoding() -> None:
    files = replicated("example-source-bucket", "pct%2520literal.txt", "null")
    expected = "example-source-bucket,pct%2520literal.txt,null,succeeded,200,,success\r\n"
    assert files["succeeded"] == expected


def test_the_report_of_an_object_over_5_gib() -> None:
    with world(Settings(max_copy_bytes=3)) as cloud:
        cloud.put("Some-file-name", b"four")
        text = cloud.results(cloud.run(cloud.manifest("src,Some-file-name\n")))["failed"]
    ids = re.sub(r"Request ID: [^;]+;", "Request ID: …;", text)
    assert ids == (
        "src,Some-file-name,,failed,400,InvalidRequest,The specified copy source is larger than the maximum "
        "allowable size for a copy source: 3 (Service: Amazon S3; Status Code: 400; Error Code: "
        "InvalidRequest; Request ID: …; S3 Extended Request ID: …; Proxy: null)\r\n"
    )


def test_the_manifest_of_a_report_is_laid_out_as_captured(cloud: World) -> None:
    prefix = "completion-reports/nulltest/"
    job = cloud.run(cloud.manifest("src,a\n"), Report=report(Prefix=prefix))
    root = f"{prefix}/job-{job['JobId']}"
    csv_key = next(key for key in cloud.keys("ops", root) if key.endswith(".csv"))
    digest = hashlib.md5(cloud.read(csv_key, "ops")).hexdigest()

    assert re.fullmatch(rf"{root}/results/[0-9a-f]{{40}}\.csv", csv_key)
    assert cloud.read(f"{root}/manifest.json", "ops").decode() == (
        "{\n"
        '  "Format": "Report_CSV_20180820",\n'
        '  "ReportCreationDate": "2026-08-27T09:49:46.474712000Z",\n'
        '  "Results": [\n'
        "    {\n"
        '      "TaskExecutionStatus": "succeeded",\n'
        '      "Bucket": "ops",\n'
        f'      "MD5Checksum": "{digest}",\n'
        f'      "Key": "{csv_key}"\n'
        "    }\n"
        "  ],\n"
        '  "ReportSchema": "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"\n'
        "}"
    )


def test_beside_the_manifest_lies_its_md5(cloud: World) -> None:
    job = cloud.run(cloud.manifest("src,a\n"))
    root = f"reports/job-{job['JobId']}"
    digest = hashlib.md5(cloud.read(f"{root}/manifest.json", "ops")).hexdigest()
    assert cloud.read(f"{root}/manifest.json.md5", "ops").decode() == digest


def test_succeeded_and_failed_rows_lie_in_separate_files_with_crlf_and_no_header(cloud: World) -> None:
    files = cloud.results(cloud.run(cloud.manifest("src,a\nsrc,none\nsrc,a\n")))
    assert files["succeeded"] == "src,a,,succeeded,200,,Successful\r\n" * 2
    assert files["failed"].startswith("src,none,,failed,404,NoSuchKey,")
    assert files["failed"].endswith("\r\n")


def test_a_status_without_rows_has_no_file(cloud: World) -> None:
    assert list(cloud.results(cloud.run(cloud.manifest("src,a\n")))) == ["succeeded"]


def test_error_code_and_status_stand_swapped_against_the_schema(cloud: World) -> None:
    row = cloud.rows(cloud.run(cloud.manifest("src,none\n")))[0]
    assert row[4:6] == ["404", "NoSuchKey"]


def test_without_a_prefix_the_report_lies_at_the_root(cloud: World) -> None:
    whole = report()
    del whole["Prefix"]
    job = cloud.run(cloud.manifest("src,a\n"), Report=whole)
    assert f"job-{job['JobId']}/manifest.json" in cloud.keys("ops")


@pytest.mark.parametrize("prefix", ["ends/", "plain", "a//b", "ünï code"])
def test_a_prefix_is_concatenated_as_it_is(cloud: World, prefix: str) -> None:
    job = cloud.run(cloud.manifest("src,a\n"), Report=report(Prefix=prefix))
    assert f"{prefix}/job-{job['JobId']}/manifest.json" in cloud.keys("ops")


def test_failed_tasks_only_leaves_out_succeeded_rows(cloud: World) -> None:
    job = cloud.run(cloud.manifest("src,a\nsrc,none\n"), Report=report(ReportScope="FailedTasksOnly"))
    assert list(cloud.results(job)) == ["failed"]
    assert job["ProgressSummary"]["NumberOfTasksSucceeded"] == 1


@pytest.mark.parametrize("written", [True, False])
def test_failed_tasks_only_without_failures_is_a_setting(written: bool) -> None:
    with world(Settings(empty_report_manifest=written)) as cloud:
        cloud.put("a")
        cloud.run(cloud.manifest("src,a\n"), Report=report(ReportScope="FailedTasksOnly"))
        assert len(cloud.keys("ops", "reports/")) == (2 if written else 0)


def test_a_disabled_report_writes_nothing(cloud: World) -> None:
    job = cloud.run(cloud.manifest("src,a\n"), Report={"Enabled": False})
    assert job["Status"] == "Complete"
    assert cloud.keys("ops") == ["manifest.csv"]


def test_reports_are_encrypted_with_sse_s3_whatever_the_buckets_default(cloud: World) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    cloud.s3.put_bucket_encryption(Bucket="ops", ServerSideEncryptionConfiguration={"Rules": [rule]})
    manifest = cloud.manifest("src,a\n", ServerSideEncryption="AES256")
    job = cloud.run(manifest)
    head = cloud.s3.head_object(Bucket="ops", Key=f"reports/job-{job['JobId']}/manifest.json")
    assert head["ServerSideEncryption"] == "AES256"


def test_a_report_that_may_not_be_written_fails_the_job_after_its_tasks(cloud: World) -> None:
    role = cloud.make_role("mute", allow("s3:*"), deny("s3:PutObject", resource="arn:aws:s3:::ops/*"))
    job = cloud.run(cloud.manifest("src,a\n"), RoleArn=role)
    assert failure(job)[1] == (
        "The job report could not be written to your report bucket. Please check your permissions"
    )
    assert cloud.keys() == ["a"]


def test_a_bucket_policy_that_wants_conditional_writes_keeps_reports_out(cloud: World) -> None:
    statement = {
        **deny("s3:PutObject", resource="arn:aws:s3:::ops/reports/*"),
        "Principal": "*",
        "Condition": {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
    }
    manifest = cloud.manifest("src,a\n")
    client("s3").put_bucket_policy(Bucket="ops", Policy=document(statement))
    assert "report bucket" in failure(cloud.run(manifest))[1]


def test_a_report_bucket_of_another_owner_fails_the_job(cloud: World) -> None:
    job = cloud.run(cloud.manifest("src,a\n"), Report=report(ExpectedBucketOwner="999999999999"))
    assert "expected account" in failure(job)[1]
    assert cloud.keys() == []


def test_fields_are_quoted_only_where_needed_and_quotes_doubled() -> None:
    message = 'Lambda returned function error: {"errorMessage":"Task timed out after 3.00 seconds"}'

    def outcome(_: Task) -> Outcome:
        return Outcome(False, 200, "PermanentFailure", message)

    with world(Settings(data_plane=PretendDataPlane(outcome))) as cloud:
        text = cloud.results(cloud.run(cloud.manifest("bkt,image_14975\n")))["failed"]
    assert text == (
        "bkt,image_14975,,failed,200,PermanentFailure,"
        '"Lambda returned function error: {""errorMessage"":""Task timed out after 3.00 seconds""}"\r\n'
    )


def test_a_report_larger_than_a_part_is_whole_and_its_md5_right() -> None:
    with world(Settings(data_plane=PretendDataPlane())) as cloud:
        key = "k" * 900
        job = cloud.run(cloud.manifest(f"src,{key}\n" * 10_000))
        root = f"reports/job-{job['JobId']}"
        (result,) = json.loads(cloud.read(f"{root}/manifest.json", "ops"))["Results"]
        body = cloud.read(result["Key"], "ops")
    assert body == f"src,{key},,succeeded,200,,Successful\r\n".encode() * 10_000
    assert hashlib.md5(body).hexdigest() == result["MD5Checksum"]
