from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest
from moto import mock_aws

from seeder import bill, record
from seeder.cost import cost
from seeder.errors import Conflict, NotYetVisible
from seeder.jobs import Job
from seeder.judge import Compared
from seeder.listing.counting import WHILE_LISTED, Census, Tally
from seeder.prices import TIERS
from seeder.record import Record, of_error, of_run
from seeder.sink import Upload
from seeder.usage import Usage
from seeder.verdict import Verdict
from seeder.work import Work
from tests.runs import EUROPE, STARTED_AT, failure, manifests_of, run_of, verified

COMPLETE = Verdict("Complete")
COST = cost(Usage(list_calls=1, jobs=1), "us-east-1", "us-east-1")


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
        estimated=COST,
        actual=COST.model_copy(update={"total_usd": Decimal("1.20"), "lines": COST.lines[:1]}),
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
    assert told.bill == {"estimated": bill.lines(COST), "actual": bill.lines(COST)[:1]}


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
    listed = manifests_of(own=(5,), large=2)
    state = {"run": run_of().model_dump(), "manifest": listed.model_dump(), "work": WORK.model_dump()}
    error = {"Error": "Throttled", "Cause": ""}
    told = of_error("run", "then", error, json.loads(json.dumps(state)), manifest=listed)
    assert (told.source, told.destination, told.total) == ("source", "destination", 7)
    assert (told.succeeded, told.failed, told.job_ids) == (4, 1, ["one", "two"])
    assert told.estimated_usd == "1.23"


def test_a_census_is_told_with_its_prefixes() -> None:
    census = Census(objects=5, bytes=9, classes={"STANDARD": Tally(5, 9)}, prefixes={"a/": Tally(5, 9)})
    told = of_run(run_of(), manifests_of(own=(5,), census=census), WORK, verified(), COMPLETE).census
    assert (told["objects"], told["bytes"], told["classes"]) == (5, 9, {"STANDARD": [5, 9]})
    assert (told["prefixes"], told["other_prefixes"]) == ({"a/": [5, 9]}, [0, 0])


def test_a_run_that_ended_in_an_error_tells_what_it_had_listed_and_what_it_would_have_cost() -> None:
    census = Census(objects=99, bytes=99, prefixes={f"{number:02}/": Tally(1, 1) for number in range(99)})
    manifests, error = manifests_of(own=(99,), census=census), {"Error": "E", "Cause": ""}
    told = of_error("run", "then", error, {}, manifest=manifests, estimated=COST, stages={"S": 1.0})
    assert (len(told.census["prefixes"]), told.census["other_prefixes"]) == (40, [59, 59])
    assert told.bill == {"estimated": bill.lines(COST), "actual": []}
    assert (told.estimated_usd, told.stages) == (bill.shown(COST), {"S": 1.0})


def test_what_is_not_known_is_empty() -> None:
    told = of_error("run", "then", {"Error": "E", "Cause": ""}, {})
    assert (told.census, told.bill, told.stages) == ({}, {"estimated": [], "actual": []}, {})


def test_the_largest_record_is_far_below_what_a_state_a_message_or_an_event_may_be() -> None:
    classes = [
        "STANDARD",
        "STANDARD_IA",
        "ONEZONE_IA",
        "GLACIER_IR",
        "INTELLIGENT_TIERING",
        "REDUCED_REDUNDANCY",
    ]
    many = dict.fromkeys(classes, 10**12)
    restored = {f"{name}/{tier}": 10**12 for name in ("GLACIER", "DEEP_ARCHIVE") for tier in TIERS}
    numbers = {name: 10**12 for name, field in Usage.model_fields.items() if field.annotation is int}
    by_class = dict.fromkeys(("copy_requests", "get_requests", "retrieved_bytes"), many)
    by_tier = dict.fromkeys(("restore_requests", "restore_bytes"), restored)
    usage = Usage.model_validate({**numbers, **by_class, **by_tier})
    dearest = cost(usage, "us-east-1", "sa-east-1")
    tallies = dict.fromkeys(classes, Tally(10**10, 10**18))
    prefixes = {f"{number:03}{chr(0x1F600) * 125}": Tally(10**10, 10**18) for number in range(200)}
    census = Census(objects=10**13, bytes=10**18, classes=tallies, archived=tallies, prefixes=prefixes)
    failures = [
        failure(f"{number:02}" + "c" * 62, example_key="k" * 250, message="m" * 250, advice="a" * 500)
        for number in range(31)
    ]
    kinds = ("missing", "different", "extra", "archived", "during")
    compared = Compared.model_validate({"examples": dict.fromkeys(kinds, chr(0x1F600) * 256)})
    told = of_run(
        run_of(),
        manifests_of(own=(5,), census=census.kept(WHILE_LISTED)),
        WORK.model_copy(update={"jobs": [job("i" * 36)] * 40, "failures": failures}),
        verified(**compared.model_dump()),
        Verdict("Failed", "SeedingFailed", chr(0x1F600) * 1000),
        estimated=dearest,
        actual=dearest,
        stages=dict.fromkeys((f"{number:02}" + "s" * 18 for number in range(20)), 12345.678),
    )
    assert len(told.bill["actual"]) > 30
    assert len(json.dumps([told.census, told.bill])) < 24 * 1024
    assert len(json.dumps(told.model_dump())) < 96 * 1024


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
