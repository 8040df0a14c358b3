from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from localcloud.batch_operations import Settings
from tests.unit.localcloud.batch_world import INVENTORY, World, allow, failure, world

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = "InvalidManifestContent"
TASK_FIELDS = (CONTENT, "Unexpected number of task fields")
VERSIONED = ("Bucket", "Key", "VersionId")


@pytest.fixture
def cloud() -> Iterator[World]:
    with world() as made:
        made.put("a")
        made.put("b")
        yield made


def inventory(
    cloud: World,
    files: list[bytes],
    schema: str = "Bucket, Key",
    put: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    entries = []
    for number, body in enumerate(files):
        key = f"inv/data/{number}.csv.gz"
        cloud.put(key, body, "ops")
        entries.append({"key": key, "size": len(body), "MD5checksum": hashlib.md5(body).hexdigest()})
    document = {
        "sourceBucket": "src",
        "destinationBucket": "arn:aws:s3:::ops",
        "version": "2016-11-30",
        "creationTimestamp": "1514944800000",
        "fileFormat": "CSV",
        "fileSchema": schema,
        "files": entries,
        **(changes or {}),
    }
    etag = cloud.put("inv/manifest.json", json.dumps(document).encode(), "ops", **(put or {}))["ETag"]
    location = {"ObjectArn": "arn:aws:s3:::ops/inv/manifest.json", "ETag": etag}
    return {"Spec": {"Format": INVENTORY}, "Location": location}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "end"])
def test_rows_end_with_either_line_end_and_the_last_may_have_none(
    cloud: World, line_end: str, last: str
) -> None:
    body = line_end.join(["src,a", "src,b"]) + (line_end if last else "")
    cloud.run(cloud.manifest(body))
    assert cloud.keys() == ["a", "b"]


def test_ignored_columns_may_stand_anywhere(cloud: World) -> None:
    cloud.run(cloud.manifest("x,a,y,src\n", ("Ignore", "Key", "Ignore", "Bucket")))
    assert cloud.keys() == ["a"]


def test_quoted_fields_are_read(cloud: World) -> None:
    cloud.run(cloud.manifest('"src","a"\nsrc,"b"\n'))
    assert cloud.keys() == ["a", "b"]


@pytest.mark.parametrize("quoted", [True, False])
def test_the_etag_is_taken_with_and_without_quotes(cloud: World, quoted: bool) -> None:
    manifest = cloud.manifest("src,a\n")
    etag = manifest["Location"]["ETag"].strip('"')
    manifest["Location"]["ETag"] = f'"{etag}"' if quoted else etag
    assert cloud.run(manifest)["Status"] == "Complete"


def test_a_manifest_whose_etag_has_changed_fails_the_job(cloud: World) -> None:
    manifest = cloud.manifest("src,a\n")
    cloud.manifest("src,b\n")
    code, reason = failure(cloud.run(manifest))
    assert (code, "ETag" in reason) == ("ManifestETagMismatch", True)


def test_the_version_of_the_manifest_that_is_named_is_read(cloud: World) -> None:
    cloud.version("ops")
    first = cloud.manifest("src,a\n")
    version = cloud.s3.head_object(Bucket="ops", Key="manifest.csv")["VersionId"]
    cloud.manifest("src,b\n")
    first["Location"]["ObjectVersionId"] = version
    cloud.run(first)
    assert cloud.keys() == ["a"]


@pytest.mark.parametrize("row", ["src,a,null", "src", "", "src,a,"])
def test_a_row_with_another_number_of_fields_fails_the_whole_job(cloud: World, row: str) -> None:
    job = cloud.run(cloud.manifest(f"src,a\n{row}\nsrc,b\n"))
    assert failure(job) == TASK_FIELDS


def test_a_missing_version_field_fails_the_whole_job(cloud: World) -> None:
    assert failure(cloud.run(cloud.manifest("src,a\n", VERSIONED))) == TASK_FIELDS


@pytest.mark.parametrize(
    ("fields", "missing"), [(("Bucket", "Ignore"), "Key"), (("Ignore", "VersionId"), "Bucket, Key")]
)
def test_fields_without_bucket_and_key_fail_the_job(
    cloud: World, fields: tuple[str, ...], missing: str
) -> None:
    code, reason = failure(cloud.run(cloud.manifest("src,a\n", fields)))
    assert (code, reason) == (CONTENT, f"Required fields are missing in the schema: {missing}")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xef\xbb\xbfsrc,a\n", "byte order mark"),
        (b'src,"a\nb"\n', "Line break"),
        (b"src,\xff\n", "utf-8"),
        (b"", "no tasks"),
    ],
    ids=["byte order mark", "line break in a field", "not UTF-8", "empty"],
)
def test_content_against_the_rules_fails_the_job(cloud: World, body: bytes, reason: str) -> None:
    code, text = failure(cloud.run(cloud.manifest(body)))
    assert code == CONTENT
    assert reason in text


def test_a_csv_manifest_with_kms_encryption_is_refused(cloud: World) -> None:
    job = cloud.run(cloud.manifest("src,a\n", ServerSideEncryption="aws:kms"))
    assert "SSE-KMS" in failure(job)[1]


def test_a_missing_manifest_fails_the_job(cloud: World) -> None:
    manifest = cloud.manifest("src,a\n")
    cloud.s3.delete_object(Bucket="ops", Key="manifest.csv")
    assert "NoSuchKey" in failure(cloud.run(manifest))[1]


def test_a_manifest_that_the_role_may_not_read_fails_the_job_with_the_known_text(cloud: World) -> None:
    role = cloud.make_role("narrow", allow("s3:*", resource="arn:aws:s3:::src/*"))
    job = cloud.run(cloud.manifest("src,a\n"), RoleArn=role)
    assert failure(job)[1] == "Reading the manifest is forbidden: AccessDenied"


def test_more_rows_than_the_limit_fail_the_job() -> None:
    with world(Settings(max_tasks=2)) as cloud:
        code, reason = failure(cloud.run(cloud.manifest("src,a\nsrc,b\nsrc,c\n")))
    assert (code, reason.split(" contains ")[1]) == (
        CONTENT,
        "more keys than the maximum allowed in a single job",
    )


def test_a_job_that_fails_while_preparing_writes_nothing_at_all(cloud: World) -> None:
    job = cloud.run(cloud.manifest("src,a,x\n"))
    assert job["Status"] == "Failed"
    assert "ProgressSummary" not in job
    assert cloud.keys("ops", "reports") == []


def test_duplicate_rows_are_a_task_each(cloud: World) -> None:
    job = cloud.run(cloud.manifest("src,a\nsrc,a\n"))
    assert job["ProgressSummary"]["NumberOfTasksSucceeded"] == 2


def test_an_inventory_of_several_gzip_files_is_read(cloud: World) -> None:
    files = [gzip.compress(b'"src","a"\n'), gzip.compress(b'"src","b"\n')]
    job = cloud.run(inventory(cloud, files))
    assert job["ProgressSummary"]["TotalNumberOfTasks"] == 2
    assert cloud.keys() == ["a", "b"]


def test_a_hand_made_inventory_may_hold_one_plain_csv(cloud: World) -> None:
    cloud.run(inventory(cloud, [b"src,a\n"]))
    assert cloud.keys() == ["a"]


def test_the_columns_of_an_inventory_are_those_of_its_schema(cloud: World) -> None:
    cloud.version("src")
    version = cloud.put("a", b"second")["VersionId"]
    cloud.put("a", b"third")
    body = gzip.compress(f'"src","a","{version}","false","7"\n'.encode())
    cloud.run(inventory(cloud, [body], "Bucket, Key, VersionId, IsLatest, Size"))
    assert cloud.read("a") == b"second"


def test_an_inventory_writes_a_space_as_plus(cloud: World) -> None:
    cloud.put("with space")
    cloud.run(inventory(cloud, [gzip.compress(b'"src","with+space"\n')]))
    assert cloud.keys() == ["with space"]


def test_an_inventory_may_be_encrypted_with_kms(cloud: World) -> None:
    manifest = inventory(cloud, [b"src,a\n"], put={"ServerSideEncryption": "aws:kms"})
    assert cloud.run(manifest)["Status"] == "Complete"


def test_an_inventory_with_a_kms_key_needs_the_right_to_use_it(cloud: World) -> None:
    role = cloud.make_role("keyless", allow("s3:*"))
    put = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "some-key"}
    job = cloud.run(inventory(cloud, [b"src,a\n"], put=put), RoleArn=role)
    assert failure(job)[1] == "Reading the manifest is forbidden: AccessDenied"


def test_an_inventory_file_that_does_not_match_its_md5_fails_the_job(cloud: World) -> None:
    manifest = inventory(cloud, [b"src,a\n"])
    cloud.put("inv/data/0.csv.gz", b"src,b\n", "ops")
    assert "MD5" in failure(cloud.run(manifest))[1]


@pytest.mark.parametrize(
    ("files", "changes", "reason"),
    [
        ([b"src,a\n"], {"fileFormat": "ORC"}, "ORC is not supported"),
        ([b"src,a\n"], {"files": [{"size": 1}]}, "lacks required fields"),
        ([b"src,a\n"], {"files": None}, "cannot be read"),
        ([gzip.compress(b"src,a\n")[:-6]], {}, "cannot be unpacked"),
        ([b"src,a,b\n"], {}, "Unexpected number of task fields"),
    ],
    ids=["ORC", "incomplete", "no files", "broken gzip", "wrong columns"],
)
def test_an_inventory_against_the_rules_fails_the_job(
    cloud: World, files: list[bytes], changes: dict[str, Any], reason: str
) -> None:
    code, text = failure(cloud.run(inventory(cloud, files, changes=changes)))
    assert code == CONTENT
    assert reason in text
