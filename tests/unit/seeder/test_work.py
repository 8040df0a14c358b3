from __future__ import annotations

import json
from random import Random
from typing import Any, Literal
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from seeder import jobs
from seeder.advice import OTHERS
from seeder.advice_table import TABLE
from seeder.errors import ServiceUnavailable, Throttled, aws_errors
from seeder.report import Failure, ReportProgress
from seeder.report_tally import OTHER_CODES, Tally
from seeder.roles import Roles
from seeder.run import Run
from seeder.work import (
    MOST_GROUPS,
    MOST_ROUNDS,
    MOST_SETTLINGS,
    Work,
    fresh_report,
    looked,
    merged,
    plan,
    reported,
    turn_awaited,
)
from tests.runs import EUROPE, HOME, ROLES, SETTINGS, failure, manifests_of, read, run_of


def created(now: Work, job_id: str = "job") -> Work:
    """Return the work after its current job was created."""
    job = now.the_current.model_copy(update={"id": job_id, "status": "New", "wait_seconds": 30})
    return now.with_current(job)


def ended(now: Work, status: str = "Complete", **counts: Any) -> Work:
    """Return the work after its current job was seen to have ended."""
    return now.with_current(now.the_current.model_copy(update={"status": status, "finished": True, **counts}))


def after_round(run: Run, now: Work, succeeded: int, *failures: Failure, status: str = "Complete") -> Work:
    """Return the work after its current job was created, ended so, and its report read."""
    seen = ended(created(now, f"job{len(now.jobs)}"), status)
    return reported(run, seen, read(fresh_report(run, seen), succeeded, *failures))


def shown(now: Work) -> list[tuple[str, str, int]]:
    return [(job.operation, job.region, job.manifest.count) for job in now.jobs]


def test_a_copy_has_its_objects_then_the_large_ones_each_where_it_belongs() -> None:
    now = plan(run_of(), manifests_of(own=(5,), large=2, archived=3))
    assert shown(now) == [("copy", EUROPE, 5), ("large", HOME, 2)]
    assert [job.fields for job in now.jobs] == [["Bucket", "Key"]] * 2
    assert (now.next, now.wait_seconds) == ("create", 0)


def test_archived_objects_have_a_job_only_if_asked() -> None:
    now = plan(run_of(restore=True), manifests_of(own=(5,), archived=3))
    assert shown(now) == [("copy", EUROPE, 5), ("restore", HOME, 3)]
    alone = plan(run_of(restore=True), manifests_of(archived=3))
    assert shown(alone) == [("restore", HOME, 3)]


def test_a_replication_names_versions_and_takes_objects_of_any_size() -> None:
    now = plan(run_of("replicate", restore=True), manifests_of("replicate", own=(5,), large=2, archived=1))
    assert shown(now) == [("replicate", HOME, 5), ("restore", HOME, 1)]
    assert [job.fields for job in now.jobs] == [["Bucket", "Key", "VersionId"]] * 2


def test_each_file_of_a_split_manifest_has_a_job() -> None:
    now = plan(run_of(), manifests_of(own=(10, 10, 3)))
    assert [(job.manifest.key.rpartition("/")[2], job.manifest.count) for job in now.jobs] == [
        ("copy.csv", 10),
        ("copy-2.csv", 10),
        ("copy-3.csv", 3),
    ]


def test_nothing_to_do_is_done_at_once() -> None:
    now = plan(run_of(), manifests_of())
    assert (now.jobs, now.next, now.current) == ([], "done", None)


def test_the_next_step_follows_the_current_job() -> None:
    run = run_of()
    now = plan(run, manifests_of(own=(2,)))
    assert now.next == "create"
    waiting = turn_awaited(now)
    assert (waiting.next, waiting.wait_seconds) == ("pause", 60)
    running = created(now)
    assert (running.next, running.wait_seconds) == ("look", 30)
    over = ended(running)
    assert over.next == "report"
    half = reported(run, over, fresh_report(run, over).model_copy(update={"offset": 7}))
    assert (half.next, half.report) == ("report", fresh_report(run, over).model_copy(update={"offset": 7}))
    done = reported(run, half, read(fresh_report(run, over), 2))
    assert (done.next, done.report, done.succeeded, done.failed) == ("done", None, 2, 0)


def test_one_job_follows_another() -> None:
    run = run_of(restore=True)
    now = plan(run, manifests_of(own=(2, 1), large=1, archived=1))
    for name in ("copy", "copy", "large", "restore"):
        assert (now.next, now.the_current.operation) == ("create", name)
        now = after_round(run, now, now.the_current.manifest.count)
    assert (now.next, now.succeeded, now.restored) == ("done", 4, 1)


def test_what_was_restored_was_not_seeded() -> None:
    run = run_of(restore=True)
    now = after_round(run, plan(run, manifests_of(archived=4)), 3, failure("X", kind="permanent"))
    assert (now.succeeded, now.restored, now.failed) == (0, 3, 1)


def test_a_turn_is_awaited_longer_and_longer_and_never_given_up() -> None:
    now, waits = plan(run_of(), manifests_of(own=(1,))), []
    for _ in range(60):
        now = turn_awaited(now)
        assert (now.next, now.wait_seconds) == ("pause", now.the_current.wait_seconds)
        waits.append(now.wait_seconds)
    assert waits[0] == 60
    assert waits == sorted(waits)
    assert waits[-1] == 3600
    assert sum(waits) > 86_400
    assert created(now).next == "look"


def test_only_what_failed_for_a_passing_reason_is_tried_again() -> None:
    run = run_of()
    now = after_round(
        run,
        plan(run, manifests_of(own=(9,))),
        4,
        failure("SlowDown", 3),
        failure("NoSuchKey", 2, "permanent"),
    )
    again = now.the_current
    assert (again.operation, again.region, again.round, again.attempt) == ("copy", EUROPE, 1, 1)
    assert (again.manifest.count, again.manifest.key, again.id) == (3, "runs/run/rounds/copy-0.csv", "")
    assert again.fields == ["Bucket", "Key"]
    assert (now.next, now.wait_seconds) == ("pause", 60)
    assert (now.succeeded, now.failed) == (4, 2)
    assert [(item.code, item.count) for item in now.failures] == [("NoSuchKey", 2)]


def test_the_next_round_comes_before_the_next_job() -> None:
    run = run_of()
    now = after_round(run, plan(run, manifests_of(own=(2,), large=1)), 1, failure())
    assert [(job.operation, job.round) for job in now.jobs] == [("copy", 0), ("copy", 1), ("large", 0)]
    assert now.the_current.round == 1


@pytest.mark.parametrize("rounds", [0, 1, 3, 10])
def test_rounds_are_bounded_and_what_fails_in_the_last_has_failed_once(rounds: int) -> None:
    run = run_of(rounds=rounds)
    now = plan(run, manifests_of(own=(5,)))
    for _ in range(rounds + 1):
        now = after_round(run, now, 0, failure("SlowDown", 5))
    assert now.next == "done"
    assert [job.round for job in now.jobs] == list(range(rounds + 1))
    assert (now.succeeded, now.failed) == (0, 5)
    assert [(item.code, item.count) for item in now.failures] == [("SlowDown", 5)]
    assert len(now.failure_files) == len(set(now.failure_files)) == rounds + 1


def test_rounds_wait_longer_each_time_up_to_a_quarter_of_an_hour() -> None:
    run, waits = run_of(rounds=10), []
    now = plan(run, manifests_of(own=(5,)))
    for _ in range(10):
        now = after_round(run, now, 0, failure("SlowDown", 5))
        waits.append(now.wait_seconds)
    assert waits == [60, 120, 240, 480, 900, 900, 900, 900, 900, 900]


def test_what_succeeds_in_a_later_round_has_succeeded() -> None:
    run = run_of()
    now = after_round(run, plan(run, manifests_of(own=(5,))), 2, failure(count=3))
    now = after_round(run, now, 2, failure("AccessDenied", 1, "person"))
    assert (now.next, now.succeeded, now.failed) == ("done", 4, 1)
    assert [item.code for item in now.failures] == ["AccessDenied"]


UNFINISHED = "OutOfTime: 3 of 100 parts are there; the next call goes on"


def test_rounds_that_only_go_on_are_no_attempts_but_are_not_without_end() -> None:
    run = run_of(rounds=0)
    now = plan(run, manifests_of(large=1))
    slow = failure("TemporaryFailure", message=UNFINISHED)
    for _ in range(MOST_ROUNDS):
        now = after_round(run, now, 0, slow)
        assert (now.next, now.the_current.attempt, now.wait_seconds) == ("pause", 0, 60)
    now = after_round(run, now, 0, slow)
    assert now.next == "done"
    assert [job.round for job in now.jobs] == list(range(MOST_ROUNDS + 1))
    assert (now.failed, now.failures[0].code) == (1, "TemporaryFailure")


def test_a_round_that_goes_on_is_no_attempt_whatever_was_lost_for_good_beside_it() -> None:
    run = run_of(rounds=0)
    slow, gone = failure("TemporaryFailure", message=UNFINISHED), failure("NoSuchKey", 1, "permanent")
    denied = failure("AccessDenied", 1, "person")
    now = after_round(run, plan(run, manifests_of(large=3)), 0, slow, gone, denied)
    assert (now.the_current.round, now.the_current.attempt, now.failed) == (1, 0, 2)


def test_a_round_that_goes_on_and_tries_again_is_an_attempt() -> None:
    run = run_of(rounds=1)
    slow, busy = failure("TemporaryFailure", message=UNFINISHED), failure("SlowDown")
    now = after_round(run, plan(run, manifests_of(large=2)), 0, slow, busy)
    assert now.the_current.attempt == 1
    now = after_round(run, now, 0, slow, busy)
    assert (now.next, now.failed) == ("done", 2)


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Vanished"])
def test_a_job_that_did_not_end_well_is_told_and_not_tried_again(status: str) -> None:
    run = run_of()
    now = created(plan(run, manifests_of(own=(5,), large=1)), "job7")
    now = ended(now, status, reasons=["why"])
    now = reported(run, now, read(fresh_report(run, now), 1, failure("SlowDown", 2)))
    assert (now.succeeded, now.failed) == (1, 2)
    assert len(now.problems) == 1
    for part in (
        "job7",
        "why",
        "not found" if status == "Vanished" else f"{status} (why): 3 of 5 tasks were run",
    ):
        assert part in now.problems[0]
    assert (now.next, now.the_current.operation) == ("create", "large")


def test_a_job_that_failed_without_a_reason_says_so() -> None:
    run = run_of()
    now = ended(created(plan(run, manifests_of(own=(5,)))), "Failed")
    now = reported(run, now, read(fresh_report(run, now)))
    assert now.problems == ["job job is Failed (S3 Batch Operations gave no reason): 0 of 5 tasks were run"]


@pytest.mark.parametrize(
    ("counts", "rows", "says"),
    [
        ({"total": 5, "succeeded": 5, "failed": 0}, 4, "the job counted 5 tasks"),
        ({"total": 5, "succeeded": 4, "failed": 1}, 5, "4 succeeded and 1 failed"),
        ({}, 4, "its report accounts for 4 of the manifest's 5 objects"),
        (
            {"total": 6, "succeeded": 6, "failed": 0},
            6,
            "its report accounts for 6 of the manifest's 5 objects",
        ),
    ],
)
def test_counts_that_contradict_one_another_are_told(counts: dict[str, Any], rows: int, says: str) -> None:
    run = run_of()
    now = ended(created(plan(run, manifests_of(own=(5,)))), **counts)
    now = reported(run, now, read(fresh_report(run, now), rows))
    assert len(now.problems) == 1
    assert says in now.problems[0]


def test_counts_that_agree_are_no_problem_nor_are_those_not_told() -> None:
    run = run_of()
    told: list[dict[str, Any]] = [{"total": 5, "succeeded": 5, "failed": 0}, {}]
    for counts in told:
        now = ended(created(plan(run, manifests_of(own=(5,)))), **counts)
        assert reported(run, now, read(fresh_report(run, now), 5)).problems == []


def test_files_of_all_jobs_and_rounds_have_names_of_their_own_that_do_not_grow() -> None:
    run = run_of(rounds=10, restore=True)
    now = plan(run, manifests_of(own=(3, 3), large=3, archived=3))
    keys = []
    for _ in range(4 * 11):
        fresh = fresh_report(run, now)
        keys += [fresh.retry_file.key, fresh.failures_file.key]
        now = after_round(run, now, 0, failure("SlowDown", 3))
    assert len(keys) == len(set(keys)) == 2 * 4 * 11
    assert keys[:2] == [
        "runs/run/rounds/copy-0.csv",
        "datasets/seeding_failures/year=2026/month=01/day=31/run-copy-0.csv",
    ]
    assert "runs/run/rounds/copy-2-10.csv" in keys
    assert max(map(len, keys)) < 80


def test_failures_of_several_rounds_are_counted_together() -> None:
    told = merged([failure("A", 1), failure("B", 5)], [failure("A", 2), failure("A", 4, advice="another")])
    assert [(item.code, item.count) for item in told] == [("B", 5), ("A", 4), ("A", 3)]


def test_there_are_at_most_thirty_groups_and_none_is_lost() -> None:
    groups: list[Failure] = []
    for start in range(0, 100, 10):
        groups = merged(
            groups, [failure(f"C{number}", number + 1, "permanent") for number in range(start, start + 10)]
        )
    assert len(groups) == MOST_GROUPS
    assert sum(item.count for item in groups) == sum(range(1, 101))
    other = [item for item in groups if item.code == OTHER_CODES]
    assert len(other) == 1
    assert (other[0].kind, other[0].advice) == (OTHERS.kind, OTHERS.text)


def test_rows_of_rare_codes_that_are_tried_again_have_not_failed_yet() -> None:
    run = run_of()
    now = ended(created(plan(run, manifests_of(own=(10,)))))
    others = failure(OTHER_CODES, 7, "person", advice=OTHERS.text)
    report = read(fresh_report(run, now), 1, failure("SlowDown", 2), others, retryable=2 + 4)
    now = reported(run, now, report)
    assert (now.failed, [(item.code, item.count) for item in now.failures]) == (3, [(OTHER_CODES, 3)])
    all_of_them = read(report, 1, failure("SlowDown", 2), others, retryable=9)
    now = reported(run, ended(created(plan(run, manifests_of(own=(10,))))), all_of_them)
    assert (now.failed, now.failures) == (0, [])


LONGEST_ADVICE = 200


def worst_failures() -> list[Failure]:
    """The most and largest groups that a report has."""
    tally = Tally([], [], "large", 0)
    key, text = b"b," + quote("\x01" * 1024).encode(), b"\x01" * 5000
    tally.add([(key, b"", b"400", f"{number:064}".encode(), text) for number in range(200)])
    long = [item.advice + "x" * (LONGEST_ADVICE - len(item.advice)) for item in tally.failures()]
    return [
        item.model_copy(update={"advice": advice, "count": 10**10})
        for item, advice in zip(tally.failures(), long, strict=True)
    ]


def test_no_advice_is_longer_than_is_reckoned_with() -> None:
    action = "kms:GenerateDataKeyWithoutPlaintext"
    longest = max(len(rule.text.replace("{action}", action)) for rules in TABLE.values() for rule in rules)
    assert longest <= LONGEST_ADVICE


def test_the_largest_work_leaves_room_in_the_state_of_an_execution() -> None:
    run = run_of(rounds=10, run_id="r" * 80)
    now = plan(run, manifests_of(own=(10**10,), large=10**10)).model_copy(update={"estimated_usd": "1" * 20})
    worst = [item for item in worst_failures() if item.code != OTHER_CODES]
    unfinished = failure("TemporaryFailure", 1, message=UNFINISHED, advice="x")
    for number in range(MOST_ROUNDS + 11):
        job = now.the_current.model_copy(
            update={"active_seconds": 10**7, "looks": 60, "waited_seconds": 10**7}
        )
        seen = ended(
            created(now.with_current(job), f"{number:036}"), total=10**11, succeeded=10**10, failed=10**10
        )
        last = seen.the_current.operation == "large"
        busy = unfinished if last else failure("SlowDown")
        now = reported(run, seen, read(fresh_report(run, seen), 10**10, *worst, busy, retryable=1))
    half = fresh_report(run, now).model_copy(
        update={
            "failures": worst_failures(),
            "offset": 10**11,
            "etag": "e" * 40,
            "mark": "m" * 32,
            "fields": ["Bucket", "Key"],
        }
    )
    now = reported(run, ended(created(now, "f" * 36), reasons=["x" * 330] * 5), half)
    assert len(now.jobs) == MOST_ROUNDS + 12
    assert len(now.failures) == MOST_GROUPS
    assert len(now.model_dump_json()) < 100_000


class Aws:
    """S3 Batch Operations as luck has it. `never` counts the rows of jobs that ended before they were run."""

    def __init__(self, luck: Random) -> None:
        self.luck = luck
        self.tokens: dict[str, str] = {}
        self.manifests: set[tuple[str, str]] = set()
        self.running: dict[str, list[str]] = {}
        self.never = 0

    def create_job(self, **asked: Any) -> dict[str, str]:
        if self.luck.random() < 0.2:
            raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": ""}}, "CreateJob")
        token = asked["ClientRequestToken"]
        if token not in self.tokens:
            made = (asked["Manifest"]["Location"]["ObjectArn"], *asked["Operation"])
            assert made not in self.manifests, "no manifest is given to two jobs"
            self.manifests.add(made)
            self.tokens[token] = f"job{len(self.tokens)}"
            end = self.luck.choice(["Complete"] * 8 + ["Failed", "Cancelled", "Vanished"])
            self.running[self.tokens[token]] = [*self.luck.choices(RUNNING, k=self.luck.randrange(4)), end]
        if self.luck.random() < 0.1:
            raise EndpointConnectionError(endpoint_url="the answer was lost")
        return {"JobId": self.tokens[token]}

    def describe_job(self, **asked: Any) -> dict[str, Any]:
        left = self.running[asked["JobId"]]
        status = left[0] if len(left) == 1 else left.pop(0)
        if status in {"Vanished", "not found"}:
            raise ClientError({"Error": {"Code": "NoSuchJob", "Message": "No such job"}}, "DescribeJob")
        return {"Job": {"Status": status, "FailureReasons": []}}

    def report(self, run: Run, now: Work) -> ReportProgress:
        """Read the report of the current job, whose tasks ended as luck had it."""
        job, left = now.the_current, now.the_current.manifest.count
        ran = (
            left
            if job.status == "Complete"
            else self.luck.randint(0, left)
            if job.status != "Vanished"
            else 0
        )
        self.never += left - ran
        failures, succeeded = [], ran
        for code, kind, message in FAILURES:
            count = self.luck.randint(0, succeeded)
            succeeded -= count
            if count:
                failures.append(failure(code, count, kind, message=message))
        return read(fresh_report(run, now), succeeded, *failures)


RUNNING = ["New", "Preparing", "not found", "Suspended", "Ready", "Active", "Paused"]
FAILURES = [
    ("TemporaryFailure", "retryable", UNFINISHED),
    ("SlowDown", "retryable", "busy"),
    ("NoSuchKey", "permanent", ""),
    ("AccessDenied", "person", ""),
]


def stepped(run: Run, now: Work, aws: Aws) -> Work:
    """Return the work after the step that is next, done as the functions do it."""
    client: Any = aws
    if now.next in {"create", "pause"}:
        try:
            with aws_errors():
                return now.with_current(jobs.create(client, run, now.the_current, SETTINGS, ROLES))
        except Throttled:
            return turn_awaited(now)
        except ServiceUnavailable:
            return now
    if now.next == "look":
        return now.with_current(jobs.describe(client, run.account_id, now.the_current))
    return reported(run, now, aws.report(run, now))


@given(
    st.randoms(use_true_random=False),
    st.sampled_from(["copy", "replicate"]),
    st.lists(st.integers(0, 50), min_size=1, max_size=3),
    st.integers(0, 3),
    st.integers(0, 5),
    st.integers(0, 3),
)
@property_settings(max_examples=60, deadline=None)
def test_whatever_becomes_of_its_jobs_a_run_ends_and_accounts_for_every_row_once(
    luck: Random,
    operation: Literal["copy", "replicate"],
    own: list[int],
    large: int,
    archived: int,
    rounds: int,
) -> None:
    run = run_of(operation, rounds=rounds, restore=True)
    manifests = manifests_of(operation, own=tuple(own), large=large, archived=archived)
    now, aws, steps = plan(run, manifests), Aws(luck), 0
    rows = sum(job.manifest.count for job in now.jobs)
    while now.next != "done":
        now = stepped(run, Work.model_validate(json.loads(now.model_dump_json())), aws)
        steps += 1
        assert steps < 20_000
    assert now.succeeded + now.restored + now.failed + aws.never == rows
    assert sum(item.count for item in now.failures) == now.failed
    assert [job.id for job in now.jobs] == list(aws.running)
    assert bool(now.problems) == any(job.status != "Complete" for job in now.jobs)
    assert all(job.attempt <= rounds for job in now.jobs)


MADE = ROLES.model_copy(update={"made": True})
NOT_ASSUMED = ["RoleNotAssumable: The role arn:aws:iam::123456789012:role/jobs cannot be assumed"]


def failed_early(now: Work, roles: Roles, reasons: list[str], **counts: Any) -> Work:
    """Return the work after its current job was created and seen to have failed."""
    running = created(now, f"job{len(now.jobs)}")
    update = {"status": "Failed", "finished": True, "reasons": reasons, **counts}
    return looked(running, running.the_current.model_copy(update=update), roles)


def test_a_job_whose_fresh_role_is_not_known_yet_is_created_again_after_longer_and_longer_waits() -> None:
    run = run_of()
    now, waits = plan(run, manifests_of(own=(3,), large=1)), []
    first = now.the_current
    for settled in range(1, MOST_SETTLINGS + 1):
        now = failed_early(now, MADE, NOT_ASSUMED)
        job = now.the_current
        assert (now.next, job.settled, job.round, job.attempt) == ("pause", settled, 0, 0)
        assert (job.manifest, job.fields, job.region) == (first.manifest, first.fields, first.region)
        waits.append(now.wait_seconds)
    assert waits == [30, 60, 120, 240, 480]
    done = after_round(run, now, 3)
    assert (done.succeeded, done.failed, done.problems, done.the_current.operation) == (3, 0, [], "large")
    assert [job.settled for job in done.jobs] == [0, 1, 2, 3, 4, 5, 0]


def test_a_role_that_never_settles_fails_the_run_with_awss_reason() -> None:
    run = run_of()
    now = plan(run, manifests_of(own=(3,)))
    for _ in range(MOST_SETTLINGS):
        now = failed_early(now, MADE, NOT_ASSUMED)
    over = failed_early(now, MADE, NOT_ASSUMED)
    assert over.next == "report"
    (problem,) = reported(run, over, read(fresh_report(run, over))).problems
    assert NOT_ASSUMED[0] in problem


@pytest.mark.parametrize(
    ("roles", "reasons", "counts"),
    [
        (ROLES, NOT_ASSUMED, {}),
        (MADE, ["InvalidManifestContent: Unexpected number of task fields"], {}),
        (MADE, [], {}),
        (MADE, ["AccessDenied: no"], {"total": 3, "failed": 3}),
    ],
)
def test_a_job_that_failed_for_another_reason_is_not_created_again(
    roles: Roles, reasons: list[str], counts: dict[str, int]
) -> None:
    now = failed_early(plan(run_of(), manifests_of(own=(3,))), roles, reasons, **counts)
    assert (now.next, len(now.jobs)) == ("report", 1)


def test_the_rounds_after_a_role_has_settled_have_the_names_they_always_have() -> None:
    run = run_of()
    now = failed_early(plan(run, manifests_of(own=(3,))), MADE, NOT_ASSUMED)
    after = after_round(run, now, 1, failure(count=2))
    assert (after.the_current.round, after.the_current.settled) == (1, 0)
    assert fresh_report(run, after).retry_file.key == "runs/run/rounds/copy-1.csv"
