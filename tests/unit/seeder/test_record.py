from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from seeder import record
from seeder.errors import Conflict, NotYetVisible
from seeder.jobs import Job
from seeder.record import Record, of_error, of_run
from seeder.sink import Upload
from seeder.verdict import Verdict
from seeder.work import Work
from tests.runs import EUROPE, STARTED_AT, failure, manifests_of, run_of, verified

COMPLETE = Verdict("Complete")


def job(job_id: str, operation: Any = "copy", **members: Any) -> Job:
    manifest = Upload(bucket="", key="", count=5)
    return Job(
        id=job_id, operation=operation, region=EUROPE, manifest=manifest, fields=[], read=True, **members
    )


WORK = Work(
    jobs=[job("one", total=5, succeeded=4, failed=1, status="Complete"), job("two", round=1), job("")],
    succeeded=4,
    failed=1,
    restored=2,
    failures=[failure("AccessDenied", 1, "person")],
    failure_files=["copy-0", "copy-1"],
    estimated_usd="1.23",
)


def test_a_record_holds_what_was_asked_done_counted_and_verified() -> None:
    manifests = manifests_of(own=(3, 1), large=1, archived=2)
    found = verified("extra", equal=5, extra=1, archived=2, list_calls=4)
    told = of_run(
        run_of(rounds=5),
        manifests,
        WORK,
        found,
        COMPLETE,
        ended_at="later",
        actual_usd="1.20",
        stages={"S": 1.5},
    )
    assert (told.run_id, told.state, told.event) == ("run", "Complete", "Seeding Completed")
    assert (told.error, told.cause, told.subject) == ("", "", "Complete: source to destination")
    assert (told.source, told.destination, told.operation) == ("source", "destination", "copy")
    assert told.request == {"source": "source", "destination": "destination", "rounds": 5}
    assert (told.started_at, told.ended_at, told.stages) == (STARTED_AT, "later", {"S": 1.5})
    assert (told.total, told.succeeded, told.failed, told.restored) == (5, 4, 1, 2)
    assert (told.large, told.archived) == (1, 2)
    assert told.archived_manifests == ["s3://state/runs/run/manifests/archived.csv"]
    assert [item.code for item in told.failures] == ["AccessDenied"]
    folder = "s3://state/datasets/seeding_failures/year=2026/month=01/day=31"
    assert told.failure_files == [f"{folder}/run-copy-0.csv", f"{folder}/run-copy-1.csv"]
    assert (told.replica, told.verification["equal"]) == ("extra", 5)
    assert "ranges" not in told.verification
    assert told.job_ids == ["one", "two"]
    assert told.jobs[0] == {
        "id": "one",
        "region": EUROPE,
        "operation": "copy",
        "round": 0,
        "status": "Complete",
        "total": 5,
        "succeeded": 4,
        "failed": 1,
    }
    assert (told.estimated_usd, told.actual_usd) == ("1.23", "1.20")


def test_a_failed_run_says_why() -> None:
    verdict = Verdict("Failed", "SeedingFailed", "why " * 1000)
    told = of_run(run_of(), manifests_of(own=(5,)), WORK, verified("differs"), verdict)
    assert (told.state, told.event, told.error) == ("Failed", "Seeding Failed", "SeedingFailed")
    assert told.cause == ("why " * 1000)[:1000]
    assert told.subject == "Failed: source to destination"
    assert told.archived_manifests == []


def test_a_replication_is_told_as_one() -> None:
    told = of_run(run_of("replicate"), manifests_of("replicate", own=(5,)), WORK, verified(), COMPLETE)
    assert (told.total, told.operation) == (5, "replicate")


def test_a_record_of_a_run_is_json() -> None:
    told = of_run(run_of(), manifests_of(own=(5,)), WORK, verified(), COMPLETE)
    assert Record.model_validate(json.loads(json.dumps(told.model_dump()))) == told


def test_an_error_of_a_function_is_told_in_its_own_words() -> None:
    cause = json.dumps({"errorMessage": "source: no", "errorType": "InvalidRequest", "stackTrace": []})
    told = of_error("run", "then", {"Error": "InvalidRequest", "Cause": cause}, {"source": "s"}, "later")
    assert (told.error, told.cause, told.source) == ("InvalidRequest", "source: no", "s")
    assert (told.state, told.event, told.started_at, told.ended_at) == (
        "Failed",
        "Seeding Failed",
        "then",
        "later",
    )
    assert (told.job_ids, told.replica) == ([], "")


@pytest.mark.parametrize("cause", ["plain", "[1]", '"text"', "", "{}", '{"errorMessage": '])
def test_an_error_without_a_document_is_told_as_it_is(cause: str) -> None:
    assert of_error("run", "then", {"Error": "States.Timeout", "Cause": cause}, {}).cause == cause


def test_an_error_in_the_middle_of_a_run_keeps_what_was_done() -> None:
    state = {
        "run": run_of().model_dump(),
        "manifest": manifests_of(own=(5,)).model_dump(),
        "work": WORK.model_dump(),
    }
    told = of_error("run", "then", {"Error": "Throttled", "Cause": ""}, json.loads(json.dumps(state)))
    assert (told.source, told.destination, told.total) == ("source", "destination", 5)
    assert (told.succeeded, told.failed, told.job_ids) == (4, 1, ["one", "two"])
    assert told.estimated_usd == "1.23"


def test_the_subject_suits_sns() -> None:
    told = of_error("run", "then", {"Error": "E", "Cause": "läng\nst" * 50}, {})
    assert len(told.subject) <= 100
    assert told.subject.isascii()
    assert "\n" not in told.subject


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        client.create_bucket(Bucket="state")
        yield client


def a_record(**members: Any) -> Record:
    told = of_run(run_of(), manifests_of(own=(5,)), WORK, verified(), COMPLETE, ended_at="later")
    return told.model_copy(update=members)


def test_a_record_is_written_where_the_run_is(s3: Any) -> None:
    written = record.write(s3, "state", a_record())
    body = s3.get_object(Bucket="state", Key="runs/run/run.json")["Body"].read()
    assert written == a_record() == Record.model_validate_json(body)


def test_the_first_record_of_a_run_stands_whoever_wrote_it_and_died(s3: Any) -> None:
    first = record.write(s3, "state", a_record(stages={"RecordRun": 1.0}))
    assert record.write(s3, "state", a_record(stages={"RecordRun": 1.1})) == first
    error = {"Error": "Lambda.Unknown", "Cause": ""}
    assert record.write(s3, "state", of_error("run", STARTED_AT, error, {})).state == "Complete"


def test_a_record_of_another_run_of_the_name_is_not_taken_for_this_one(s3: Any) -> None:
    record.write(s3, "state", a_record())
    with pytest.raises(Conflict, match="another run"):
        record.write(s3, "state", a_record(started_at="2027-01-01T00:00:00Z"))


def test_a_record_being_written_by_another_call_is_looked_at_later(s3: Any) -> None:
    def answer(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        parsed |= {"Error": {"Code": "ConditionalRequestConflict", "Message": ""}}
        http_response.status_code = 409

    s3.meta.events.register("after-call.s3.PutObject", answer)
    with pytest.raises(NotYetVisible):
        record.write(s3, "state", a_record())
