from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

import localcloud.batch_operations as batch
from localcloud import fault_injection
from localcloud.batch_operations import PretendDataPlane, Settings
from localcloud.faults import Fault
from localcloud.patching import Patches
from tests.unit.localcloud.batch_world import World, failure, world


def run(*faults: Fault, **changes: Any) -> tuple[list[list[str]], dict[str, Any]]:
    patches = Patches()
    settings = Settings(faults=list(faults), retry_seconds=0.0, **changes)
    with world(settings) as cloud:
        fault_injection.install(patches)
        try:
            for key in ("a b/1", "a b/2", "c"):
                cloud.put(key)
            job = cloud.run(cloud.manifest("src,a%20b/1\nsrc,a%20b/2\nsrc,c\n"), Description="night")
            rows = [] if job["Status"] == "Failed" else cloud.rows(job)
            return rows, job
        finally:
            patches.undo()


def codes(rows: list[list[str]]) -> dict[str, str]:
    return {row[1]: f"{row[4]} {row[5]}".strip() for row in rows}


def test_a_fault_fails_the_tasks_under_its_prefix_always() -> None:
    rows, job = run(Fault(key_prefix="a b/", status=503, code="SlowDown"))
    assert codes(rows) == {"c": "200", "a%20b/1": "503 SlowDown", "a%20b/2": "503 SlowDown"}
    assert job["Status"] == "Complete"


def test_a_fault_fails_as_many_tasks_as_it_says() -> None:
    rows, _ = run(Fault(key_prefix="a b/", status=403, code="AccessDenied", times=1))
    assert codes(rows) == {"c": "200", "a%20b/2": "200", "a%20b/1": "403 AccessDenied"}


@pytest.mark.parametrize(("job", "failed"), [("night", 3), ("day", 0)])
def test_a_fault_may_name_a_job_by_its_description(job: str, failed: int) -> None:
    _, described = run(Fault(job=job, status=500, code="InternalError"))
    assert described["ProgressSummary"]["NumberOfTasksFailed"] == failed


def test_a_slow_s3_is_tried_again_until_it_answers() -> None:
    rows, _ = run(Fault(operation="CopyObject", status=503, code="SlowDown", times=2))
    assert set(codes(rows).values()) == {"200"}


def test_a_slow_s3_that_stays_slow_fails_the_task_with_its_code() -> None:
    rows, _ = run(Fault(operation="CopyObject", key_prefix="c", status=503, code="SlowDown"))
    assert codes(rows)["c"] == "503 SlowDown"


def test_an_access_denied_of_s3_is_not_tried_again() -> None:
    rows, _ = run(Fault(operation="CopyObject", status=403, code="AccessDenied", times=1))
    assert codes(rows)["a%20b/1"] == "403 AccessDenied"
    assert codes(rows)["a%20b/2"] == "200"


def test_a_copy_whose_answer_is_lost_is_tried_again() -> None:
    rows, _ = run(Fault(operation="CopyObject", effect="timeout", committed=True, times=1))
    assert set(codes(rows).values()) == {"200"}


def test_a_copy_that_never_answers_fails_its_task() -> None:
    rows, _ = run(Fault(operation="CopyObject", key_prefix="c", effect="timeout"))
    assert codes(rows)["c"] == "500 RequestTimeout"


def test_a_report_is_written_again_when_s3_is_slow() -> None:
    rows, _ = run(Fault(operation="PutObject", key_prefix="reports/", status=503, code="SlowDown", times=2))
    assert len(rows) == 3


def test_a_report_that_s3_refuses_fails_the_job() -> None:
    _, job = run(Fault(operation="PutObject", key_prefix="reports/", status=403, code="AccessDenied"))
    assert "report bucket" in failure(job)[1]


def test_a_manifest_that_s3_refuses_fails_the_job() -> None:
    _, job = run(Fault(operation="GetObject", key_prefix="manifest.csv", status=403, code="AccessDenied"))
    assert failure(job)[1] == "Reading the manifest is forbidden: AccessDenied"


def test_a_create_job_whose_answer_is_lost_is_found_again_by_its_token() -> None:
    patches = Patches()
    lost = Fault(operation="CreateJob", effect="timeout", committed=True, times=1)
    with world(Settings(faults=[lost])) as cloud:
        fault_injection.install(patches)
        try:
            assert_found_again(cloud)
        finally:
            patches.undo()


def assert_found_again(cloud: World) -> None:
    cloud.put("a")
    request = cloud.request(cloud.manifest("src,a\n"), ClientRequestToken="derived")
    with pytest.raises(ReadTimeoutError):
        cloud.control.create_job(**request)
    job_id = cloud.control.create_job(**request)["JobId"]
    batch.wait_for_idle()
    (only,) = cloud.control.list_jobs(AccountId=request["AccountId"])["Jobs"]
    assert (only["JobId"], only["Status"]) == (job_id, "Complete")


FAULTS = st.lists(
    st.builds(
        Fault,
        key_prefix=st.sampled_from(["", "k", "k/1", "k/ü", "other"]),
        status=st.sampled_from([403, 409, 500, 503]),
        code=st.sampled_from(["AccessDenied", "InternalError", "SlowDown"]),
        times=st.none() | st.integers(1, 3),
        job=st.sampled_from([None, "night", "day"]),
    ),
    max_size=3,
)


@hypothesis.settings(max_examples=25, deadline=None)
@given(faults=FAULTS)
def test_whatever_fails_every_task_has_one_row_and_the_counts_agree(faults: list[Fault]) -> None:
    keys = ["k/1", "k/2", "k/%C3%BC", "other"]
    with world(Settings(faults=faults, data_plane=PretendDataPlane())) as cloud:
        job = cloud.run(cloud.manifest("".join(f"src,{key}\n" for key in keys)), Description="night")
        rows = cloud.rows(job)
    assert sorted(row[1] for row in rows) == sorted(keys)
    progress = job["ProgressSummary"]
    assert [row[3] for row in rows].count("failed") == progress["NumberOfTasksFailed"]
    assert progress["NumberOfTasksSucceeded"] + progress["NumberOfTasksFailed"] == len(keys)
    bounded = all(fault.times is not None for fault in faults)
    assert not bounded or progress["NumberOfTasksFailed"] <= sum(fault.times or 0 for fault in faults)
