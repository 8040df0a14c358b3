from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.record import Record
from seeder_cli.portrait import field, pair_of, portrait
from tests.runs import failure


def record(**members: Any) -> Record:
    given = {
        "run_id": "run-1",
        "state": "Complete",
        "event": "",
        "subject": "",
        "source": "source",
        "destination": "replica",
        "started_at": "2026-01-31T10:00:00Z",
        "ended_at": "2026-01-31T10:03:12Z",
        **members,
    }
    return Record.model_validate(given)


def lines(width: int | None = None, **members: Any) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    label = ""
    for line in portrait(record(**members), "state", width):
        label = line[:12].strip() or label
        told.setdefault(label, []).append(line[12:])
    return told


def test_a_run_that_is_complete_is_told_with_what_it_has() -> None:
    told = lines(
        total=2,
        succeeded=2,
        replica="equal",
        verification={"equal": 2},
        actual_usd="0.26",
        estimated_usd="0.27",
    )
    assert told == {
        "Run:": ["run-1"],
        "Pair:": ["source → replica"],
        "State:": ["Complete"],
        "Trigger:": ["manual"],
        "Time:": ["began 2026-01-31 10:00 UTC, ended 2026-01-31 10:03 UTC, took 3 min 12 s"],
        "Objects:": ["2 to seed, 2 succeeded, 0 failed"],
        "Replica:": ["equal; 2 equal"],
        "Cost:": ["0.26 USD, estimated 0.27 USD, by list prices"],
        "Files:": ["s3://state/runs/run-1/ (record run.json, page report.html, manifests, reports)"],
        "Next:": ["seeder report run-1 --html run.html"],
    }


@pytest.mark.parametrize(
    ("members", "label", "text"),
    [
        ({"state": "Failed", "error": "PairBusy", "cause": "busy\nnow"}, "State:", "Failed: PairBusy"),
        ({"state": "Failed", "cause": "busy\nnow"}, "Cause:", "busy\\nnow"),
        ({"request": {"trigger": "rule-added", "rule_id": "all"}}, "Trigger:", "rule-added, rule all"),
        (
            {"request": {"prefix": "a/", "tags": {"t": "1"}, "resync": True, "rounds": 2}},
            "Asked:",
            "resync=true, rounds=2",
        ),
        ({"request": {"prefix": "a/", "tags": {"t": "1"}}}, "Pair:", "source → replica (prefix a/, tag t=1)"),
        (
            {"large": 3, "archived": 1},
            "Objects:",
            "0 to seed, 0 succeeded, 0 failed, 3 over 5 GiB, 1 archived",
        ),
        ({"stages": {"A": 61.0, "B": 0.0, "C": 2.04}}, "Stages:", "A 1 min 1 s, C 2.0 s"),
        ({"failures": [failure("X", 1200)]}, "Failures:", "X 1,200, for example 'k'"),
        (
            {"replica": "differs", "verification": {"missing": 1, "during": 2, "examples": {"missing": "k"}}},
            "Replica:",
            "differs; 1 missing, 2 written by others meanwhile; for example missing 'k'",
        ),
        ({"failed": 1}, "Next:", "seeder failures run-1"),
        ({"state": "Failed"}, "Next:", "seeder retry run-1"),
        ({"archived_manifests": ["s3://state/archived.csv"]}, "Files:", "s3://state/archived.csv"),
    ],
)
def test_what_a_run_has_is_told(members: dict[str, Any], label: str, text: str) -> None:
    assert text in lines(**members)[label]


def test_the_jobs_are_a_row_each_by_round() -> None:
    job = {
        "operation": "copy",
        "region": "eu-west-1",
        "round": 1,
        "id": "j",
        "status": "Complete",
        "total": 1234,
        "failed": 0,
    }
    titles, row = lines(jobs=[job])["Jobs:"]
    assert titles.split() == ["ROUND", "OPERATION", "REGION", "STATUS", "TASKS", "FAILED", "ID"]
    assert row.split() == ["1", "copy", "eu-west-1", "Complete", "1,234", "0", "j"]


def test_objects_are_told_by_class_and_by_prefix_the_most_first() -> None:
    prefixes = {f"p{number}/": [number, 1024] for number in range(1, 8)}
    census = {"classes": {"STANDARD": [28, 2048]}, "prefixes": prefixes}
    _, classes, by_prefix = lines(census=census)["Objects:"]
    assert classes == "by class: STANDARD 28 (2.0 KiB)"
    assert by_prefix == (
        "by prefix: p7/ 7 (1.0 KiB), p6/ 6 (1.0 KiB), p5/ 5 (1.0 KiB), p4/ 4 (1.0 KiB), p3/ 3 (1.0 KiB), 2 more"
    )


def test_costs_are_told_line_by_line() -> None:
    bill = {"actual": [{"name": "Jobs", "quantity": 2, "unit": "jobs", "usd": "0.5000"}]}
    assert lines(actual_usd="0.50", bill=bill)["Cost:"][1] == "Jobs: 0.5000 USD (2 jobs)"


def test_a_sentence_is_wrapped_beside_its_label_and_addresses_are_never_cut() -> None:
    told = list(field("Cause", ["one two three four five six seven eight nine ten eleven", "x" * 70], 60))
    assert told == [
        "Cause:      one two three four five six seven eight nine ten",
        "            eleven",
        f"            {'x' * 70}",
    ]


def test_the_next_commands_of_a_run_without_a_stack_name_its_bucket() -> None:
    asked = {"prefix": "a b/", "tags": {"team": "x"}}
    told = list(portrait(record(state="Failed", failed=1, request=asked), "mine", 40, has_stack=False))
    assert [line[12:] for line in told[-3:]] == [
        "seeder failures run-1 --state-bucket mine",
        "seeder run source replica --prefix 'a b/' --tag=team=x --resync --here --state-bucket mine",
        "seeder report run-1 --state-bucket mine --html run.html",
    ]


@given(st.text(max_size=50), st.text(max_size=50), st.integers(20, 100))
def test_what_users_have_written_stays_on_its_line(cause: str, prefix: str, width: int) -> None:
    members = {
        "cause": cause,
        "request": {"prefix": prefix},
        "failures": [failure("X", example_key=prefix or "k")],
    }
    for line in portrait(record(**members), "state", width):
        assert line.isprintable() or not line
    assert pair_of("a", "b", {"prefix": prefix}).isprintable()
