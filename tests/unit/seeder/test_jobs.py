from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from seeder import jobs, work
from seeder.errors import (
    AccessDenied,
    InvalidRequest,
    NotYetVisible,
    SeederError,
    ServiceUnavailable,
    Throttled,
    UnexpectedAnswer,
)
from seeder.jobs import FINAL, FIRST_LOOK_SECONDS, LOOKS_IN_VAIN, SHORTEST_LOOK_SECONDS, Job, create, describe
from seeder.jobs import request_token as token
from seeder.roles import Roles
from seeder.run import Run
from seeder.sink import Upload
from seeder.work import Work
from tests.functions import context, loaded
from tests.runs import ACCOUNT, EUROPE, HOME, ROLES, SETTINGS, manifests_of, run_of

CLIENT: Any = boto3.client(
    "s3control", region_name=EUROPE, aws_access_key_id="test", aws_secret_access_key="test"
)
MODEL = CLIENT.meta.service_model
STATUSES = MODEL.shape_for("JobStatus").enum
THROTTLED = ["TooManyRequestsException", "SlowDown", "ThrottlingException"]


@pytest.fixture
def stubber() -> Any:
    """An S3 Control that checks requests and answers by botocore's model, and each request against what is expected."""
    return Stubber(CLIENT)


def job(operation: Any = "copy", **members: Any) -> Job:
    manifest = Upload(bucket="state", key="runs/run/manifests/m.csv", count=4, etag='"e-1"')
    region = EUROPE if operation == "copy" else HOME
    return Job(
        operation=operation, region=region, manifest=manifest, **{"fields": ["Bucket", "Key"], **members}
    )


def body(operation: dict[str, Any], name: str, **members: Any) -> dict[str, Any]:
    """What CreateJob is to be asked."""
    return {
        "AccountId": ACCOUNT,
        "ConfirmationRequired": False,
        "ClientRequestToken": token("run", "e-1", name, 0),
        "Description": f"seeder run {name} 0",
        "Operation": operation,
        "Manifest": {
            "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
            "Location": {"ObjectArn": "arn:aws:s3:::state/runs/run/manifests/m.csv", "ETag": "e-1"},
        },
        "Report": {
            "Enabled": True,
            "Bucket": "arn:aws:s3:::state",
            "Prefix": "runs/run/reports",
            "Format": "Report_CSV_20180820",
            "ReportScope": "AllTasks",
        },
        "Priority": 10,
        "RoleArn": SETTINGS.job_role_arn,
        "Tags": [{"Key": "seeder-run", "Value": "run"}],
        **members,
    }


COPY = {"S3PutObjectCopy": {"TargetResource": "arn:aws:s3:::destination"}}


def create_with(stubber: Any, run: Run, planned: Job, expected: dict[str, Any]) -> Job:
    stubber.add_response("create_job", {"JobId": "job-1"}, expected)
    with stubber:
        made = create(stubber.client, run, planned, SETTINGS, ROLES)
    stubber.assert_no_pending_responses()
    return made


def test_a_copy_is_made_into_the_destination(stubber: Any) -> None:
    made = create_with(stubber, run_of(), job(), body(COPY, "copy"))
    assert (made.id, made.status, made.finished, made.waited_seconds) == ("job-1", "New", False, 0)
    assert made.wait_seconds == FIRST_LOOK_SECONDS


def test_the_wait_for_its_turn_is_not_the_jobs_time(stubber: Any) -> None:
    made = create_with(stubber, run_of(), job(waited_seconds=9000, wait_seconds=2250), body(COPY, "copy"))
    assert (made.waited_seconds, made.wait_seconds) == (0, FIRST_LOOK_SECONDS)


def test_a_replication_names_versions(stubber: Any) -> None:
    planned = job("replicate", fields=["Bucket", "Key", "VersionId"])
    expected = body({"S3ReplicateObject": {}}, "replicate")
    expected["Manifest"]["Spec"]["Fields"] = ["Bucket", "Key", "VersionId"]
    create_with(stubber, run_of("replicate"), planned, expected)


def test_large_objects_are_copied_by_the_function_which_is_told_of_the_run(stubber: Any) -> None:
    arguments = {
        "run_id": "run",
        "destination": "destination",
        "destination_region": EUROPE,
        "source_region": HOME,
    }
    expected = {
        "LambdaInvoke": {
            "FunctionArn": SETTINGS.copy_function_arn,
            "InvocationSchemaVersion": "2.0",
            "UserArguments": arguments,
        }
    }
    create_with(stubber, run_of(), job("large"), body(expected, "large"))


@pytest.mark.parametrize("tier", ["BULK", "STANDARD"])
def test_a_restoration_is_asked_for_as_the_request_says(stubber: Any, tier: str) -> None:
    run = run_of(restore=True, restore_days=12, restore_tier=tier)
    expected = {"S3InitiateRestoreObject": {"ExpirationInDays": 12, "GlacierJobTier": tier}}
    create_with(stubber, run, job("restore"), body(expected, "restore"))


def test_large_objects_of_another_region_are_refused_with_what_to_do(stubber: Any) -> None:
    planned = job("large").model_copy(update={"region": "ap-southeast-2"})
    with stubber, pytest.raises(InvalidRequest) as caught:
        create(stubber.client, run_of(source="ap-southeast-2"), planned, SETTINGS, ROLES)
    assert caught.value.field == "source"
    for part in ("over 5 GiB", "deploy seeder in ap-southeast-2", "'replicate'"):
        assert part in str(caught.value)


def test_a_job_to_be_confirmed_is_made_suspended(stubber: Any) -> None:
    create_with(stubber, run_of(confirm=True), job(), body(COPY, "copy", ConfirmationRequired=True))


@pytest.mark.parametrize("priority", [0, 2147483647])
def test_a_job_has_the_priority_asked_for(stubber: Any, priority: int) -> None:
    create_with(stubber, run_of(priority=priority), job(), body(COPY, "copy", Priority=priority))


@pytest.mark.parametrize(
    ("location", "bucket", "prefix"),
    [
        ("state", "state", "runs/run/reports"),
        ("source", "source", "seeder/runs/run/reports"),
        ("destination", "destination", "seeder/runs/run/reports"),
    ],
)
def test_the_report_goes_where_the_request_says(
    stubber: Any, location: str, bucket: str, prefix: str
) -> None:
    expected = body(COPY, "copy")
    expected["Report"] |= {"Bucket": f"arn:aws:s3:::{bucket}", "Prefix": prefix}
    create_with(stubber, run_of(report_location=location), job(), expected)


@pytest.mark.parametrize(
    ("location", "bucket", "folder"),
    [
        ("state", None, "runs/run/"),
        ("source", "source", "seeder/runs/run/"),
        ("destination", "destination", "seeder/runs/run/"),
    ],
)
def test_the_manifests_stand_where_the_request_says(location: str, bucket: str | None, folder: str) -> None:
    run = run_of(manifest_location=location)
    home = run.manifest_bucket
    assert ((home.name if home else None), run.manifest_folder) == (bucket, folder)


def test_the_longest_run_id_suits_the_model(stubber: Any) -> None:
    run_id = "r" * 80
    stubber.add_response("create_job", {"JobId": "job-1"})
    with stubber:
        create(stubber.client, run_of(run_id=run_id), job(round=80), SETTINGS, ROLES)


@pytest.mark.parametrize(
    ("kind", "region"), [("copy", EUROPE), ("replicate", HOME), ("large", HOME), ("restore", HOME)]
)
def test_a_copy_belongs_to_the_destinations_region_and_all_else_to_the_sources(
    kind: Any, region: str
) -> None:
    assert jobs.region_of(run_of(), kind) == region


def test_the_token_is_derived_from_run_manifest_operation_and_round() -> None:
    one = token("run", '"etag"', "copy", 0)
    assert one == token("run", "etag", "copy", 0)
    assert 1 <= len(one) <= 64
    others = [
        ("run2", "etag", "copy", 0),
        ("run", "etag2", "copy", 0),
        ("run", "etag", "x", 0),
        ("run", "etag", "copy", 1),
    ]
    assert len({one, *(token(*other) for other in others)}) == 5


def test_asking_again_asks_the_very_same(stubber: Any) -> None:
    for _ in range(2):
        create_with(stubber, run_of(), job(), body(COPY, "copy"))


# What a job that is looked at every so often is seen to be.


def look(
    stubber: Any,
    before: Job,
    status: str = "Active",
    progress: dict[str, Any] | None = None,
    **members: Any,
) -> Job:
    seen: dict[str, Any] = {"JobId": before.id, "Status": status, **members}
    if progress is not None:
        seen["ProgressSummary"] = progress
    stubber.add_response("describe_job", {"Job": seen}, {"AccountId": ACCOUNT, "JobId": before.id})
    with stubber:
        return describe(stubber.client, ACCOUNT, before)


def look_in_vain(stubber: Any, before: Job, code: str = "NoSuchJob") -> Job:
    stubber.add_client_error("describe_job", code, "The specified job does not exist", 404)
    with stubber:
        return describe(stubber.client, ACCOUNT, before)


def running(**members: Any) -> Job:
    return job(**{"id": "job-1", "status": "New", "wait_seconds": FIRST_LOOK_SECONDS, **members})


def next_step(seen: Job) -> str:
    return Work(jobs=[running()]).with_current(seen).next


@pytest.mark.parametrize("status", STATUSES)
def test_of_every_status_the_run_knows_whether_it_is_the_last(stubber: Any, status: str) -> None:
    seen = look(stubber, running(), status)
    assert seen.status == status
    assert seen.finished == (status in {"Complete", "Cancelled", "Failed"})
    assert next_step(seen) == ("report" if seen.finished else "look")
    assert seen.wait_seconds >= SHORTEST_LOOK_SECONDS
    assert (seen.looks, seen.waited_seconds) == (1, 30)


def test_every_last_status_is_one_of_the_models_or_our_own() -> None:
    assert {*STATUSES, "Vanished"} >= FINAL


@pytest.mark.parametrize("status", sorted({*STATUSES} - FINAL))
def test_a_job_that_stays_as_it_is_is_looked_at_less_and_less(stubber: Any, status: str) -> None:
    """So is one that is suspended until it is confirmed, or paused by another."""
    seen, looks = running(), 0
    while seen.waited_seconds < 29 * 86_400:
        seen, looks = look(stubber, seen, status), looks + 1
    assert looks < 60
    assert look(stubber, seen, "Complete").finished


def test_progress_is_told_as_far_as_it_is_known(stubber: Any) -> None:
    seen = look(stubber, running(), "Preparing")
    assert (seen.total, seen.succeeded, seen.failed, seen.active_seconds, seen.done) == (
        None,
        None,
        None,
        None,
        0,
    )
    progress = {"TotalNumberOfTasks": 9, "NumberOfTasksSucceeded": 4, "NumberOfTasksFailed": 1}
    seen = look(stubber, seen, "Active", progress)
    assert (seen.total, seen.succeeded, seen.failed, seen.done) == (9, 4, 1, 5)
    seen = look(stubber, seen, "Active", {**progress, "Timers": {"ElapsedTimeInActiveSeconds": 77}})
    assert seen.active_seconds == 77
    seen = look(stubber, seen, "Complete")
    assert (seen.total, seen.succeeded, seen.failed) == (None, None, None)
    assert seen.finished


def test_the_reasons_of_a_failure_are_told_whatever_they_have(stubber: Any) -> None:
    reasons = [
        {"FailureCode": "InvalidManifestContent", "FailureReason": "Unexpected number of task fields"},
        {"FailureReason": "alone"},
        {"FailureCode": "Code"},
        {},
    ]
    seen = look(stubber, running(), "Failed", FailureReasons=reasons)
    assert seen.reasons == ["InvalidManifestContent: Unexpected number of task fields", "alone", "Code", ""]
    many = look(stubber, running(), "Failed", FailureReasons=[{"FailureReason": "x"}] * 50)
    assert len(many.reasons) == jobs.MOST_REASONS


@pytest.mark.parametrize("code", ["NoSuchJob", "NoSuchJobException", "NotFoundException"])
def test_a_job_that_is_not_found_yet_is_looked_for_again_soon(stubber: Any, code: str) -> None:
    seen = look_in_vain(stubber, running(), code)
    assert (seen.status, seen.finished, seen.wait_seconds, next_step(seen)) == ("New", False, 30, "look")
    found = look(stubber, seen)
    assert (found.status, found.in_vain, found.looks, found.waited_seconds) == ("Active", 0, 2, 60)


def test_a_job_that_is_never_found_has_vanished(stubber: Any) -> None:
    seen = running()
    for _ in range(LOOKS_IN_VAIN - 1):
        seen = look_in_vain(stubber, seen)
        assert not seen.finished
    seen = look_in_vain(stubber, seen)
    assert (seen.status, seen.finished, next_step(seen)) == ("Vanished", True, "report")
    assert "does not exist" in seen.reasons[0]
    assert seen.waited_seconds == 30 * LOOKS_IN_VAIN


def test_a_long_job_that_is_not_found_once_is_not_given_up(stubber: Any) -> None:
    long = running(status="Active", waited_seconds=20 * 86_400, wait_seconds=86_400)
    seen = look_in_vain(stubber, long)
    assert (seen.status, seen.finished, seen.wait_seconds) == ("Active", False, SHORTEST_LOOK_SECONDS)
    assert not look(stubber, seen).finished


def test_other_errors_of_a_look_are_the_callers(stubber: Any) -> None:
    for code in ("TooManyRequestsException", "InternalServiceException", "BadRequestException"):
        with pytest.raises(ClientError, match=code):
            look_in_vain(stubber, running(), code)


# What the states' functions make of errors.


def state_of(run: Run, now: Work, roles: Roles = ROLES) -> dict[str, Any]:
    return {"run": run.model_dump(), "roles": roles.model_dump(), "work": now.model_dump()}


def asked_to_create(stubber: Any, run: Run, now: Work, roles: Roles = ROLES) -> Work:
    with loaded("create_job") as app:
        app.clients.s3control = {now.the_current.region: stubber.client}.__getitem__
        with stubber:
            return Work.model_validate(app.handler(state_of(run, now, roles), context()))


@pytest.mark.parametrize("code", THROTTLED)
def test_a_job_that_aws_does_not_take_yet_awaits_its_turn(stubber: Any, code: str) -> None:
    now = work.plan(run_of(), manifests_of(own=(4,)))
    stubber.add_client_error("create_job", code, "You have exceeded the limit of active jobs", 400)
    waiting = asked_to_create(stubber, run_of(), now)
    assert (waiting.next, waiting.wait_seconds, waiting.the_current.id) == ("pause", 60, "")
    stubber.add_response("create_job", {"JobId": "job-1"})
    assert asked_to_create(stubber, run_of(), waiting).next == "look"


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("BadRequestException", 400, UnexpectedAnswer),
        ("InvalidRequest", 400, UnexpectedAnswer),
        ("IdempotencyException", 400, UnexpectedAnswer),
        ("InternalServiceException", 500, ServiceUnavailable),
        ("ServiceUnavailable", 503, ServiceUnavailable),
        ("AccessDenied", 403, AccessDenied),
    ],
)
def test_each_other_refusal_of_a_job_has_a_name_for_the_state_machine(
    stubber: Any, code: str, status: int, expected: type[SeederError]
) -> None:
    now = work.plan(run_of(), manifests_of(own=(4,)))
    stubber.add_client_error("create_job", code, "the reason", status)
    with pytest.raises(expected, match="the reason"):
        asked_to_create(stubber, run_of(), now)


def test_every_error_that_the_model_knows_of_creation_is_tested_here() -> None:
    known = {shape.name for shape in MODEL.operation_model("CreateJob").error_shapes}
    assert known == {
        "BadRequestException",
        "IdempotencyException",
        "InternalServiceException",
        "TooManyRequestsException",
    }


def asked_to_look(stubber: Any, now: Work, roles: Roles = ROLES) -> Work:
    with loaded("describe_job") as app:
        app.clients.s3control = {now.the_current.region: stubber.client}.__getitem__
        with stubber:
            return Work.model_validate(app.handler(state_of(run_of(), now, roles), context()))


@pytest.mark.parametrize("code", THROTTLED)
def test_a_look_that_is_throttled_is_tried_again_by_the_state_machine(stubber: Any, code: str) -> None:
    now = Work(jobs=[running()], next="look")
    stubber.add_client_error("describe_job", code, "", 400)
    with pytest.raises(Throttled):
        asked_to_look(stubber, now)


def test_a_look_is_taken_in_the_jobs_own_region(stubber: Any) -> None:
    now = Work(jobs=[running()], next="look")
    stubber.add_response("describe_job", {"Job": {"JobId": "job-1", "Status": "Complete"}})
    assert asked_to_look(stubber, now).next == "report"


# Roles that IAM does not know everywhere yet.

MADE = ROLES.model_copy(update={"made": True, "settle_seconds": 15})
REFUSALS = [
    ("AccessDenied", "User is not authorized to perform: iam:PassRole on resource: role"),
    ("BadRequestException", "The provided role cannot be assumed"),
    ("InvalidRequest", "Invalid RoleArn"),
]


@pytest.mark.parametrize(("code", "message"), REFUSALS)
def test_a_refused_role_that_was_just_made_is_tried_again_by_the_state_machine(
    stubber: Any, code: str, message: str
) -> None:
    now = work.plan(run_of(), manifests_of(own=(4,)))
    stubber.add_client_error("create_job", code, message, 400)
    with pytest.raises(NotYetVisible, match=f"just made or changed.*{message}"):
        asked_to_create(stubber, run_of(), now, MADE)
    stubber.add_client_error("create_job", code, message, 403)
    with pytest.raises((AccessDenied, UnexpectedAnswer), match=message):
        asked_to_create(stubber, run_of(), now, ROLES)


def test_another_refusal_is_not_taken_for_one_of_the_role(stubber: Any) -> None:
    now = work.plan(run_of(), manifests_of(own=(4,)))
    stubber.add_client_error("create_job", "BadRequestException", "The manifest is empty", 400)
    with pytest.raises(UnexpectedAnswer, match="The manifest is empty"):
        asked_to_create(stubber, run_of(), now, MADE)


def test_a_job_by_a_role_that_settles_has_another_token(stubber: Any) -> None:
    assert (
        len({token("run", "e", "copy", 0, settled) for settled in range(6)} | {token("run", "e", "copy", 1)})
        == 7
    )
    assert token("run", "e", "copy", 0, 0) == token("run", "e", "copy", 0)
    expected = body(COPY, "copy", ClientRequestToken=token("run", "e-1", "copy", 0, 2))
    create_with(stubber, run_of(), job(settled=2), expected)


def test_a_job_that_its_fresh_role_failed_is_created_again(stubber: Any) -> None:
    reasons = [
        {"FailureCode": "AccessDenied", "FailureReason": "Reading the manifest is forbidden: AccessDenied"}
    ]
    seen = {"Job": {"JobId": "job-1", "Status": "Failed", "FailureReasons": reasons}}
    now = Work(jobs=[running()], next="look")
    stubber.add_response("describe_job", seen)
    after = asked_to_look(stubber, now, MADE)
    assert (after.next, after.wait_seconds, after.the_current.settled, after.the_current.id) == (
        "pause",
        30,
        1,
        "",
    )
    stubber.add_response("describe_job", seen)
    assert asked_to_look(stubber, now, ROLES).next == "report"
