"""Completion reports: files torn, reordered and changed, rows of any bytes. What is counted was there, or refused."""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder import report, report_files
from seeder.errors import UnexpectedAnswer
from seeder.jobs import Job
from seeder.listing.page import encode_key
from seeder.report import ReportProgress, check_counts
from seeder.report_rows import FailedRow, take
from seeder.sink import Upload
from tests.fuzz.memory import MemoryS3
from tests.fuzz.refusals import MEBIBYTE, peak_of, refusals
from tests.fuzz.strategies import altered, any_json, fuzzed, nested, torn, written
from tests.keys import any_key

ROOT = "runs/run/reports/job-job"
MANIFEST = f"{ROOT}/manifest.json"
Cells = tuple[str, ...]

_buckets, _versions = (
    st.sampled_from(["source", "foreign"]),
    st.sampled_from(["", "null", "886twyul.uJ3w", "\\N"]),
)
_keys = any_key.map(encode_key)
succeeded = st.tuples(
    _buckets, _keys, _versions, st.just("succeeded"), st.just("200"), st.just(""), st.just("Successful")
)
failed = st.tuples(
    _buckets,
    _keys,
    st.sampled_from(["", "", "null", "\\N"]),
    st.just("failed"),
    st.sampled_from(["200", "403", "503"]),
    st.sampled_from(["SlowDown", "AccessDenied", "Odd", ""]),
    st.one_of(any_key, st.sampled_from(['say "no", then\r\nstop', "a,b,,failed,200,,c\r\n"])),
)
some_rows = st.lists(st.one_of(succeeded, failed), max_size=8)
some_bytes = torn(some_rows.map(lambda rows: body_of(rows)))


def body_of(rows: list[Cells]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


@fuzzed(120)
@given(some_bytes)
def test_any_bytes_are_rows_that_python_reads_alike_or_refused(body: bytes) -> None:
    with refusals():
        taken = take(body)
        assert 0 <= taken.end <= len(body)
        # Python ends a row at a lone CR too, where S3's readers see a part of a cell.
        told = [row for row in _python_rows(body[: taken.end]) if row]
        if b"\r" not in body[: taken.end].replace(b"\r\n", b""):
            assert taken.succeeded == sum(row[3] == "succeeded" for row in told)
            assert [_plain(row[0]) for row in taken.failed] == [
                (row[0], row[1]) for row in told if row[3] == "failed"
            ]
        for place, version, status, code, message in taken.failed:
            assert b"\n" not in place + version + status + code + message
            assert place.count(b",") == 1


@fuzzed(40)
@given(some_bytes, st.integers(1, 40))
def test_rows_are_the_same_however_the_bytes_are_cut(body: bytes, size: int) -> None:
    with refusals():
        whole = take(body)
        succeeded, rest = 0, b""
        failures: list[FailedRow] = []
        # Each piece is read with what was left of those before it: a hundred pieces tell as much as a thousand.
        size = max(size, whole.end // 100)
        for at in range(0, whole.end, size):
            rest += body[at : min(at + size, whole.end)]
            taken = take(rest)
            succeeded, failures, rest = (
                succeeded + taken.succeeded,
                failures + taken.failed,
                rest[taken.end :],
            )
        assert (succeeded, failures, rest) == (whole.succeeded, whole.failed, b"")


@st.composite
def reports(draw: st.DrawFn) -> tuple[Any, dict[str, bytes], list[Cells]]:
    """Draw a report's manifest.json and its files, and the rows that they were made of."""
    rows, files, entries = [], {}, []
    for number in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["succeeded", "failed"]))
        some = draw(st.lists(succeeded if kind == "succeeded" else failed, min_size=1, max_size=4))
        key, body = f"{ROOT}/results/{number}.csv", body_of(some)
        rows += some
        files[key] = body
        told = {"Bucket": "state", "Key": key, "MD5Checksum": hashlib.md5(body).hexdigest()}
        entries.append({"TaskExecutionStatus": kind, **told})
    return {"Format": "Report_CSV_20180820", "Results": entries}, files, rows


@fuzzed(60)
@given(st.data())
def test_a_report_is_read_as_it_was_written_or_refused(data: st.DataObject) -> None:
    document, files, rows = data.draw(reports())
    changed = data.draw(altered(st.just(document), most=2))
    bodies = {key: data.draw(torn(st.just(body), most=1)) for key, body in files.items()}
    manifest = data.draw(torn(st.just(written(changed)), most=1))
    held = _memory(manifest, bodies)
    progress = ReportProgress.fresh("state", "runs/run/rounds/copy-0.csv", "datasets/f.csv")
    with refusals():
        calls = 0
        while not progress.done:
            progress = report.read(held.s3, "state", "runs/run/reports", JOB, progress, lambda: True)
            calls += 1
            assert calls < 100
        _require_accounted(held, progress, rows, whole=(manifest, bodies) == (written(document), files))


def _require_accounted(held: MemoryS3, read: ReportProgress, rows: list[Cells], whole: bool) -> None:
    """Require that each row counted was in the report, and that none of a whole report is missing."""
    kept = held.objects.get(("state", read.failures_file.key), b"").decode()
    told = list(csv.DictReader(io.StringIO(kept, newline="")))
    lost = [row for row in rows if row[3] == "failed"]
    assert (read.total, read.failed, len(told)) == (read.succeeded + read.failed, len(told), read.failed)
    assert sum(group.count for group in read.failures) == read.failed
    again = held.objects.get(("state", read.retry_file.key), b"").decode().splitlines()
    assert len(again) == read.retryable
    # A file whose entry is taken out, or stands there twice, is not to be told from the report itself: the counts are.
    assert {(row["bucket"], unquote(row["key"])) for row in told} <= {
        (row[0], unquote(row[1])) for row in lost
    }
    if whole:
        assert (read.succeeded, read.failed) == (len(rows) - len(lost), len(lost))
    elif (read.succeeded, read.failed) != (len(rows) - len(lost), len(lost)):
        assert check_counts(read, len(rows), len(rows) - len(lost), len(lost))


@fuzzed(40)
@given(
    st.one_of(
        any_json.map(written), torn(st.just(b'{"Results": []}')), st.sampled_from(["[", "{"]).map(nested)
    )
)
def test_any_document_announces_a_report_or_is_refused(manifest: bytes) -> None:
    with refusals():
        found = report_files.find(_memory(manifest, {}).s3, "state", MANIFEST)
        assert found is not None
        assert all(file.bucket and file.key for file in found.files)


def test_a_file_without_line_ends_is_refused_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report, "LONGEST_ROW_BYTES", 2 * MEBIBYTE)
    body = b"x" * (32 * MEBIBYTE)
    told = {"Bucket": "state", "Key": "f", "MD5Checksum": hashlib.md5(body).hexdigest()}
    document = {"Results": [{"TaskExecutionStatus": "failed", **told}]}
    held = _memory(written(document), {"f": body})
    progress = ReportProgress.fresh("state", "r.csv", "f.csv")

    def refuse() -> None:
        with pytest.raises(UnexpectedAnswer, match="a row of more than"):
            report.read(held.s3, "state", "runs/run/reports", JOB, progress)

    # The answer is a copy of the file.
    assert peak_of(refuse) < len(body) + 16 * MEBIBYTE


def test_a_manifest_of_ten_thousand_errors_is_refused_in_a_sentence() -> None:
    with refusals() as met:
        report_files.find(_memory(written({"Results": [{}] * 10_000}), {}).s3, "state", MANIFEST)
    assert "Results.0.Bucket is missing" in str(met[0])


JOB = Job(
    id="job",
    region="eu-west-1",
    operation="copy",
    manifest=Upload(bucket="b", key="k"),
    fields=["Bucket", "Key"],
    status="Complete",
)


def _memory(manifest: bytes, files: dict[str, bytes]) -> MemoryS3:
    held = MemoryS3()
    for key, body in {MANIFEST: manifest, **files}.items():
        held.put("state", key, body)
    return held


def _python_rows(body: bytes) -> list[list[str]]:
    csv.field_size_limit(max(csv.field_size_limit(), len(body)))
    return list(csv.reader(io.StringIO(body.decode("utf-8", "replace"), newline="")))


def _plain(place: bytes) -> tuple[str, str]:
    bucket, _, key = place.decode("utf-8", "replace").partition(",")
    return bucket, key
