from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import localcloud.batch_operations as batch
from localcloud.batch_operations import Settings
from localcloud.clock import ManualClock
from tests.unit.localcloud.batch_world import ACCOUNT, World, careless_client, client, copy_to, report, world

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 86400


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def cloud(clock: ManualClock) -> Iterator[World]:
    with world(Settings(clock=clock)) as made:
        made.put("a")
        yield made


def test_describe_job_answers_what_was_asked_and_how_far_it_is(cloud: World) -> None:
    manifest = cloud.manifest("src,a\nsrc,b\n")
    job = cloud.run(manifest, Description="first", ConfirmationRequired=False)

    assert {name: value for name, value in job.items() if name not in ("JobId", "JobArn")} == {
        "ConfirmationRequired": False,
        "Description": "first",
        "Status": "Complete",
        "Manifest": manifest,
        "Operation": copy_to("dst"),
        "Priority": 10,
        "ProgressSummary": {
            "TotalNumberOfTasks": 2,
            "NumberOfTasksSucceeded": 1,
            "NumberOfTasksFailed": 1,
            "Timers": {"ElapsedTimeInActiveSeconds": 0},
        },
        "FailureReasons": [],
        "Report": report(),
        "CreationTime": datetime(2026, 3, 1, tzinfo=UTC),
        "TerminationDate": datetime(2026, 3, 1, tzinfo=UTC),
        "RoleArn": cloud.role,
    }
    assert job["JobArn"] == f"arn:aws:s3:us-east-1:{ACCOUNT}:job/{job['JobId']}"


@pytest.mark.parametrize(
    ("call", "more"),
    [
        ("describe_job", {}),
        ("update_job_priority", {"Priority": 1}),
        ("update_job_status", {"RequestedJobStatus": "Ready"}),
        ("get_job_tagging", {}),
        ("put_job_tagging", {"Tags": []}),
        ("delete_job_tagging", {}),
    ],
)
def test_an_unknown_job_is_not_found(cloud: World, call: str, more: dict[str, Any]) -> None:
    with pytest.raises(cloud.control.exceptions.NotFoundException) as caught:
        getattr(cloud.control, call)(AccountId=ACCOUNT, JobId="unknown", **more)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_jobs_belong_to_a_region(cloud: World) -> None:
    job_id = cloud.create(cloud.manifest("src,a\n"))
    elsewhere = client("s3control", "eu-west-1")
    with pytest.raises(elsewhere.exceptions.NotFoundException):
        elsewhere.describe_job(AccountId=ACCOUNT, JobId=job_id)
    assert elsewhere.list_jobs(AccountId=ACCOUNT)["Jobs"] == []


def test_jobs_belong_to_an_account(cloud: World) -> None:
    other = "999999999999"
    held = client("sts").assume_role(RoleArn=f"arn:aws:iam::{other}:role/x", RoleSessionName="session")[
        "Credentials"
    ]
    elsewhere = boto3.client(
        "s3control",
        region_name="us-east-1",
        aws_access_key_id=held["AccessKeyId"],
        aws_secret_access_key=held["SecretAccessKey"],
        aws_session_token=held["SessionToken"],
    )
    job_id = cloud.create(cloud.manifest("src,a\n"))
    with pytest.raises(elsewhere.exceptions.NotFoundException):
        elsewhere.describe_job(AccountId=other, JobId=job_id)
    role = f"arn:aws:iam::{other}:role/job"
    theirs = cloud.request(cloud.manifest("src,a\n"), AccountId=other, RoleArn=role)
    their_id = elsewhere.create_job(**theirs)["JobId"]
    assert [job["JobId"] for job in elsewhere.list_jobs(AccountId=other)["Jobs"]] == [their_id]


def test_list_jobs_pages_through_all_jobs_newest_first(cloud: World) -> None:
    made = [cloud.create(cloud.manifest("src,a\n")) for _ in range(5)]
    seen: list[str] = []
    token: dict[str, str] = {}
    for size in (2, 2, 1):
        page = cloud.control.list_jobs(AccountId=ACCOUNT, MaxResults=2, **token)
        assert len(page["Jobs"]) == size
        seen += [job["JobId"] for job in page["Jobs"]]
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else {}
    assert not token
    assert seen == made[::-1]


def test_list_jobs_filters_by_status_and_summarises(cloud: World) -> None:
    cloud.run(cloud.manifest("src,a\n"))
    waiting = cloud.run(cloud.manifest("src,a\n"), ConfirmationRequired=True, Description="waits")
    jobs = cloud.control.list_jobs(AccountId=ACCOUNT, JobStatuses=["Suspended", "Failed"])["Jobs"]
    assert jobs == [
        {
            "JobId": waiting["JobId"],
            "Description": "waits",
            "Operation": "S3PutObjectCopy",
            "Priority": 10,
            "Status": "Suspended",
            "CreationTime": datetime(2026, 3, 1, tzinfo=UTC),
            "ProgressSummary": {
                "TotalNumberOfTasks": 1,
                "NumberOfTasksSucceeded": 0,
                "NumberOfTasksFailed": 0,
                "Timers": {"ElapsedTimeInActiveSeconds": 0},
            },
        }
    ]


@pytest.mark.parametrize("token", ["bm9uc2Vuc2U=", "%%%"])
def test_a_token_that_list_jobs_never_gave_is_refused(cloud: World, token: str) -> None:
    control = careless_client()
    expected = (control.exceptions.InvalidNextTokenException, control.exceptions.InvalidRequestException)
    with pytest.raises(expected):
        control.list_jobs(AccountId=ACCOUNT, NextToken=token)


@pytest.mark.parametrize("changes", [{"MaxResults": 1001}, {"JobStatuses": ["Done"]}], ids=str)
def test_list_jobs_refuses_invalid_requests(cloud: World, changes: dict[str, Any]) -> None:
    control = careless_client()
    with pytest.raises(control.exceptions.InvalidRequestException):
        control.list_jobs(AccountId=ACCOUNT, **changes)


def test_a_jobs_tags_are_put_replaced_and_deleted(cloud: World) -> None:
    red, blue = [{"Key": "team", "Value": "red"}], [{"Key": "colour", "Value": "blue"}]
    job_id = cloud.create(cloud.manifest("src,a\n"), Tags=red)
    where = {"AccountId": ACCOUNT, "JobId": job_id}
    assert cloud.control.get_job_tagging(**where)["Tags"] == red
    cloud.control.put_job_tagging(**where, Tags=blue)
    assert cloud.control.get_job_tagging(**where)["Tags"] == blue
    cloud.control.put_job_tagging(**where, Tags=[])
    assert cloud.control.get_job_tagging(**where)["Tags"] == []
    cloud.control.put_job_tagging(**where, Tags=red)
    cloud.control.delete_job_tagging(**where)
    assert cloud.control.get_job_tagging(**where)["Tags"] == []


def test_more_than_50_tags_are_too_many(cloud: World) -> None:
    job_id = cloud.create(cloud.manifest("src,a\n"))
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(51)]
    with pytest.raises(cloud.control.exceptions.TooManyTagsException):
        cloud.control.put_job_tagging(AccountId=ACCOUNT, JobId=job_id, Tags=tags)


def test_update_job_priority_answers_and_shows(cloud: World) -> None:
    job_id = cloud.create(cloud.manifest("src,a\n"))
    answer = cloud.control.update_job_priority(AccountId=ACCOUNT, JobId=job_id, Priority=99)
    assert (answer["JobId"], answer["Priority"]) == (job_id, 99)
    assert cloud.describe(job_id)["Priority"] == 99


def test_ended_jobs_are_kept_for_90_days(cloud: World, clock: ManualClock) -> None:
    job_id = cloud.run(cloud.manifest("src,a\n"))["JobId"]
    clock.advance(90 * DAY)
    assert cloud.describe(job_id)["Status"] == "Complete"
    clock.advance(1)
    with pytest.raises(cloud.control.exceptions.NotFoundException):
        cloud.describe(job_id)
    assert cloud.control.list_jobs(AccountId=ACCOUNT)["Jobs"] == []


def test_a_forgotten_jobs_token_can_be_used_again(cloud: World, clock: ManualClock) -> None:
    first = cloud.create(cloud.manifest("src,a\n"), ClientRequestToken="t")
    batch.wait_for_idle()
    clock.advance(91 * DAY)
    assert cloud.create(cloud.manifest("src,a\n"), ClientRequestToken="t") != first
