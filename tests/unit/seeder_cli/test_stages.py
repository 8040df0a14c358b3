from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from seeder_cli.history import Passage
from seeder_cli.stages import Doing, doing
from tests.unit.seeder_cli.following import RUN, job, manifest

MACHINE = yaml_parse((Path(__file__).parents[3] / "statemachine" / "seed.asl.yaml").read_text("utf-8"))
# States in which nobody waits for anything.
SILENT = {"Notify", "Announce"}


def now(state: str, note: int | None = None, look: tuple[int, int] = (0, 0), **stages: Any) -> Doing | None:
    return doing(Passage(state, {"run": RUN, **stages}), lambda job: look, lambda run_id, state: note)


@pytest.mark.parametrize(
    "state", [name for name, item in MACHINE["States"].items() if item["Type"] in ("Task", "Wait")]
)
def test_each_state_that_takes_time_is_told_in_words(state: str) -> None:
    told = now(state, work={"jobs": [job()]})
    assert (told is None) == (state in SILENT)
    assert not told or (" " in told.what or told.what in {"Listing", "Copying"})


@pytest.mark.parametrize(
    "state", [name for name, item in MACHINE["States"].items() if item["Type"] not in ("Task", "Wait")]
)
def test_of_a_state_that_takes_no_time_nothing_is_told(state: str) -> None:
    if state not in {"Skipped", "Complete", "Failed"}:
        assert now(state) is None


def test_a_listing_is_told_by_its_note_and_that_is_an_estimate() -> None:
    assert now("PaginateKeys") == ("Listing", None, None, False)
    assert now("PaginateKeys", note=412_000) == ("Listing", 412_000, None, True)


def test_between_two_calls_the_count_of_a_listing_is_exact() -> None:
    assert now("PaginateKeys", manifest=manifest(1_234, done=False)) == ("Listing", 1_234, None, False)
    # A note of the call before says less than is known by now.
    told = now("PaginateKeys", note=1_000, manifest=manifest(1_234, done=False))
    assert told == ("Listing", 1_234, None, False)


def test_a_resync_counts_what_it_found_equal_too() -> None:
    request = {**RUN["request"], "resync": True}  # type: ignore[dict-item]  # a mapping within a mapping
    found = {"equal": 90, "missing": 8, "different": 2, "archived": 0, "extra": 7}
    passage = Passage(
        "PaginateKeys", {"run": {**RUN, "request": request}, "manifest": manifest(10, compared=found)}
    )
    assert doing(passage, lambda job: (0, 0), lambda run_id, state: None) == Doing(
        "Listing both buckets", 100
    )


def test_a_job_is_told_by_its_tasks() -> None:
    told = now("AwaitJob", look=(412, 836), work={"jobs": [job()]})
    assert told == ("Copying", 412, 836, False)


def test_a_job_whose_tasks_are_not_counted_yet_has_those_of_its_manifest() -> None:
    assert now("DescribeJob", look=(0, 0), work={"jobs": [job()]}) == ("Copying", 0, 836, False)


def test_a_round_and_a_wait_for_a_person_are_told() -> None:
    assert now("AwaitJob", look=(1, 6), work={"jobs": [job(round=2)]}) == ("Copying, round 2", 1, 6, False)
    told = now("AwaitJob", work={"jobs": [job(status="Suspended", operation="replicate")]})
    assert told == ("Replicating: waits to be confirmed", None, None, False)


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"round": 1}, "Waiting before round 1"),
        ({"settled": 1}, "Waiting for S3 to know the job's role"),
        ({}, "Waiting for other jobs of the account"),
    ],
)
def test_a_pause_tells_what_it_waits_for(more: dict[str, Any], what: str) -> None:
    told = now("PauseBeforeJob", work={"jobs": [job(id="", **more)]})
    assert told is not None
    assert told.what == what


def test_a_comparison_is_told_of_all_that_was_listed() -> None:
    assert now("VerifyReplica", manifest=manifest(836)) == ("Comparing both buckets", None, None, False)
    told = now("VerifyReplica", note=412, manifest=manifest(836))
    assert told == ("Comparing both buckets", 412, 836, True)
    # The pages of a listing are not all full.
    told = now("VerifyReplica", note=1_000, manifest=manifest(836))
    assert told == ("Comparing both buckets", 836, 836, True)
    found = {"ranges": [["a", "b"]], "equal": 500, "missing": 3}
    told = now("VerifyReplica", manifest=manifest(836), verification=found)
    assert told == ("Comparing both buckets", 503, 836, False)


def test_a_second_look_at_the_replica_begins_at_nothing() -> None:
    found = {"ranges": None, "equal": 500, "missing": 3}
    assert now("VerifyReplica", manifest=manifest(836), verification=found) == (
        "Comparing both buckets",
        None,
        None,
        False,
    )


@pytest.mark.parametrize(
    "asked", [{"suffix": ".csv"}, {"tags": {"a": "b"}}, {"inventory": "s3://a/manifest.json"}]
)
def test_where_the_listing_does_not_tell_how_much_there_is_no_total_is_made_up(asked: dict[str, Any]) -> None:
    run = {**RUN, "request": {**RUN["request"], **asked}}  # type: ignore[dict-item]  # a mapping within a mapping
    told = now("VerifyReplica", note=412, run=run, manifest=manifest(836))
    assert told == ("Comparing both buckets", 412, None, True)
