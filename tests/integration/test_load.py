"""The load benchmark at a size for every day: whole runs by the handlers, cut into several calls."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from benchmarks import load
from benchmarks.load import Load, Measured, Wrong

KEYS = 20_000


@pytest.fixture(scope="module")
def measured() -> Measured:
    """Raises Wrong unless the records tell what was really copied."""
    return load.measured(Load(KEYS, "nested", speed=1000, seconds=0))


def test_a_run_cut_into_many_calls_is_recorded_right_and_the_replica_proven(measured: Measured) -> None:
    first, second = measured.runs
    assert (first.record["state"], second.record["state"]) == ("Failed", "Complete")
    assert second.record["verification"]["equal"] == KEYS
    for run in measured.runs:
        assert len(run.of("PaginateKeys")) > 3
        assert len(run.of("VerifyReplica")) > 3


def test_state_and_history_of_a_cut_run_stay_within_what_an_execution_may_have(measured: Measured) -> None:
    for run in measured.runs:
        assert 0 < run.largest_state < load.MOST_BYTES
        assert 0 < run.events < load.MOST_EVENTS


def test_each_call_tells_its_time_and_peak_of_memory(measured: Measured) -> None:
    calls = [call for run in measured.runs for call in run.calls]
    assert all(call.wall > 0 and call.cpu > 0 and call.peak > 10 for call in calls)


def test_the_tables_tell_both_runs(measured: Measured) -> None:
    text = load.shown([measured])
    assert "AccessDenied 5" in text
    assert f"{KEYS:,} · 0" in text
    assert "| no |" not in text


@pytest.mark.parametrize("field", ["succeeded", "failed", "total"])
def test_a_record_that_miscounts_is_refused(measured: Measured, field: str) -> None:
    record: dict[str, Any] = copy.deepcopy(measured.runs[0].record)
    record[field] += 1
    with pytest.raises(Wrong, match=field):
        load.check_first(record, KEYS)


def test_a_record_that_calls_a_lacking_replica_equal_is_refused(measured: Measured) -> None:
    record: dict[str, Any] = copy.deepcopy(measured.runs[1].record)
    record["verification"]["missing"] = 1
    with pytest.raises(Wrong, match="comparison"):
        load.check_second(record, KEYS)
