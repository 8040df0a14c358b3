"""Whatever can befall a whole job, asked for as a fault: its statuses, its report, its being found."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

import localcloud.batch_operations as batch
from localcloud import fault_injection
from localcloud.batch_operations import Settings
from localcloud.clock import ManualClock
from localcloud.faults import Fault
from localcloud.patching import Patches
from tests.unit.localcloud.batch_world import World, failure, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Setup:
    def __init__(self, *faults: dict[str, Any], **settings: Any) -> None:
        self.clock = ManualClock()
        self.events: list[str] = []
        made = [Fault.from_dict(fault) for fault in faults]
        self.settings = Settings(clock=self.clock, faults=made, emit=self._note, **settings)

    def _note(self, event: dict[str, Any], region: str) -> None:
        self.events.append(event["detail"]["serviceEventDetails"]["status"])


@contextmanager
def running(setup: Setup) -> Iterator[World]:
    patches = Patches()
    with world(setup.settings) as cloud:
        fault_injection.install(patches)
        try:
            cloud.put("k")
            yield cloud
        finally:
            patches.undo()


def eventually(condition: Callable[[], Any]) -> None:
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.002)


def create(cloud: World, **changes: Any) -> str:
    return cloud.create(cloud.manifest("src,k\n"), Description="night", **changes)


def status(cloud: World, job_id: str) -> str:
    return str(cloud.describe(job_id)["Status"])


def test_a_job_can_fail_while_it_is_active() -> None:
    setup = Setup({"effect": "fail", "code": "InternalError", "job": "night"})
    with running(setup) as cloud:
        job_id = create(cloud)
        batch.wait_for_idle()
        assert failure(cloud.describe(job_id)) == ("InternalError", "Injected fault: InternalError")
    assert setup.events[-3:] == ["Active", "Failing", "Failed"]


def test_a_job_can_be_cancelled_by_somebody() -> None:
    setup = Setup({"effect": "cancel", "job": "night"})
    with running(setup) as cloud:
        job_id = create(cloud)
        batch.wait_for_idle()
        assert cloud.describe(job_id)["StatusUpdateReason"] == "Injected fault: cancel"
        assert cloud.keys() == []
    assert setup.events[-3:] == ["Active", "Cancelling", "Cancelled"]


def test_a_job_can_be_paused_for_a_time() -> None:
    setup = Setup({"effect": "pause", "seconds": 600, "times": 1})
    with running(setup) as cloud:
        job_id = create(cloud)
        eventually(lambda: status(cloud, job_id) == "Paused")
        time.sleep(0.05)
        setup.clock.advance(599)
        time.sleep(0.05)
        assert status(cloud, job_id) == "Paused"
        setup.clock.advance(1)
        batch.wait_for_idle()
        assert cloud.describe(job_id)["ProgressSummary"]["NumberOfTasksSucceeded"] == 1
    assert setup.events[3:] == ["Active", "Pausing", "Paused", "Active", "Completing", "Complete"]


def test_a_paused_job_can_be_cancelled() -> None:
    with running(Setup({"effect": "pause", "seconds": 600})) as cloud:
        job_id = create(cloud)
        eventually(lambda: status(cloud, job_id) == "Paused")
        cloud.update(job_id, "Cancelled")
        batch.wait_for_idle()
        assert status(cloud, job_id) == "Cancelled"


def test_a_report_can_come_late() -> None:
    setup = Setup({"effect": "late_report", "seconds": 3600})
    with running(setup) as cloud:
        job_id = create(cloud)
        eventually(lambda: status(cloud, job_id) == "Complete")
        time.sleep(0.05)
        assert cloud.keys("ops", "reports/") == []
        setup.clock.advance(3600)
        batch.wait_for_idle()
        assert len(cloud.rows(cloud.describe(job_id))) == 1
    assert setup.events[-1] == "Complete"


def test_a_report_can_fail_to_come_at_all() -> None:
    with running(Setup({"effect": "no_report"})) as cloud:
        job_id = create(cloud)
        batch.wait_for_idle()
        assert (status(cloud, job_id), cloud.keys("ops", "reports/")) == ("Complete", [])


def test_the_md5_of_a_report_can_be_wrong() -> None:
    with running(Setup({"effect": "wrong_md5"})) as cloud:
        job_id = create(cloud)
        batch.wait_for_idle()
        root = f"reports/job-{job_id}"
        (result,) = json.loads(cloud.read(f"{root}/manifest.json", "ops"))["Results"]
        etag = cloud.s3.head_object(Bucket="ops", Key=result["Key"])["ETag"].strip('"')
        assert result["MD5Checksum"] != etag


@pytest.mark.parametrize("effect", ["fail", "cancel", "pause", "late_report", "no_report", "wrong_md5"])
def test_a_fault_of_another_job_leaves_this_one_alone(effect: str) -> None:
    with running(Setup({"effect": effect, "code": "X", "job": "day"})) as cloud:
        job_id = create(cloud)
        batch.wait_for_idle()
        job = cloud.describe(job_id)
        assert (job["Status"], len(cloud.rows(job))) == ("Complete", 1)


def test_a_job_can_be_not_found_for_a_while_after_its_creation() -> None:
    missing = {"operation": "DescribeJob", "status": 400, "code": "NotFoundException", "times": 2}
    with running(Setup({**missing, "job": "night"}, {**missing, "job": "day"})) as cloud:
        job_id = create(cloud)
        for _ in range(2):
            with pytest.raises(cloud.control.exceptions.NotFoundException):
                cloud.describe(job_id)
        batch.wait_for_idle()
        assert status(cloud, job_id) == "Complete"


def test_create_job_can_be_throttled() -> None:
    fault = {"operation": "CreateJob", "status": 400, "code": "TooManyRequestsException", "times": 1}
    with running(Setup(fault)) as cloud:
        with pytest.raises(cloud.control.exceptions.TooManyRequestsException):
            create(cloud)
        assert create(cloud)


def test_beyond_the_limit_create_job_can_be_set_to_refuse() -> None:
    setup = Setup({"effect": "pause", "seconds": 60}, active_jobs=2, beyond_active_jobs="refuse")
    with running(setup) as cloud:
        suspended = create(cloud, ConfirmationRequired=True)
        eventually(lambda: status(cloud, suspended) == "Suspended")
        jobs = [create(cloud), create(cloud)]
        eventually(lambda: {status(cloud, job) for job in jobs} == {"Paused"})
        request = cloud.request(cloud.manifest("src,k\n"))
        with pytest.raises(ClientError) as caught:
            cloud.control.create_job(**request)
        assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        cloud.update(jobs[0], "Cancelled")
        eventually(lambda: status(cloud, jobs[0]) == "Cancelled")
        assert cloud.control.create_job(**request)["JobId"]


def test_the_same_token_finds_its_job_beyond_the_limit() -> None:
    setup = Setup({"effect": "pause", "seconds": 60}, active_jobs=1, beyond_active_jobs="refuse")
    with running(setup) as cloud:
        request = cloud.request(cloud.manifest("src,k\n"))
        assert len({cloud.control.create_job(**request)["JobId"] for _ in range(2)}) == 1


def test_by_default_jobs_beyond_the_limit_wait() -> None:
    assert Settings().beyond_active_jobs == "wait"
