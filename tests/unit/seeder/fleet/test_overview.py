from __future__ import annotations

from typing import Any, Literal

import pytest

from seeder.fleet.overview import PairRow, Sighting, State, ordered, overview, totals
from seeder.fleet.pairs import Known, LastRun


def known(
    source: str,
    state: Literal["Complete", "Failed", "Skipped"] = "Complete",
    at: str = "2026-01-02",
    run_id: str = "r",
    **fields: Any,
) -> Known:
    asked = {"source": source, "destination": f"{source}-replica", **fields}
    last = LastRun(run_id=run_id, state=state, ended_at=at, replica="equal", total=10, succeeded=10)
    return Known(request=asked, last_run=last)


def seen(source: str, state: State, at: str = "2026-01-03", run_id: str = "s", **fields: Any) -> Sighting:
    return Sighting(run_id, {"source": source, "destination": f"{source}-replica", **fields}, state, at)


def row(
    source: str = "a", state: str = "Complete", total: int = 0, failed: int = 0, at: str = "2026"
) -> PairRow:
    return PairRow(source, "b", "", "r", "manual", state, total, total - failed, failed, "", at, "")


def states(rows: list[PairRow]) -> dict[str, str]:
    return {item.source: f"{item.state} {item.run_id}" for item in rows}


def test_a_pair_has_one_row_with_its_last_run() -> None:
    (item,) = overview([known("a")])
    assert (item.source, item.destination, item.state, item.total, item.replica) == (
        "a",
        "a-replica",
        "Complete",
        10,
        "equal",
    )


@pytest.mark.parametrize(
    ("sightings", "told"),
    [
        ([seen("a", "Running")], "Running s"),
        ([seen("a", "Waiting", at="2025")], "Waiting s"),
        ([seen("a", "Failed")], "Failed s"),
        ([seen("a", "Failed", at="2026-01-01")], "Complete r"),
        ([seen("a", "Waiting", run_id="w"), seen("a", "Running")], "Running s"),
        ([seen("a", "Running"), seen("a", "Waiting", run_id="w")], "Running s"),
        ([seen("a", "Failed", at="2027", run_id="f"), seen("a", "Running")], "Running s"),
        ([seen("a", "Failed", at="2027", run_id="f"), seen("a", "Failed", at="2028")], "Failed s"),
        ([seen("a", "Running", at="2027", run_id="late"), seen("a", "Running", at="2026-02")], "Running s"),
    ],
)
def test_what_goes_on_stands_before_what_waits_and_that_before_the_newer_of_the_past(
    sightings: list[Sighting], told: str
) -> None:
    assert states(overview([known("a")], sightings)) == {"a": told}


def test_pairs_with_other_prefixes_or_tags_are_other_pairs() -> None:
    items = [known("a"), known("a", prefix="logs/"), known("a", tags={"x": "1"}), known("a", tags={"x": "2"})]
    assert [item.scope for item in overview(items)] == ["", "tag x=1", "tag x=2", "prefix logs/"]
    running = seen("a", "Running", prefix="logs/")
    assert [item.state for item in overview(items, [running])] == ["Complete"] * 3 + ["Running"]


def test_a_pair_that_nothing_is_known_of_has_a_row_when_its_run_is_seen() -> None:
    assert states(overview([], [seen("b", "Running"), seen("a", "Failed")])) == {
        "a": "Failed s",
        "b": "Running s",
    }


@pytest.mark.parametrize("document", [{}, {"source": "a"}, {"source": "a", "destination": ""}])
def test_an_input_that_names_no_pair_has_no_row(document: dict[str, Any]) -> None:
    assert overview([], [Sighting("r", document, "Running", "2026")]) == []


def test_an_input_with_wrong_tags_has_a_row() -> None:
    assert overview([], [seen("a", "Running", tags=["x"])])[0].scope == ""


@pytest.mark.parametrize(
    ("run_id", "trigger"),
    [("rule-added-a-to-b-1", "rule-added"), ("schedule-a-to-b-1", "schedule"), ("4f1e", "manual")],
)
def test_what_asked_for_a_run_is_told_by_its_name(run_id: str, trigger: str) -> None:
    assert overview([known("a", run_id=run_id)])[0].trigger == trigger


@pytest.mark.parametrize(
    ("by", "order"),
    [("source", "abcd"), ("state", "cdba"), ("objects", "bacd"), ("failed", "cabd"), ("age", "dcba")],
)
def test_rows_are_in_the_order_that_is_asked_for(by: str, order: str) -> None:
    rows = [
        row("a", "Complete", total=5, at="2029"),
        row("b", "Running", total=9, at="2028"),
        row("c", "Failed", total=2, failed=2, at="2027"),
        row("d", "Skipped", at="2026"),
    ]
    assert "".join(item.source for item in ordered(rows, by)) == order


def test_the_totals_count_by_state_and_name_the_oldest_proof() -> None:
    rows = [
        row("a", total=5, at="2027"),
        row("b", total=7, at="2026"),
        row("c", "Failed", total=1, at="2025"),
    ]
    rows += [row("d", "Running"), row("e", "Waiting"), row("f", "Skipped")]
    found = totals(rows)
    assert (found.pairs, found.complete, found.going, found.unproven, found.objects) == (6, 2, 2, 2, 13)
    assert found.oldest == rows[1]
    assert totals([]).oldest is None
