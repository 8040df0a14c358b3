from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

import localcloud.batch_operations as batch
from localcloud.batch_operations import PretendDataPlane, Settings
from localcloud.batch_operations.task import Outcome, failed
from localcloud.clock import ManualClock, ScaledClock
from tests.unit.localcloud.batch_world import ACCOUNT, World, failure, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from localcloud.batch_operations.task import Task

DAY = 86400


class Gate:
    """A data plane whose tasks wait until a test lets them through."""

    def __init__(self) -> None:
        self.permits = threading.Semaphore(0)
        self.started = threading.Semaphore(0)

    def outcome(self, task: Task) -> Outcome:
        self.started.release()
        assert self.permits.acquire(timeout=10)
        return Outcome(True)

    def let(self, tasks: int) -> None:
        for _ in range(tasks):
            self.permits.release()


class Setup:
    def __init__(self, **settings: Any) -> None:
        self.events: list[tuple[str, str]] = []
        self.gate = Gate()
        settings.setdefault("data_plane", PretendDataPlane(self.gate.outcome))
        self.settings = Settings(emit=self._note, **settings)

    def _note(self, event: dict[str, Any], region: str) -> None:
        details = event["detail"]["serviceEventDetails"]
        self.events.append((details["jobId"], details["status"]))

    def statuses(self, job_id: str) -> list[str]:
        return [status for job, status in self.events if job == job_id]


@pytest.fixture
def setup() -> Setup:
    return Setup()


@pytest.fixture
def cloud(setup: Setup) -> Iterator[World]:
    with world(setup.settings) as made:
        yield made
        setup.gate.let(1000)


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.002)


def rows(count: int) -> str:
    return "".join(f"src,k{number}\n" for number in range(count))


def test_a_job_goes_from_new_to_complete(cloud: World, setup: Setup) -> None:
    setup.gate.let(1)
    job = cloud.run(cloud.manifest(rows(1)))
    assert job["FailureReasons"] == []
    assert setup.statuses(job["JobId"]) == ["New", "Preparing", "Ready", "Active", "Completing", "Complete"]


def test_a_job_whose_tasks_all_fail_is_complete_below_1000_tasks() -> None:
    with world(Setup(data_plane=PretendDataPlane(lambda _: failed(500, "X", "x"))).settings) as cloud:
        job = cloud.run(cloud.manifest(rows(999)))
    assert (job["Status"], job["FailureReasons"]) == ("Complete", [])
    assert job["ProgressSummary"]["NumberOfTasksFailed"] == 999


@pytest.mark.parametrize(("failing", "status"), [(501, "Failed"), (500, "Complete")])
def test_from_1000_tasks_on_more_than_half_failing_fails_the_job(failing: int, status: str) -> None:
    def outcome(task: Task) -> Outcome:
        return Outcome(True) if int(task.key[1:]) >= failing else failed(500, "X", "x")

    with world(Setup(data_plane=PretendDataPlane(outcome)).settings) as cloud:
        body = "".join(f"src,k{number}\n" for number in reversed(range(1000)))
        job = cloud.run(cloud.manifest(body))
        assert job["Status"] == status
        assert len(cloud.rows(job)) == 1000


def test_a_job_to_be_confirmed_is_suspended_and_runs_once_it_is_ready(cloud: World, setup: Setup) -> None:
    setup.gate.let(1)
    job = cloud.run(cloud.manifest(rows(1)), ConfirmationRequired=True)
    assert (job["Status"], job["SuspendedCause"]) == ("Suspended", "AWAITING_CONFIRMATION")
    assert job["ProgressSummary"]["TotalNumberOfTasks"] == 1

    assert cloud.update(job["JobId"], "Ready") == "Ready"
    batch.wait_for_idle()
    expected = ["New", "Preparing", "Suspended", "Ready", "Active", "Completing", "Complete"]
    assert setup.statuses(job["JobId"]) == expected
    assert "SuspendedDate" in cloud.describe(job["JobId"])


def test_confirmation_left_out_is_a_setting() -> None:
    with world(Setup(confirmation_when_absent=True).settings) as cloud:
        assert cloud.run(cloud.manifest(rows(1)), ConfirmationRequired=None)["Status"] == "Suspended"


def test_a_suspended_job_is_cancelled_at_once_and_has_no_report(cloud: World, setup: Setup) -> None:
    job_id = cloud.run(cloud.manifest(rows(1)), ConfirmationRequired=True)["JobId"]
    assert cloud.update(job_id, "Cancelled", StatusUpdateReason="not needed") == "Cancelled"
    batch.wait_for_idle()
    job = cloud.describe(job_id)
    assert (job["Status"], job["StatusUpdateReason"]) == ("Cancelled", "not needed")
    assert "TerminationDate" in job
    assert cloud.keys("ops", "reports/") == []
    assert setup.statuses(job_id)[-2:] == ["Suspended", "Cancelled"]


def test_a_job_suspended_for_more_than_30_days_fails() -> None:
    clock = ManualClock()
    with world(Setup(clock=clock).settings) as cloud:
        job_id = cloud.run(cloud.manifest(rows(1)), ConfirmationRequired=True)["JobId"]
        clock.advance(30 * DAY + 1)
        eventually(lambda: cloud.describe(job_id)["Status"] == "Failed")
        assert "30 days" in failure(cloud.describe(job_id))[1]


def test_an_active_job_is_cancelling_then_cancelled_and_reports_what_it_did(
    cloud: World, setup: Setup
) -> None:
    job_id = cloud.create(cloud.manifest(rows(10)))
    setup.gate.let(2)
    for _ in range(3):
        setup.gate.started.acquire(timeout=5)
    assert cloud.update(job_id, "Cancelled") == "Cancelling"
    setup.gate.let(1)
    batch.wait_for_idle()
    job = cloud.describe(job_id)
    assert (job["Status"], job["FailureReasons"]) == ("Cancelled", [])
    assert len(cloud.rows(job)) == job["ProgressSummary"]["NumberOfTasksSucceeded"] == 3


@pytest.mark.parametrize("status", ["Ready", "Cancelled"])
def test_a_job_that_has_ended_changes_its_status_no_more(cloud: World, setup: Setup, status: str) -> None:
    setup.gate.let(1)
    job_id = cloud.run(cloud.manifest(rows(1)))["JobId"]
    with pytest.raises(cloud.control.exceptions.JobStatusException):
        cloud.update(job_id, status)


def test_a_running_job_cannot_be_made_ready(cloud: World, setup: Setup) -> None:
    job_id = cloud.create(cloud.manifest(rows(1)))
    setup.gate.started.acquire(timeout=5)
    with pytest.raises(cloud.control.exceptions.JobStatusException):
        cloud.update(job_id, "Ready")


def test_progress_advances_while_the_clock_does() -> None:
    clock = ManualClock()
    setup = Setup(clock=clock, tasks_per_second=10.0, data_plane=PretendDataPlane())
    with world(setup.settings) as cloud:
        job_id = cloud.create(cloud.manifest(rows(30)))

        def done() -> int:
            return int(cloud.describe(job_id).get("ProgressSummary", {}).get("NumberOfTasksSucceeded", 0))

        eventually(lambda: done() == 1)
        for expected in range(2, 30):
            clock.advance(0.1)
            eventually(lambda expected=expected: done() == expected)  # type: ignore[misc]
        assert cloud.describe(job_id)["ProgressSummary"]["Timers"]["ElapsedTimeInActiveSeconds"] == 2
        clock.advance(0.1)
        eventually(lambda: done() == 30)
        clock.advance(0.1)
        batch.wait_for_idle()
        assert cloud.describe(job_id)["Status"] == "Complete"


def test_preparing_and_completing_take_their_time() -> None:
    clock = ManualClock()
    setup = Setup(clock=clock, preparing_seconds=60, completing_seconds=30, data_plane=PretendDataPlane())
    with world(setup.settings) as cloud:
        job_id = cloud.create(cloud.manifest(rows(1)))
        eventually(lambda: cloud.describe(job_id)["Status"] == "Preparing")
        assert "ProgressSummary" not in cloud.describe(job_id)
        clock.advance(60)
        eventually(lambda: cloud.describe(job_id)["Status"] == "Completing")
        clock.advance(30)
        batch.wait_for_idle()
        assert cloud.describe(job_id)["Status"] == "Complete"


def test_no_more_jobs_are_active_than_the_limit() -> None:
    setup = Setup(active_jobs=2)
    with world(setup.settings) as cloud:
        jobs = [cloud.create(cloud.manifest(rows(1))) for _ in range(4)]
        for _ in range(2):
            setup.gate.started.acquire(timeout=5)
        eventually(lambda: [cloud.describe(job)["Status"] for job in jobs].count("Ready") == 2)
        assert [cloud.describe(job)["Status"] for job in jobs].count("Active") == 2
        setup.gate.let(4)
        batch.wait_for_idle()
        assert {cloud.describe(job)["Status"] for job in jobs} == {"Complete"}


def test_the_limit_of_active_jobs_is_6() -> None:
    assert Settings().active_jobs == 6


def test_of_waiting_jobs_the_highest_priority_runs_first() -> None:
    setup = Setup(active_jobs=1)
    with world(setup.settings) as cloud:
        first = cloud.create(cloud.manifest(rows(1)), Priority=50)
        setup.gate.started.acquire(timeout=5)
        low = cloud.create(cloud.manifest(rows(1)), Priority=1)
        high = cloud.create(cloud.manifest(rows(1)), Priority=9)
        eventually(lambda: {cloud.describe(job)["Status"] for job in (low, high)} == {"Ready"})
        setup.gate.let(3)
        batch.wait_for_idle()
    assert [job for job, status in setup.events if status == "Active"] == [first, high, low]


def test_a_job_of_higher_priority_pauses_a_lower_one() -> None:
    setup = Setup(active_jobs=1)
    with world(setup.settings) as cloud:
        low = cloud.create(cloud.manifest(rows(2)), Priority=1)
        setup.gate.started.acquire(timeout=5)
        high = cloud.create(cloud.manifest(rows(1)), Priority=2)
        eventually(lambda: cloud.describe(low)["Status"] == "Pausing")
        setup.gate.let(1)
        eventually(lambda: cloud.describe(low)["Status"] == "Paused")
        eventually(lambda: cloud.describe(high)["Status"] == "Active")
        setup.gate.let(2)
        batch.wait_for_idle()
        assert cloud.describe(low)["ProgressSummary"]["NumberOfTasksSucceeded"] == 2
    assert setup.statuses(low)[3:] == ["Active", "Pausing", "Paused", "Active", "Completing", "Complete"]


def test_a_raised_priority_pauses_another_job() -> None:
    setup = Setup(active_jobs=1)
    with world(setup.settings) as cloud:
        running = cloud.create(cloud.manifest(rows(2)), Priority=5)
        setup.gate.started.acquire(timeout=5)
        waiting = cloud.create(cloud.manifest(rows(1)), Priority=5)
        eventually(lambda: cloud.describe(waiting)["Status"] == "Ready")
        cloud.control.update_job_priority(AccountId=ACCOUNT, JobId=waiting, Priority=6)
        eventually(lambda: cloud.describe(running)["Status"] == "Pausing")
        setup.gate.let(3)
        batch.wait_for_idle()


@pytest.mark.parametrize("state", ["Ready", "Paused"])
def test_a_waiting_job_can_be_cancelled(state: str) -> None:
    setup = Setup(active_jobs=1)
    with world(setup.settings) as cloud:
        low = cloud.create(cloud.manifest(rows(2)), Priority=2)
        setup.gate.started.acquire(timeout=5)
        other = cloud.create(cloud.manifest(rows(1)), Priority=3 if state == "Paused" else 1)
        if state == "Paused":
            eventually(lambda: cloud.describe(low)["Status"] == "Pausing")
            setup.gate.let(1)
        waiting = low if state == "Paused" else other
        eventually(lambda: cloud.describe(waiting)["Status"] == state)
        assert cloud.update(waiting, "Cancelled") == "Cancelling"
        eventually(lambda: cloud.describe(waiting)["Status"] == "Cancelled")
        setup.gate.let(5)
        batch.wait_for_idle()
        report = cloud.keys("ops", f"reports/job-{waiting}/")
        assert bool(report) == (state == "Paused")


def test_stop_all_leaves_no_thread_behind() -> None:
    setup = Setup(data_plane=PretendDataPlane(), tasks_per_second=1.0, clock=ScaledClock())
    with world(setup.settings) as cloud:
        for _ in range(3):
            cloud.create(cloud.manifest(rows(5)))
        cloud.create(cloud.manifest(rows(5)), ConfirmationRequired=True)
        batch.stop_all()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batch-job-")]


def test_a_reset_of_moto_ends_jobs_without_a_trace(setup: Setup) -> None:
    with world(setup.settings) as cloud:
        job_id = cloud.create(cloud.manifest(rows(5)))
        setup.gate.started.acquire(timeout=5)
        mock_aws().reset()
        setup.gate.let(5)
        batch.wait_for_idle()
        assert cloud.control.list_jobs(AccountId=ACCOUNT)["Jobs"] == []
    assert setup.statuses(job_id)[-1] == "Active"
