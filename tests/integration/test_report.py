"""A completion report read from S3: continued, repeated, died at every step, and refused."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from itertools import count
from typing import Any, cast
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seeder import report, report_files, sink
from seeder.errors import NotYetVisible, UnexpectedAnswer
from seeder.jobs import Job
from seeder.lake.policies import Rules, bucket_arn, merged, statements
from seeder.listing.page import encode_key
from seeder.report import ReportProgress
from tests.dying import Died, Dying
from tests.keys import TRAPS
from tests.servers import Server, each_death, in_small_parts

names = count(1)


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    s3 = server.buckets("state")
    # As the deployed stack has it: nothing can be written under datasets/ that is not there for good.
    enforced = merged({}, statements(bucket_arn("state"), Rules()))
    s3.put_bucket_policy(Bucket="state", Policy=json.dumps(enforced))
    return s3


@pytest.fixture(autouse=True)
def small(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_files, "READ_BYTES", 997)
    server.parts_of(monkeypatch, 5_000)


def job(status: str = "Complete", **members: Any) -> Job:
    told: dict[str, Any] = {
        "manifest": sink.Upload(bucket="b", key="k"),
        "fields": [],
        "status": status,
        **members,
    }
    return Job(id=f"job{next(names)}", region="eu-west-1", operation="copy", **told)


def fresh(of: Job) -> ReportProgress:
    return ReportProgress.fresh("state", f"runs/{of.id}/retry-1.csv", f"datasets/{of.id}/failures.csv")


def succeeded(keys: list[str]) -> list[list[str]]:
    return [["src", encode_key(key), "", "succeeded", "200", "", "Successful"] for key in keys]


def failed(keys: list[str], code: str = "SlowDown", status: int = 503) -> list[list[str]]:
    message = 'Reduce your\r\nrate, "please" 😀'
    return [["src", encode_key(key), "", "failed", str(status), code, message] for key in keys]


def publish(s3: Any, of: Job, files: list[list[list[str]]], **changed: str) -> None:
    """Write a report as S3 does; `changed` replaces members of each entry of its manifest.json."""
    root, entries = f"runs/{of.id}/reports/job-{of.id}", []
    for number, rows in enumerate(files):
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        body, key = text.getvalue().encode(), f"{root}/results/{number}.csv"
        s3.put_object(Bucket="state", Key=key, Body=body, ServerSideEncryption="AES256")
        entry = {
            "TaskExecutionStatus": rows[0][3],
            "Bucket": "state",
            "MD5Checksum": hashlib.md5(body).hexdigest(),
            "Key": key,
        }
        entries.append({**entry, **changed})
    document = {"Format": "Report_CSV_20180820", "ReportCreationDate": "", "Results": entries}
    s3.put_object(Bucket="state", Key=f"{root}/manifest.json", Body=json.dumps(document).encode())


def read(s3: Any, of: Job, before: ReportProgress | None = None, **given: Any) -> ReportProgress:
    return report.read(s3, "state", f"runs/{of.id}/reports", of, before or fresh(of), **given)


def body_of(s3: Any, upload: sink.Upload) -> str:
    return str(s3.get_object(Bucket=upload.bucket, Key=upload.key)["Body"].read().decode())


def failures_of(s3: Any, done: ReportProgress) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(body_of(s3, done.failures_file), newline=""))]


def retried_of(s3: Any, done: ReportProgress) -> Counter[str]:
    return Counter(unquote(row.split(",")[1]) for row in body_of(s3, done.retry_file).splitlines())


KEYS = [*TRAPS, *(f"{number:04} +,%" for number in range(300))]


def mixed(keys: list[str]) -> list[list[list[str]]]:
    """Two files of successes and two of failures, the first of each kind the larger."""
    done, again, gone, rest = keys[0::4], keys[1::4], keys[2::4], keys[3::4]
    return [
        succeeded(done),
        failed(again),
        succeeded(rest),
        failed(gone, "NoSuchKey", 404),
    ]


def check(s3: Any, done: ReportProgress, keys: list[str]) -> None:
    """See that each failed row stands once in the files, and that all are counted."""
    again, gone = keys[1::4], keys[2::4]
    assert (done.done, done.total, done.failed) == (True, len(keys), len(again) + len(gone))
    assert Counter(unquote(row["key"]) for row in failures_of(s3, done)) == Counter(again + gone)
    assert retried_of(s3, done) == Counter(again)
    assert (done.retryable, done.fields) == (len(again), ["Bucket", "Key"])
    assert {one.code: one.count for one in done.failures} == {"SlowDown": len(again), "NoSuchKey": len(gone)}


def test_a_report_is_read_in_one_call(s3: Any) -> None:
    of = job()
    publish(s3, of, mixed(KEYS))
    done = read(s3, of)
    check(s3, done, KEYS)
    assert done.retry_file.etag == s3.head_object(Bucket="state", Key=done.retry_file.key)["ETag"]
    assert failures_of(s3, done)[0] == {
        "bucket": "src",
        "key": encode_key(KEYS[1]),
        "version_id": "",
        "error_code": "SlowDown",
        "http_status": "503",
        "message": 'Reduce your rate, "please" 😀',
        "operation": "copy",
        "round": "0",
    }


def test_a_report_is_read_in_as_many_calls_as_there_is_no_time(s3: Any) -> None:
    of = job()
    publish(s3, of, mixed(KEYS))
    progress, calls = fresh(of), 0
    while not progress.done:
        progress = read(s3, of, progress, out_of_time=lambda: True)
        calls += 1
        assert len(progress.model_dump_json()) < 4000
    assert calls > 20
    check(s3, progress, KEYS)


def test_an_old_progress_given_again_changes_nothing(s3: Any) -> None:
    of = job()
    publish(s3, of, mixed(KEYS))
    start = fresh(of)
    first = read(s3, of, start, out_of_time=lambda: True)
    done = read(s3, of, first)
    for stale in (start, first, done):
        assert read(s3, of, stale) == done
    check(s3, done, KEYS)


@each_death(range(1, 12), real=range(1, 10))
def test_a_death_at_any_write_loses_and_doubles_no_row(s3: Any, at: int, after: bool) -> None:
    of, checks, deaths = job(), count(1), 0
    publish(s3, of, mixed(KEYS))
    dying, progress = cast("Any", Dying(s3, at, after)), fresh(of)
    while not progress.done:
        try:
            progress = read(dying, of, progress, out_of_time=lambda: next(checks) % 20 == 0)
        except Died:
            deaths += 1
    assert deaths == 1
    check(s3, progress, KEYS)


@in_small_parts
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(20, 400),
    part=st.integers(400, 4000),
    number=st.integers(4, 40),
    pause=st.integers(1, 30),
    at=st.integers(1, 60),
    after=st.booleans(),
)
def test_any_reads_pauses_and_a_death_count_each_row_once(
    s3: Any, size: int, part: int, number: int, pause: int, at: int, after: bool
) -> None:
    of, keys, checks = job(), KEYS[:number], count(1)
    publish(s3, of, mixed(keys))
    dying, progress = cast("Any", Dying(s3, at, after)), fresh(of)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_files, "READ_BYTES", size)
        patch.setattr(sink, "SMALLEST_PART_BYTES", part)
        while not progress.done:
            try:
                progress = read(dying, of, progress, out_of_time=lambda: next(checks) % pause == 0)
            except Died:
                continue
    check(s3, progress, keys)


def test_a_report_without_failures_makes_no_files(s3: Any) -> None:
    of = job()
    publish(s3, of, [succeeded(KEYS)])
    done = read(s3, of)
    assert (done.succeeded, done.failed, done.retryable, done.fields) == (len(KEYS), 0, 0, [])
    found = s3.list_objects_v2(Bucket="state", Prefix=f"runs/{of.id}/")["Contents"]
    assert [item["Key"] for item in found if "/reports/" not in item["Key"]] == []


def test_failures_that_another_job_can_not_mend_make_no_retry_manifest(s3: Any) -> None:
    of = job()
    publish(s3, of, [failed(["a", "b"], "NoSuchKey", 404)])
    done = read(s3, of)
    assert (done.retryable, done.retry_file.etag, done.failures_file.count) == (0, "", 2)
    with pytest.raises(s3.exceptions.ClientError, match="404"):
        s3.head_object(Bucket="state", Key=done.retry_file.key)


def test_a_last_row_without_its_line_end_counts(s3: Any) -> None:
    of = job()
    publish(s3, of, [succeeded(["a", "b"])])
    key = f"runs/{of.id}/reports/job-{of.id}/results/0.csv"
    body = s3.get_object(Bucket="state", Key=key)["Body"].read().rstrip()
    s3.put_object(Bucket="state", Key=key, Body=body)
    manifest = key.replace("results/0.csv", "manifest.json")
    document = json.loads(s3.get_object(Bucket="state", Key=manifest)["Body"].read())
    document["Results"][0]["MD5Checksum"] = hashlib.md5(body).hexdigest()
    s3.put_object(Bucket="state", Key=manifest, Body=json.dumps(document).encode())
    assert read(s3, of).succeeded == 2


@pytest.mark.parametrize("limit", [False, True])
def test_a_file_whose_md5_is_another_is_refused_read_at_once_or_in_pieces(s3: Any, limit: bool) -> None:
    of = job()
    publish(s3, of, [succeeded(KEYS)], MD5Checksum="0" * 32)
    before = fresh(of)
    while limit and before.offset < 4000:
        before = read(s3, of, before, out_of_time=lambda: True)
    with pytest.raises(UnexpectedAnswer, match=r"results/0.csv: its MD5 is [0-9a-f]{32}, but .* says 0{32}"):
        read(s3, of, before)


def test_rows_that_contradict_their_files_status_are_refused(s3: Any) -> None:
    for rows, status in ((failed(["a"]), "succeeded"), (succeeded(["a"]), "failed")):
        of = job()
        publish(s3, of, [rows], TaskExecutionStatus=status)
        with pytest.raises(UnexpectedAnswer, match="contradict"):
            read(s3, of)


def test_a_file_whose_status_is_not_known_is_judged_by_its_rows(s3: Any) -> None:
    of = job()
    publish(s3, of, [succeeded(["a"]) + failed(["b"])], TaskExecutionStatus="all")
    done = read(s3, of)
    assert (done.succeeded, done.failed) == (1, 1)


def test_a_row_that_is_not_understood_is_told_with_its_file(s3: Any) -> None:
    of = job()
    publish(s3, of, [[*succeeded(["a"]), ["b"]]])
    with pytest.raises(UnexpectedAnswer, match=r"s3://state/\S+/results/0.csv: report row 'b\\r\\n'"):
        read(s3, of)


def test_a_row_without_end_is_refused_before_it_fills_the_memory(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "LONGEST_ROW_BYTES", 3000)
    of = job()
    publish(s3, of, [[*succeeded(["a"]), ["b", '"' + "x" * 9000]]])
    with pytest.raises(UnexpectedAnswer, match="a row of more than 3000 bytes"):
        read(s3, of)


@pytest.mark.parametrize("name", ["manifest.json", "results/0.csv"])
def test_a_report_that_changes_while_it_is_read_is_refused(s3: Any, name: str) -> None:
    of = job()
    publish(s3, of, [succeeded(KEYS)])
    first = read(s3, of, out_of_time=lambda: True)
    assert first.offset > 0
    s3.put_object(Bucket="state", Key=f"runs/{of.id}/reports/job-{of.id}/{name}", Body=b'{"Results": []}')
    with pytest.raises(UnexpectedAnswer, match="changed"):
        read(s3, of, first)


def test_a_result_file_that_is_not_there_is_told(s3: Any) -> None:
    of = job()
    publish(s3, of, [succeeded(["a"])])
    s3.delete_object(Bucket="state", Key=f"runs/{of.id}/reports/job-{of.id}/results/0.csv")
    with pytest.raises(UnexpectedAnswer, match=r"results/0.csv, a file of the completion report, is gone"):
        read(s3, of)


def test_a_document_that_announces_no_report_is_refused(s3: Any) -> None:
    for body in (b"[]", b"{", b'{"Results": [{}]}'):
        of = job()
        s3.put_object(Bucket="state", Key=f"runs/{of.id}/reports/job-{of.id}/manifest.json", Body=body)
        with pytest.raises(UnexpectedAnswer, match="does not announce"):
            read(s3, of)


@pytest.mark.parametrize(
    "of", [job(), job("Failed", succeeded=1), job("Cancelled", failed=3, reasons=["who", "why"])]
)
def test_a_report_that_is_due_is_waited_for_and_what_to_do_is_said(s3: Any, of: Job) -> None:
    with pytest.raises(NotYetVisible) as raised:
        read(s3, of)
    said = str(raised.value)
    assert said.startswith(f"job {of.id} is {of.status}")
    assert f"s3://state/runs/{of.id}/reports/job-{of.id}/manifest.json" in said
    assert "s3:PutObject" in said
    assert all(reason in said for reason in of.reasons)


@pytest.mark.parametrize(
    "of", [job("Failed", reasons=["Reading the manifest is forbidden"]), job("Cancelled")]
)
def test_a_job_that_ended_before_its_first_task_has_no_report(s3: Any, of: Job) -> None:
    done = read(s3, of)
    assert (done.done, done.total, done.failures) == (True, 0, [])


@in_small_parts
def test_abandoned_files_leave_no_upload_and_can_be_abandoned_again(s3: Any) -> None:
    of, checks = job(), count(1)
    publish(s3, of, [failed(KEYS)])
    progress = read(s3, of, out_of_time=lambda: next(checks) == 30)
    uploads = {progress.retry_file.upload_id, progress.failures_file.upload_id}
    assert "" not in uploads
    for _ in range(2):
        report.abandon(s3, progress)
    left = {upload["UploadId"] for upload in s3.list_multipart_uploads(Bucket="state").get("Uploads", [])}
    assert not uploads & left
