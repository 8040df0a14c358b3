from __future__ import annotations

from typing import Any

import pytest

from seeder.report import Failure
from seeder.sink import Upload
from seeder.verdict import GONE, Verdict, judge
from seeder.work import Work
from tests.runs import failure, manifests_of, run_of, verified

COMPLETE = Verdict("Complete")


def failed(*failures: Failure, succeeded: int = 0) -> Work:
    count = sum(item.count for item in failures)
    return Work(succeeded=succeeded, failed=count, failures=list(failures))


def judged(
    work: Work | None = None, result: str = "equal", asked: dict[str, Any] | None = None, **found: Any
) -> Verdict:
    manifests = manifests_of(own=(4,), archived=found.get("archived", 0))
    return judge(run_of(**(asked or {})), manifests, work or Work(succeeded=4), verified(result, **found))


@pytest.mark.parametrize("result", ["equal", "extra"])
def test_a_run_is_complete_if_the_replica_holds_all_and_nothing_is_left_to_explain(result: str) -> None:
    assert judged(result=result) == COMPLETE


def test_what_others_wrote_meanwhile_is_no_failure() -> None:
    assert judged(during=7) == COMPLETE


@pytest.mark.parametrize("code", sorted(GONE))
def test_what_is_gone_from_the_source_is_no_failure_if_the_replica_is_equal(code: str) -> None:
    work = failed(failure(code, 2, "permanent"), succeeded=2)
    assert judged(work) == COMPLETE
    assert judged(work, "differs", missing=2).state == "Failed"


def test_failures_are_told_by_code_with_advice_on_the_most_frequent_that_matters() -> None:
    gone, denied = (
        failure("NoSuchKey", 9, "permanent"),
        failure("AccessDenied", 2, "person", example_key="a b"),
    )
    seen = judged(failed(gone, denied, failure("SlowDown", 1), succeeded=3))
    assert (seen.state, seen.error) == ("Failed", "SeedingFailed")
    assert seen.cause == (
        "12 of 15 objects were not copied: NoSuchKey 9 (for example 'k'), AccessDenied 2 (for example 'a b'), "
        "SlowDown 1 (for example 'k'). See to AccessDenied."
    )


def test_all_rows_failing_in_a_job_that_aws_calls_complete_is_a_failed_run_even_if_the_replica_is_equal() -> (
    None
):
    assert judged(failed(failure("AccessDenied", 4, "person"))).state == "Failed"


def test_failures_of_rare_codes_are_failures() -> None:
    assert judged(failed(failure("(other codes)", 1, "person"))).state == "Failed"


def test_a_problem_of_a_job_fails_the_run_even_if_the_replica_is_equal() -> None:
    seen = judged(Work(succeeded=4, problems=["job j is Failed (why): 0 of 4 tasks were run"]))
    assert (seen.state, seen.error) == ("Failed", "SeedingFailed")
    assert seen.cause == (
        "job j is Failed (why): 0 of 4 tasks were run; the replica is equal all the same, and nothing is left to do"
    )


def test_a_problem_of_a_job_whose_objects_are_missing_ends_with_what_to_do_about_these() -> None:
    seen = judged(Work(problems=["job j is Cancelled (why): 0 of 4 tasks were run"]), "differs", missing=4)
    assert seen.cause.endswith("run again to seed them")
    assert "nothing is left to do" not in seen.cause


def test_a_key_with_line_breaks_makes_no_cause_of_several_lines() -> None:
    denied = failure("AccessDenied", 1, "person", example_key="a\r\nb\u2028c")
    cause = judged(failed(denied)).cause
    assert cause.splitlines() == [cause]
    assert "'a\\r\\nb\\u2028c'" in cause


def test_a_long_key_is_cut_so_that_what_to_do_is_not() -> None:
    codes = [
        failure(code, 1, "person", example_key="x" * 1024) for code in ("AccessDenied", "NotImplemented")
    ]
    cause = judged(failed(*codes)).cause
    assert "x" * 100 + " …'" in cause
    assert len(cause) < 500
    assert cause.endswith("See to AccessDenied.")


def test_a_replica_that_differs_fails_the_run_and_says_what_and_where() -> None:
    file = Upload(bucket="state", key="runs/run/verification/differs-1.csv", count=5, etag="e")
    seen = judged(result="differs", missing=3, different=2, differs=file)
    assert seen.cause == (
        "the replica is not equal: 3 objects are missing there and 2 differ "
        "(s3://state/runs/run/verification/differs-1.csv); run again to seed them"
    )


def test_a_replica_that_was_not_compared_is_not_proven() -> None:
    assert judged(result="") == ("Failed", "SeedingFailed", "the replica was not compared")


def test_archived_objects_that_the_replica_lacks_are_told_with_what_to_do() -> None:
    seen = judged(archived=3)
    assert (seen.state, seen.error) == ("Failed", "ObjectsArchived")
    assert seen.cause == (
        "3 objects are archived and were not seeded (s3://state/runs/run/manifests/archived.csv); "
        "run again with restore: true to have them restored"
    )


@pytest.mark.parametrize(("tier", "hours"), [("BULK", 48), ("STANDARD", 12)])
def test_a_restoration_is_told_with_when_to_run_again(tier: str, hours: int) -> None:
    seen = judged(Work(succeeded=4, restored=2), archived=3, asked={"restore": True, "restore_tier": tier})
    assert seen.error == "ObjectsArchived"
    assert seen.cause.endswith(f"; the restoration of 2 was started: run again in {hours} hours")


def test_archived_objects_that_the_replica_has_already_are_no_failure() -> None:
    run, manifests = run_of(), manifests_of(own=(4,), archived=3)
    assert judge(run, manifests, Work(succeeded=4), verified(equal=7)) == COMPLETE


def test_objects_archived_while_the_run_went_on_are_told_too() -> None:
    run, manifests = run_of(), manifests_of(own=(4,))
    seen = judge(run, manifests, Work(succeeded=4), verified(equal=3, archived=1))
    assert seen.cause.startswith("1 objects are archived and were not seeded; run again")


def test_several_problems_are_all_told() -> None:
    work = failed(failure("AccessDenied", 1, "person")).model_copy(
        update={"problems": ["job j is Cancelled"]}
    )
    seen = judged(work, "differs", missing=1, archived=1)
    assert seen.error == "SeedingFailed"
    for part in ("AccessDenied 1", "job j is Cancelled", "archived", "not equal"):
        assert part in seen.cause


def test_nothing_to_seed_is_complete_once_compared() -> None:
    assert judge(run_of(), manifests_of(), Work(), verified()) == COMPLETE
