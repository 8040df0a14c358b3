"""What a run failed at in the end, read from the files that rounds leave: against a simulation of the rounds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from seeder import failed_rows
from seeder.errors import UnexpectedAnswer
from seeder.failed_rows import FailedRow, Round, concluded_rounds, final_rows
from seeder.listing.page import encode_key
from seeder.record import Record
from seeder.report_tally import Tally
from tests.keys import TRAPS, any_key

BUCKET, DAY = "state", "year=2026/month=01/day=31"
STATUS = {"SlowDown": 503, "AccessDenied": 403, "NoSuchKey": 404}
PASSING = "SlowDown"
run_ids = (f"run-{number}" for number in count())

Fate = list[str]
"""The code that a key's task ends in, round by round; "" for success. The last stands for all later ones."""


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with LocalCloud(ScaledClock(1000)) as cloud:
        client = cloud.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_rows, "PIECE_BYTES", 301)


class Simulation:
    """Runs jobs, round by round, and leaves the files that reports leave."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3
        self.run_id = next(run_ids)
        self.jobs: list[dict[str, Any]] = []
        self.files: list[str] = []
        self.expected: list[tuple[str, str, int]] = []

    def chain(
        self, stem: str, operation: str, fates: dict[str, Fate], rounds: int, version: str = ""
    ) -> None:
        left, number = list(fates), 0
        while left:
            codes = {key: fates[key][min(number, len(fates[key]) - 1)] for key in left}
            failed = [key for key in left if codes[key]]
            again = [key for key in failed if codes[key] == PASSING and number < rounds]
            self.expected += [(key, codes[key], number) for key in failed if key not in again]
            self._report(
                f"{stem}-{number}", operation, number, [(key, codes[key], version) for key in failed]
            )
            self._job(operation, number, total=len(left), failed=len(failed))
            left, number = again, number + 1

    def _job(self, operation: str, number: int, total: int, failed: int, status: str = "Complete") -> None:
        counts = {"total": total, "succeeded": total - failed, "failed": failed}
        self.jobs.append({"operation": operation, "round": number, "status": status, **counts})

    def failed_early(self, operation: str) -> None:
        """A job that came to nothing, for its role was too new."""
        self._job(operation, 0, total=0, failed=0, status="Failed")

    def _report(self, name: str, operation: str, number: int, failed: list[tuple[str, str, str]]) -> None:
        if not failed:
            return
        tally = Tally([], [], operation, number)
        rows = [
            (
                f"b,{encode_key(key)}".encode(),
                version.encode(),
                str(STATUS[code]).encode(),
                code.encode(),
                b'"a, ""b"""',
            )
            for key, code, version in failed
        ]
        lines, again, _ = tally.add(rows)
        key = f"datasets/seeding_failures/{DAY}/{self.run_id}-{name}.csv"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=tally.header + lines)
        self.files.append(f"s3://{BUCKET}/{key}")
        if again:
            self.s3.put_object(Bucket=BUCKET, Key=f"runs/{self.run_id}/rounds/{name}.csv", Body=again)

    def record(self, broke_off: bool = False) -> Record:
        ended: dict[str, Any] = (
            {} if broke_off else {"failure_files": self.files, "verification": {"done": True}}
        )
        return Record(
            run_id=self.run_id,
            state="Failed",
            event="",
            subject="",
            started_at="2026-01-31T00:00:00Z",
            jobs=self.jobs,
            **ended,
        )

    def told(self, broke_off: bool = False) -> list[tuple[str, str, int]]:
        rows = final_rows(self.s3, BUCKET, self.record(broke_off))
        return [(row.key, row.code, int(row.round)) for row in rows]


codes = st.sampled_from(["", PASSING, PASSING, "AccessDenied", "NoSuchKey"])
fates = st.dictionaries(any_key, st.lists(codes, min_size=1, max_size=3), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(fates, min_size=1, max_size=3),
    fates,
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(["", "v1"]),
)
def test_the_rows_are_what_each_object_came_to_in_its_last_round(
    s3: Any, copies: list[dict[str, Fate]], large: dict[str, Fate], rounds: int, early: bool, version: str
) -> None:
    run = Simulation(s3)
    if early:
        run.failed_early("copy")
    for number, each in enumerate(copies, 1):
        run.chain("copy" if number == 1 else f"copy-{number}", "copy", each, rounds, version)
    run.chain("large", "large", large, rounds)
    assert sorted(run.told()) == sorted(run.expected)


def test_a_round_that_leaves_no_file_took_its_keys_with_it(s3: Any) -> None:
    run = Simulation(s3)
    run.chain("copy", "copy", {"a": [PASSING, ""], "b": ["NoSuchKey"]}, rounds=1)
    assert len(run.files) == 1
    assert run.told() == [("b", "NoSuchKey", 0)]


def test_a_key_is_told_whatever_it_looks_like_and_once_for_each_version(s3: Any) -> None:
    run = Simulation(s3)
    run.chain("replicate", "replicate", {key: ["AccessDenied"] for key in TRAPS}, rounds=0, version="v")
    assert [row.key for row in final_rows(s3, BUCKET, run.record())] == TRAPS
    assert {(row.version_id, row.message) for row in final_rows(s3, BUCKET, run.record())} == {
        ("v", 'a, "b"')
    }


def test_restorations_stand_under_the_name_of_their_manifest(s3: Any) -> None:
    run = Simulation(s3)
    run.chain("archived", "restore", {"a": [PASSING, ""], "b": [PASSING]}, rounds=1)
    assert run.told() == [("b", PASSING, 1)]


def test_of_a_run_that_broke_off_what_was_being_tried_again_counts_as_failed(s3: Any) -> None:
    run = Simulation(s3)
    run.chain("copy", "copy", {"a": [PASSING], "b": ["NoSuchKey"], "c": [PASSING, ""]}, rounds=0)
    run._job("copy", 1, total=2, failed=0, status="Active")
    assert run.told(broke_off=True) == [("a", PASSING, 0), ("b", "NoSuchKey", 0), ("c", PASSING, 0)]
    run.jobs[-1]["status"] = "Complete"
    assert run.told(broke_off=True) == [("b", "NoSuchKey", 0)]


def test_the_files_of_a_run_whose_name_goes_on_are_not_its_own(s3: Any) -> None:
    run, other = Simulation(s3), Simulation(s3)
    other.run_id = f"{run.run_id}-copy-1"
    other.chain("copy", "copy", {"not mine": ["NoSuchKey"]}, rounds=0)
    run.chain("copy", "copy", {"mine": ["NoSuchKey"]}, rounds=0)
    assert run.told(broke_off=True) == [("mine", "NoSuchKey", 0)]


def test_a_run_that_failed_at_nothing_has_no_rows(s3: Any) -> None:
    assert Simulation(s3).told() == []


def test_a_row_that_is_not_of_this_release_is_refused(s3: Any) -> None:
    run = Simulation(s3)
    run.chain("copy", "copy", {"a": ["NoSuchKey"]}, rounds=0)
    key = run.files[0].split("/", 3)[3]
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"bucket,key\nb,a\n")
    with pytest.raises(UnexpectedAnswer, match="not of this release"):
        run.told()


def test_a_row_as_a_document_has_the_key_as_it_is() -> None:
    row = FailedRow("b", "a%0A%2B", "", "NoSuchKey", "404", "m", "copy", "2")
    assert (row.document["key"], row.document["http_status"], row.document["round"]) == ("a\n+", 404, 2)


def test_the_next_file_of_a_manifest_has_rounds_of_its_own() -> None:
    complete = {"status": "Complete", "succeeded": 1, "failed": 0}
    jobs = [{"operation": "copy", "round": number, **complete} for number in (0, 1, 0, 0, 1)]
    known = concluded_rounds(jobs, set(), came_to_its_end=True)
    assert known == {
        Round("copy", 0),
        Round("copy", 1),
        Round("copy-2", 0),
        Round("copy-3", 0),
        Round("copy-3", 1),
    }
