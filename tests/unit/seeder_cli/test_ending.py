from __future__ import annotations

from typing import Any

import pytest

from seeder_cli import ending
from seeder_cli.follow import Outcome


def command(name: str) -> str:
    return f"seeder {name} my-run"


FAILURE = {"code": "AccessDenied", "count": 1}


def record(state: str = "Complete", **more: Any) -> dict[str, Any]:
    return {"state": state, "error": "", "cause": "", "total": 3, "succeeded": 3, "failed": 0} | more


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (0, record(replica="equal")),
        (0, record(replica="extra")),
        # A record that says Complete without a proof is none.
        (3, record(replica="")),
        (3, record(replica="differs")),
        (1, record("Failed", error="SeedingFailed", replica="differs")),
        (1, record("Failed", error="SeedingFailed", replica="equal")),
        (1, record("Failed", error="SeedingFailed", replica="", failed=1)),
        (1, record("Failed", error="SeedingFailed", replica="", failures=[FAILURE])),
        (1, record("Failed", error="ObjectsArchived", replica="equal")),
        (2, record("Failed", error="InvalidRequest")),
        (3, record("Failed", error="PairBusy")),
        (3, record("Failed", error="AccessDenied")),
        (3, record("Failed", error="States.Timeout")),
        (3, record("Failed", error="SeedingFailed", replica="")),
        (3, record("Failed", error="Cancelled")),
        (3, record("Failed", error="Cancelled", failed=1, failures=[FAILURE])),
        (3, record("Failed", error="Interrupted")),
        (3, record("Skipped")),
        (3, None),
    ],
)
def test_the_exit_status_tells_what_was_proven(status: int, found: dict[str, Any] | None) -> None:
    assert ending.exit_status(found) == status


def outcome(status: str, **stages: Any) -> Outcome:
    return Outcome("my-run", status, 1, stages=stages)


def test_a_run_that_was_skipped_has_a_record_that_says_so() -> None:
    found = ending.record_of(outcome("SUCCEEDED", claim={"cause": "the run 'x' is seeding 'b' from 'a'"}))
    assert found is not None
    assert list(ending.lines(found)) == ["State: Skipped: the run 'x' is seeding 'b' from 'a'"]


def test_an_aborted_run_has_no_record_and_its_user_is_told_how_to_tidy_up() -> None:
    found = ending.record_of(outcome("ABORTED", claim={"cause": ""}))
    assert found is None
    (told,) = ending.troubles(found, "my-run", command)
    assert "seeder cancel my-run" in told
    assert "seeder retry my-run" in told


def test_a_good_end_is_three_lines() -> None:
    proof = {"equal": 836, "extra": 0}
    found = record(replica="equal", verification=proof, actual_usd="0.26", estimated_usd="0.27")
    assert list(ending.lines(found)) == [
        "State: Complete, Total: 3, Success: 3, Failed: 0",
        "Replica: equal (836 objects compared)",
        "Cost: 0.26 USD (estimated: 0.27 USD), by list prices",
    ]
    assert list(ending.troubles(found, "my-run", command)) == []


@pytest.mark.parametrize(
    ("proof", "told"),
    [
        (
            {"replica": "differs", "verification": {"missing": 2, "different": 1, "extra": 0, "equal": 5}},
            "Replica: not equal: 2 missing, 1 different, 0 extra (5 equal)",
        ),
        (
            {"replica": "extra", "verification": {"extra": 4, "equal": 5}},
            "Replica: complete (5 objects equal), and it holds 4 more",
        ),
        ({"replica": "", "verification": {}}, "Replica: not compared"),
    ],
)
def test_the_replica_is_told_as_it_was_found(proof: dict[str, Any], told: str) -> None:
    assert told in ending.lines(record("Failed", **proof))


def test_a_cost_that_is_not_known_is_not_told_as_one() -> None:
    assert not [line for line in ending.lines(record(replica="equal")) if line.startswith("Cost")]
    (cost,) = [line for line in ending.lines(record("Failed", estimated_usd="1.20")) if "Cost" in line]
    assert cost == "Cost: estimated 1.20 USD, actual not known, by list prices"


def test_a_failure_names_the_next_commands() -> None:
    failed = record("Failed", error="SeedingFailed", cause="1 of 3", failures=[FAILURE], failed=1)
    assert list(ending.troubles(failed, "my-run", command)) == [
        "SeedingFailed: 1 of 3",
        "what failed: seeder failures my-run",
        "to seed what is lacking: seeder retry my-run",
    ]


def test_a_request_that_will_not_do_is_not_to_be_tried_again() -> None:
    told = list(
        ending.troubles(record("Failed", error="InvalidRequest", cause="source: no"), "my-run", command)
    )
    assert told == ["InvalidRequest: source: no"]
