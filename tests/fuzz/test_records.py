"""What runs have left: records, and the files of what they failed at. Read as they say, or refused."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder import failed_rows
from seeder.errors import UnexpectedAnswer, aws_errors
from seeder.failed_rows import FailedRow, final_rows
from seeder.fleet.record import summarise
from seeder.listing.page import encode_key
from seeder.record import Record
from seeder.report_tally import Tally
from tests.fuzz.memory import MemoryS3
from tests.fuzz.refusals import MEBIBYTE, peak_of, refusals
from tests.fuzz.strategies import altered, any_json, fuzzed, texts, torn, written
from tests.keys import any_key

FAILURES = "datasets/seeding_failures/year=2026/month=01/day=31"
JOB = {"id": "j", "region": "eu-west-1", "operation": "copy", "round": 0, "status": "Complete", "failed": 2}
RECORD: dict[str, Any] = {
    "run_id": "run",
    "state": "Failed",
    "event": "Seeding Failed",
    "subject": "Failed",
    "source": "abc",
    "destination": "xyz",
    "started_at": "2026-01-31T00:00:00Z",
    "ended_at": "2026-01-31T01:00:00Z",
    "failures": [{"code": "SlowDown", "count": 2, "example_key": "k", "message": "m", "kind": "retryable"}],
    "failure_files": [f"s3://state/{FAILURES}/run-copy-0.csv"],
    "jobs": [JOB, JOB | {"round": 1}],
    "verification": {"equal": 1},
}
rows = st.lists(
    st.builds(
        lambda key, version, code, message: [
            "abc",
            encode_key(key),
            version,
            code,
            "503",
            message,
            "copy",
            "0",
        ],
        any_key,
        st.sampled_from(["", "null"]),
        st.sampled_from(["SlowDown", ""]),
        any_key.map(lambda text: " ".join(text.splitlines())),
    ),
    max_size=5,
)


def body_of(some: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(some)
    return Tally.header + text.getvalue().encode()


@fuzzed(60)
@given(rows, st.data())
def test_what_failed_in_the_end_is_what_the_files_say_or_refused(
    some: list[list[str]], data: st.DataObject
) -> None:
    first = data.draw(torn(st.just(body_of(some)), most=1))
    again = data.draw(torn(st.just(b"".join(f"abc,{row[1]}\n".encode() for row in some)), most=1))
    held = _memory(first, again)
    with refusals():
        found = list(final_rows(held.s3, "state", Record.model_validate(RECORD)))
        assert all(isinstance(row.document["http_status"], int) for row in found)
        if first == body_of(some):
            told = Counter((row[1], row[2]) for row in some)
            assert Counter((row.encoded_key, row.version_id) for row in found) <= told
        for row in found:
            assert row.key == unquote(row.encoded_key)


@fuzzed(60)
@given(altered(st.just(RECORD)))
def test_any_record_is_one_that_is_written_back_the_same_or_refused(document: Any) -> None:
    held = _memory(body_of([["abc", "k", "", "SlowDown", "503", "m", "copy", "0"]]), b"")
    with refusals():
        told = Record.model_validate(document)
        assert Record.model_validate_json(told.model_dump_json()) == told
        assert all(getattr(told, name) == document[name] for name in ("run_id", "state"))
        assert all(isinstance(row, FailedRow) for row in final_rows(held.s3, "state", told))


@fuzzed(30)
@given(
    st.lists(
        st.one_of(
            altered(
                st.just(
                    {"run_id": "run", "source": "abc", "destination": "xyz", "state": "Failed", "error": "E"}
                )
            ),
            any_json,
        ),
        max_size=3,
    ),
    st.one_of(altered(st.just(RECORD)).map(written), torn(st.just(written(RECORD)))),
)
def test_a_fleet_is_summed_up_whatever_its_runs_left_or_refused(runs: list[Any], body: bytes) -> None:
    held = MemoryS3()
    held.put("state", "runs/run/run.json", body)
    with refusals():
        made = summarise(held.s3, "state", "fleet", "2026-01-31T00:00:00Z", "2026-01-31T01:00:00Z", runs)
        assert made.pairs == len(runs) == made.equal + made.seeded + made.failed + made.skipped + made.started


@fuzzed(30)
@given(texts, st.lists(texts, max_size=2), texts)
def test_any_addresses_and_days_of_a_record_are_read_or_refused(
    day: str, files: list[str], operation: str
) -> None:
    held = _memory(body_of([]), b"")
    asked = Record.model_validate(RECORD).model_copy(
        update={"started_at": day, "failure_files": files, "jobs": [{**JOB, "operation": operation}]}
    )
    with refusals():
        assert not list(final_rows(held.s3, "state", asked))


def test_a_file_of_failures_without_line_ends_is_refused_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(failed_rows, "LONGEST_ROW_BYTES", MEBIBYTE)
    monkeypatch.setattr(failed_rows, "PIECE_BYTES", MEBIBYTE)
    held = _memory(b"x" * (32 * MEBIBYTE), b"")

    def refuse() -> None:
        with pytest.raises(UnexpectedAnswer, match="a row of more than"), aws_errors():
            list(final_rows(held.s3, "state", Record.model_validate(RECORD)))

    assert peak_of(refuse) < 12 * MEBIBYTE


def _memory(failures: bytes, again: bytes) -> MemoryS3:
    held = MemoryS3()
    held.put("state", f"{FAILURES}/run-copy-0.csv", failures)
    held.put("state", "runs/run/rounds/copy-0.csv", again)
    return held
