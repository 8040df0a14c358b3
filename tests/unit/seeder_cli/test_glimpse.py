from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from seeder.fleet.overview import STATES, PairRow, totals
from seeder_cli.glimpse import FAILED, NOT_PROVEN, PROVEN, answer, changes, status_of, table
from seeder_cli.watching import plain

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
CAUSE = "1 of 2 objects were not copied: AccessDenied 1. The batch role may not read the source."


def row(source: str = "a", state: str = "Complete", **fields: Any) -> PairRow:
    given = {
        "destination": f"{source}-replica",
        "scope": "",
        "run_id": f"manual-{source}-to-{source}-replica-0123456789abcdef",
        "trigger": "manual",
        "total": 1234,
        "succeeded": 1234,
        "failed": 0,
        "replica": "equal",
        "ended_at": (NOW - timedelta(minutes=3)).isoformat(),
        "cause": "",
        **fields,
    }
    return PairRow(source=source, state=state, **given)


def lines(rows: list[PairRow], width: int | None) -> list[str]:
    return [plain(line) for line in table(rows, NOW, width)]


def test_a_row_tells_its_pair_state_counts_and_age() -> None:
    titles, line = lines([row("app-logs")], None)
    assert titles.split() == [
        "SOURCE", "DESTINATION", "STATE", "OBJECTS", "FAILED", "REPLICA", "AGE", "RUN", "CAUSE",
    ]  # fmt: skip
    assert line.split() == [
        "app-logs", "app-logs-replica", "Complete", "1,234", "0", "equal", "3", "min",
        "manual-app-logs-to-app-logs-replica-0123456789abcdef",
    ]  # fmt: skip


def test_for_grep_a_row_is_one_line_with_its_cause_and_nothing_is_cut() -> None:
    rows = [row("a" * 63, "Failed", failed=1, cause=f"{CAUSE}\nmore", scope="prefix x/")]
    assert len(found := lines(rows, None)) == 2
    assert found[1].endswith("The batch role may not read the source.\\nmore")
    assert "prefix x/" in found[1]


def test_on_a_terminal_a_cause_is_a_line_below_that_fits() -> None:
    _, line, cause = lines([row("a", "Failed", failed=1, cause=CAUSE)], 60)
    assert len(cause) == 60
    assert cause.startswith("  1 of 2 objects were not copied: AccessDenied 1.")
    assert cause.endswith("…")
    assert CAUSE[:20] not in line


def test_a_run_that_goes_on_has_no_counts_yet() -> None:
    assert lines([row("a", "Running", total=0, replica="", cause="")], None)[1].split()[2:6] == [
        "Running", "3", "min", "manual-a-to-a-replica-0123456789abcdef",
    ]  # fmt: skip


def test_the_state_has_its_colour_and_nothing_else_has() -> None:
    colors = [
        {piece.color: piece.text.strip() for piece in line if piece.color}
        for line in table([row("a", "Failed")], NOW, 80)
    ]
    assert colors[1] == {"red": "Failed"}


any_row = st.builds(
    row,
    st.text(min_size=1, max_size=63),
    st.sampled_from(STATES),
    cause=st.text(max_size=200),
    scope=st.text(max_size=30),
    total=st.integers(0, 10**9),
    ended_at=st.one_of(st.text(max_size=10), st.just(NOW.isoformat())),
)


@given(st.lists(any_row, max_size=4), st.integers(20, 200))
def test_every_line_fits_any_terminal(rows: list[PairRow], width: int) -> None:
    assert all(cell_len(line) <= width for line in lines(rows, width))


@pytest.mark.parametrize(
    ("states", "verdict", "status"),
    [
        (["Complete", "Complete"], "All there: 2 pairs, 2 complete; ", PROVEN),
        (["Complete"], "All there: 1 pair, 1 complete; ", PROVEN),
        (["Complete", "Running"], "Not yet all there: 2 pairs, 1 complete, 1 running; ", NOT_PROVEN),
        (["Complete", "Waiting"], "Not yet all there: 2 pairs, 1 complete, 1 waiting; ", NOT_PROVEN),
        (["Complete", "Skipped"], "Not all there: 2 pairs, 1 complete, 1 skipped; ", NOT_PROVEN),
        (["Failed", "Running"], "Not all there: 2 pairs, 1 running, 1 failed; ", FAILED),
        ([], "No pairs yet: ", NOT_PROVEN),
    ],
)
def test_the_last_line_says_whether_all_is_there(states: list[str], verdict: str, status: int) -> None:
    found = totals([row(f"bucket-{number}", state) for number, state in enumerate(states)])
    assert answer(found, NOW).startswith(verdict)
    assert status_of(found) == status


def test_the_last_line_names_the_oldest_proof() -> None:
    old = row("old", ended_at=(NOW - timedelta(days=3)).isoformat())
    told = answer(totals([row(), old]), NOW)
    assert told.endswith(
        "; 2,468 objects in their last runs; the oldest proof is of 3 days ago (old → old-replica)"
    )


def test_changes_are_the_pairs_that_are_new_or_in_another_state_or_run() -> None:
    before = [row("a", "Running"), row("b"), row("c"), row("d")]
    after = [
        row("a", "Failed", failed=2, replica="differs", cause="why\nnot"),
        row("b", run_id="another"),
        row("c"),
        row("d", ended_at=NOW.isoformat()),
        row("e", "Waiting", scope="prefix x/", replica=""),
    ]
    assert changes(before, after, NOW) == [
        "12:00:00 a → a-replica: Failed; 1,234 objects, 2 failed; replica differs; why\\nnot",
        "12:00:00 b → b-replica: Complete; 1,234 objects, 0 failed; replica equal",
        "12:00:00 e → e-replica (prefix x/): Waiting",
    ]
