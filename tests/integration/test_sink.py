"""A file's end where S3 decides nothing (409), and where calls that died have left uploads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from localcloud.faults import Fault, Faults
from seeder import sink
from seeder.errors import NotYetVisible
from seeder.lake import retry
from seeder.sink import Sink, Upload
from tests.servers import Server


def conflicts(operation: str, times: int) -> Faults:
    return Faults([Fault(operation=operation, times=times, status=409, code="ConditionalRequestConflict")])


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as made:
        made.client("s3").create_bucket(Bucket="state")
        yield made


@pytest.fixture
def s3(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(retry, "FIRST_BOUND_SECONDS", 0.0)
    yield cloud.client("s3")
    cloud.settings.strikes = Faults()


def finished(s3: Any, key: str) -> Upload:
    file = Sink(s3, Upload(bucket="state", key=key))
    file.write(b"state,a\n", 1)
    return file.finish()


def test_a_note_is_written_once_nothing_stands_in_its_way(cloud: LocalCloud, s3: Any) -> None:
    cloud.settings.strikes = conflicts("PutObject", 6)
    sink.note(s3, "state", "note", b"first")
    sink.note(s3, "state", "note", b"second")
    assert s3.get_object(Bucket="state", Key="note")["Body"].read() == b"first"


def test_a_file_of_which_s3_decides_nothing_is_tried_again_later(cloud: LocalCloud, s3: Any) -> None:
    upload = finished(s3, "undecided")
    cloud.settings.strikes = conflicts("CompleteMultipartUpload", 1)
    with pytest.raises(NotYetVisible, match="another call makes s3://state/undecided"):
        sink.complete(s3, upload)
    assert sink.complete(s3, upload).etag == s3.head_object(Bucket="state", Key="undecided")["ETag"]


def test_a_file_that_another_call_has_made_is_taken_as_it_stands(cloud: LocalCloud, s3: Any) -> None:
    made = sink.complete(s3, finished(s3, "made"))
    cloud.settings.strikes = conflicts("CompleteMultipartUpload", 1)
    assert sink.complete(s3, made.model_copy(update={"etag": ""})) == made


def test_all_uploads_below_a_prefix_are_given_up_and_no_others(s3: Any) -> None:
    for key in ("seeder/runs/one/a", "seeder/runs/one/a", "seeder/runs/one/b", "seeder/runs/other/a"):
        s3.create_multipart_upload(Bucket="state", Key=key)
    for _ in range(2):
        sink.abandon_all(s3, "state", "seeder/runs/one/")
        left = s3.list_multipart_uploads(Bucket="state")["Uploads"]
        assert [item["Key"] for item in left] == ["seeder/runs/other/a"]


def test_a_part_that_was_stored_again_is_the_newest_where_a_server_lists_them_all(real: Server) -> None:
    s3, size = real.buckets("again"), real.ways.smallest_part
    file = {"Bucket": "again", "Key": "file"}
    upload_id = s3.create_multipart_upload(**file)["UploadId"]
    for body in (b"a", b"b"):
        s3.upload_part(**file, UploadId=upload_id, PartNumber=1, Body=body * size)
        s3.upload_part(**file, UploadId=upload_id, PartNumber=2, Body=b"end")
        # This server tells whole seconds.
        time.sleep(1.05)
    upload = Upload(bucket="again", key="file", upload_id=upload_id, parts=2, count=2)
    assert sink.complete(s3, upload).etag
    assert s3.get_object(**file)["Body"].read() == b"b" * size + b"end"
