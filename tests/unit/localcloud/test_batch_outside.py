"""Jobs against an S3 that is reached by clients of the caller's, without the job's role."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud import batch_operations as batch
from localcloud.batch_operations import in_process
from localcloud.batch_operations.outside import OutsideDataPlane, OutsideSession, _AtOnce
from localcloud.batch_operations.task import Outcome, Task
from tests.keys import TRAPS
from tests.unit.localcloud.batch_world import ACCOUNT, World, client, copy_to, failure, world

NOBODY = f"arn:aws:iam::{ACCOUNT}:role/nobody"
INVOKE = {
    "LambdaInvoke": {
        "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:copy",
        "InvocationSchemaVersion": "2.0",
        "UserArguments": {"a": "b"},
    }
}


class Function:
    """Stands for a client of Lambda."""

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        asked = json.loads(Payload)
        results = [
            {"taskId": task["taskId"], "resultCode": "Succeeded", "resultString": task["s3Key"]}
            for task in asked["tasks"]
        ]
        return {"Payload": io.BytesIO(json.dumps({"results": results}).encode())}


def make(service: str, region: str) -> Any:
    return Function() if service == "lambda" else client(service, region)


@pytest.fixture
def cloud() -> Iterator[World]:
    settings = batch.Settings(
        begin_session=lambda job: OutsideSession(job, make),
        data_plane=OutsideDataPlane(workers=4),
        report_encryption={},
    )
    with world(settings) as made:
        yield made


def test_keys_with_every_trap_are_copied_without_any_role(cloud: World) -> None:
    for key in TRAPS:
        cloud.put(key, key.encode())
    rows = "".join(f"src,{quote(key, safe='/')}\n" for key in TRAPS)
    job = cloud.run(cloud.manifest(rows), RoleArn=NOBODY)
    assert (job["Status"], job["ProgressSummary"]["NumberOfTasksSucceeded"]) == ("Complete", len(TRAPS))
    assert [row[1] for row in cloud.rows(job)] == [quote(key, safe="/") for key in TRAPS]
    assert [cloud.read(key) for key in TRAPS] == [key.encode() for key in TRAPS]


def test_what_s3_refuses_is_a_failed_task(cloud: World) -> None:
    cloud.put("kept")
    job = cloud.run(cloud.manifest("src,kept\nsrc,gone\n"), RoleArn=NOBODY)
    assert [(row[1], row[3], row[4], row[5]) for row in cloud.rows(job)] == [
        ("kept", "succeeded", "200", ""),
        ("gone", "failed", "404", "NoSuchKey"),
    ]


def test_a_function_is_what_the_clients_have_for_lambda(cloud: World) -> None:
    job = cloud.run(cloud.manifest("src,a%20b\n"), INVOKE, RoleArn=NOBODY)
    assert [(row[1], row[3], row[6]) for row in cloud.rows(job)] == [("a%20b", "succeeded", "a%20b")]


def test_replication_is_not_done_from_outside(cloud: World) -> None:
    cloud.put("a")
    job = cloud.run(
        cloud.manifest("src,a,null\n", ("Bucket", "Key", "VersionId")),
        {"S3ReplicateObject": {}},
        RoleArn=NOBODY,
    )
    assert failure(job) == ("NotImplemented", "S3ReplicateObject can't be done from outside S3")


def test_a_destination_that_is_not_there_fails_the_job(cloud: World) -> None:
    cloud.put("a")
    job = cloud.run(cloud.manifest("src,a\n"), copy_to("nowhere"), RoleArn=NOBODY)
    assert failure(job)[0] == "NoSuchBucket"


def test_a_destination_of_another_region_is_refused(cloud: World) -> None:
    cloud.bucket("far", "eu-west-1")
    job = cloud.run(cloud.manifest("src,a\n"), copy_to("far"), RoleArn=NOBODY)
    assert failure(job)[0] == "InvalidRegion"


class Slow:
    """An operation each of whose tasks waits for all that may run beside it."""

    def __init__(self, workers: int) -> None:
        self.barrier = threading.Barrier(workers)
        self.begun: list[str] = []

    def outcome(self, task: Task) -> Outcome:
        self.begun.append(task.key)
        self.barrier.wait(5)
        return Outcome(True, message=task.key)


def tasks(count: int) -> list[Task]:
    return [Task("src", str(number)) for number in range(count)]


def test_tasks_run_at_once_and_are_reported_in_their_order() -> None:
    slow: Any = Slow(4)
    told = list(_AtOnce(slow, 4).run(tasks(8)))
    assert [(task.key, outcome.message) for task, outcome in told] == [(str(n), str(n)) for n in range(8)]


def test_no_task_is_begun_once_the_job_has_stopped() -> None:
    read: list[Task] = []

    def reading() -> Iterable[Task]:
        for task in tasks(100):
            read.append(task)
            yield task

    slow: Any = Slow(1)
    running = _AtOnce(slow, 1).run(reading())
    next(running)
    running.close()
    assert len(slow.begun) <= len(read) < 10


def test_requests_are_answered_in_this_process_whatever_their_host() -> None:
    batch.configure(batch.Settings())
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
    answer: Any = lambda request, **_: in_process.answer(request, "999988887777")  # noqa: E731
    session.events.register("before-send.s3-control", answer)
    control = session.client("s3control", endpoint_url="http://127.0.0.1:9")
    assert control.list_jobs(AccountId="999988887777")["Jobs"] == []
    with pytest.raises(ClientError, match="does not exist"):
        control.describe_job(AccountId="999988887777", JobId="0" * 36)
