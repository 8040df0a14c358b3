from __future__ import annotations

import json
from typing import Any

import pytest

from seeder.buckets import Bucket
from seeder.jobs import Job
from seeder.manifest import Progress
from seeder.record import of_error, of_run
from seeder.report import Failure, Report
from seeder.request import Request
from seeder.run import Run

RUN = Run(
    run_id="run",
    started_at="2026-01-01T00:00:00Z",
    account_id="123456789012",
    request=Request(source="source", destination="destination"),
    source=Bucket(name="source", region="us-east-1", versioning=""),
    destination=Bucket(name="destination", region="eu-west-1", versioning=""),
)


def manifest(count: int) -> Progress:
    return Progress.fresh("state", "runs/run/", "copy").model_copy(update={"count": count, "done": True})


def job(status: str = "Complete", **members: Any) -> Job:
    return Job(id="job", region="eu-west-1", operation="copy", status=status, **members)


def test_a_run_is_complete_when_every_object_has_a_row_of_success() -> None:
    record = of_run(RUN, manifest(2), job(), Report(total=2, succeeded=2))
    assert (record.state, record.error, record.job_ids) == ("Complete", "", ["job"])


def test_a_run_with_nothing_to_copy_is_complete_without_a_job() -> None:
    assert of_run(RUN, manifest(0), None, None).state == "Complete"


FAILURE = Failure(code="AccessDenied", count=1, example_key="a", message="m")


@pytest.mark.parametrize(
    ("seen", "report", "cause"),
    [
        (
            job(),
            Report(total=2, succeeded=1, failed=1, failures=[FAILURE]),
            "1 of 2 objects were not copied: AccessDenied 1",
        ),
        (job(), Report(total=1, succeeded=1), "the report accounts for 1 of the manifest's 2 objects"),
        (job(), Report(total=3, succeeded=3), "the report accounts for 3 of the manifest's 2 objects"),
        (job("Failed", reasons=["why"]), Report(), "job Failed: why"),
        (job("Cancelled"), Report(total=1, succeeded=1), "job Cancelled: S3 Batch Operations gave no reason"),
        (None, None, "job missing"),
    ],
)
def test_anything_else_is_a_failed_run_with_a_reason(
    seen: Job | None, report: Report | None, cause: str
) -> None:
    record = of_run(RUN, manifest(2), seen, report)
    assert (record.state, record.error) == ("Failed", "SeedingFailed")
    assert record.cause.startswith(cause)


def test_an_error_of_a_function_is_told_in_its_own_words() -> None:
    cause = json.dumps({"errorMessage": "source: no", "errorType": "InvalidRequest", "stackTrace": []})
    record = of_error("run", "then", {"Error": "InvalidRequest", "Cause": cause}, {"source": "s"})
    assert (record.error, record.cause, record.source) == ("InvalidRequest", "source: no", "s")


@pytest.mark.parametrize("cause", ["plain", "[1]", '"text"', ""])
def test_an_error_without_a_document_is_told_as_it_is(cause: str) -> None:
    assert of_error("run", "then", {"Error": "States.Timeout", "Cause": cause}, {}).cause == cause


def test_the_subject_suits_sns() -> None:
    record = of_error("run", "then", {"Error": "E", "Cause": "läng\nst" * 50}, {})
    assert len(record.subject) <= 100
    assert record.subject.isascii()
    assert "\n" not in record.subject
