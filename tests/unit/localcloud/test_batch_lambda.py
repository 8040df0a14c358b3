from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from moto.awslambda.models import LambdaFunction

from localcloud import fault_injection
from localcloud.batch_operations import Settings
from localcloud.faults import Fault, Faults
from localcloud.patching import Patches
from tests.unit.localcloud.batch_world import World, allow, client, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERSIONED = ("Bucket", "Key", "VersionId")


class Function:
    """A Lambda function whose answers a test decides."""

    def __init__(self, patches: Patches) -> None:
        self.events: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], Any] = succeed
        patches.replace(LambdaFunction, "_invoke_lambda", lambda _, event=None: self._invoke(event))

    def _invoke(self, event: dict[str, Any]) -> tuple[str, bool, str]:
        self.events.append(event)
        try:
            answer = self.answer(event)
        except RuntimeError as error:
            return json.dumps({"errorType": "RuntimeError", "errorMessage": str(error)}), True, ""
        return answer if isinstance(answer, str) else json.dumps(answer), False, ""

    def create(self, role: str) -> str:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", "")
        made = client("lambda").create_function(
            FunctionName="worker",
            Runtime="python3.13",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": code.getvalue()},
        )
        return str(made["FunctionArn"])


def respond(event: dict[str, Any], code: str, text: str = "") -> dict[str, Any]:
    return {
        "invocationSchemaVersion": event["invocationSchemaVersion"],
        "treatMissingKeysAs": "PermanentFailure",
        "invocationId": event["invocationId"],
        "results": [
            {"taskId": task["taskId"], "resultCode": code, "resultString": text or task["s3Key"]}
            for task in event["tasks"]
        ],
    }


def succeed(event: dict[str, Any]) -> dict[str, Any]:
    return respond(event, "Succeeded")


@pytest.fixture
def patches() -> Iterator[Patches]:
    made = Patches()
    yield made
    made.undo()


@pytest.fixture
def settings() -> Settings:
    return Settings(lambda_batch=2, retry_seconds=0.0)


@pytest.fixture
def cloud(settings: Settings) -> Iterator[World]:
    with world(settings) as made:
        yield made


@pytest.fixture
def function(patches: Patches) -> Function:
    return Function(patches)


def invoke(cloud: World, function: Function, **parameters: Any) -> dict[str, Any]:
    arn = function.create(cloud.role)
    return {"LambdaInvoke": {"FunctionArn": arn, **parameters}}


def test_schema_1_gives_tasks_with_the_buckets_arn_and_the_encoded_key(
    cloud: World, function: Function
) -> None:
    job = cloud.run(cloud.manifest("src,a%20b,v1\n", VERSIONED), invoke(cloud, function))
    (event,) = function.events
    (task,) = event["tasks"]
    assert event["invocationSchemaVersion"] == "1.0"
    assert event["job"] == {"id": job["JobId"]}
    assert {name: task[name] for name in task if name != "taskId"} == {
        "s3Key": "a%20b",
        "s3VersionId": "v1",
        "s3BucketArn": "arn:aws:s3:::src",
    }
    assert cloud.rows(job) == [["src", "a%20b", "v1", "succeeded", "200", "", "a%20b"]]


def test_schema_2_gives_the_buckets_name_and_the_users_arguments(cloud: World, function: Function) -> None:
    arguments = {"colour": "red"}
    operation = invoke(cloud, function, InvocationSchemaVersion="2.0", UserArguments=arguments)
    cloud.run(cloud.manifest("src,a\n"), operation)
    (event,) = function.events
    assert event["invocationSchemaVersion"] == "2.0"
    assert event["job"]["userArguments"] == arguments
    assert (event["tasks"][0]["s3Bucket"], event["tasks"][0]["s3VersionId"]) == ("src", None)
    assert "s3BucketArn" not in event["tasks"][0]


def test_tasks_come_in_batches(cloud: World, function: Function) -> None:
    job = cloud.run(cloud.manifest("src,a\nsrc,b\nsrc,c\n"), invoke(cloud, function))
    assert [len(event["tasks"]) for event in function.events] == [2, 1]
    assert [row[6] for row in cloud.rows(job)] == ["a", "b", "c"]


def test_a_key_may_be_any_text_for_the_function(cloud: World, function: Function) -> None:
    key = "%7B%22any%22%3A%20%22json%22%7D"
    cloud.run(cloud.manifest(f"src,{key}\nsrc,100%\n"), invoke(cloud, function))
    assert [task["s3Key"] for task in function.events[0]["tasks"]] == [key, "100%"]


def test_a_permanent_failure_is_reported_with_the_functions_text(cloud: World, function: Function) -> None:
    function.answer = lambda event: respond(event, "PermanentFailure", "no such thing")
    job = cloud.run(cloud.manifest("src,a\n"), invoke(cloud, function))
    assert cloud.rows(job) == [["src", "a", "", "failed", "200", "PermanentFailure", "no such thing"]]
    assert len(function.events) == 1


def test_a_temporary_failure_is_tried_again_before_the_job_ends(cloud: World, function: Function) -> None:
    function.answer = lambda event: respond(
        event, "Succeeded" if len(function.events) > 1 else "TemporaryFailure", "text"
    )
    job = cloud.run(cloud.manifest("src,a\n"), invoke(cloud, function))
    assert cloud.rows(job)[0][3] == "succeeded"
    assert len(function.events) == 2


def test_a_temporary_failure_that_lasts_is_reported(cloud: World, function: Function) -> None:
    function.answer = lambda event: respond(event, "TemporaryFailure", "busy")
    job = cloud.run(cloud.manifest("src,a\n"), invoke(cloud, function))
    assert cloud.rows(job)[0][3:] == ["failed", "200", "TemporaryFailure", "busy"]
    assert len(function.events) == Settings().lambda_attempts


@pytest.mark.parametrize(
    ("treated", "status", "calls"),
    [("Succeeded", "succeeded", 1), ("PermanentFailure", "failed", 1), (None, "failed", 3)],
)
def test_missing_task_ids_are_treated_as_the_function_says_or_as_temporary_failures(
    cloud: World, function: Function, treated: str | None, status: str, calls: int
) -> None:
    function.answer = lambda event: {
        **respond(event, "Succeeded"),
        "results": [],
        "treatMissingKeysAs": treated,
    }
    job = cloud.run(cloud.manifest("src,a\n"), invoke(cloud, function))
    assert cloud.rows(job)[0][3] == status
    assert len(function.events) == calls


def test_a_function_error_fails_all_tasks_of_the_invocation(cloud: World, function: Function) -> None:
    def fail(_: dict[str, Any]) -> None:
        raise RuntimeError("broken")

    function.answer = fail
    job = cloud.run(cloud.manifest("src,a\nsrc,b\n"), invoke(cloud, function))
    for row in cloud.rows(job):
        assert row[3:6] == ["failed", "200", "PermanentFailure"]
        assert row[6].startswith('Lambda returned function error: {"errorType": "RuntimeError"')


@pytest.mark.parametrize("answer", ["not json", "[]", '{"results": [{}]}', "null"])
def test_an_answer_against_the_schema_fails_the_tasks(cloud: World, function: Function, answer: str) -> None:
    function.answer = lambda _: answer
    job = cloud.run(cloud.manifest("src,a\n"), invoke(cloud, function))
    assert cloud.rows(job)[0][5:] == ["PermanentFailure", f"Lambda returned an invalid response: {answer}"]


def test_an_unknown_result_code_fails_the_task(cloud: World, function: Function) -> None:
    function.answer = lambda event: respond(event, "Done")
    job = cloud.run(cloud.manifest("src,a\n"), invoke(cloud, function))
    assert cloud.rows(job)[0][5:] == ["PermanentFailure", "Lambda returned an unknown resultCode: Done"]


def test_a_role_that_may_not_invoke_the_function_is_denied(cloud: World, function: Function) -> None:
    role = cloud.make_role("narrow", allow("s3:*"))
    job = cloud.run(cloud.manifest("src,a\n"), invoke(cloud, function), RoleArn=role)
    assert cloud.rows(job)[0][3:6] == ["failed", "403", "AccessDeniedException"]
    assert function.events == []


def test_a_missing_function_fails_its_tasks(cloud: World) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:missing"
    job = cloud.run(cloud.manifest("src,a\n"), {"LambdaInvoke": {"FunctionArn": arn}})
    assert cloud.rows(job)[0][3:6] == ["failed", "404", "ResourceNotFoundException"]


@pytest.mark.parametrize(
    ("effect", "text"), [("timeout", "Task timed out after 3.00 seconds"), ("exit", "Runtime exited")]
)
@pytest.mark.parametrize("committed", [True, False])
def test_an_injected_fault_lets_a_function_time_out_or_die_before_or_after_its_work(
    cloud: World, function: Function, patches: Patches, effect: str, text: str, committed: bool
) -> None:
    faults = Faults([Fault(function="worker", effect=effect, committed=committed, times=1)])
    fault_injection.install(patches, lambda: faults)
    job = cloud.run(cloud.manifest("src,a\nsrc,b\nsrc,c\n"), invoke(cloud, function))
    assert [row[3] for row in cloud.rows(job)] == ["succeeded", "failed", "failed"]
    assert text in cloud.rows(job)[1][6]
    assert len(function.events) == (2 if committed else 1)


def test_an_injected_task_fault_keeps_the_task_from_the_function(settings: Settings) -> None:
    settings = Settings(faults=[Fault(key_prefix="a b", status=503, code="SlowDown")])
    patches = Patches()
    function = Function(patches)
    with world(settings) as cloud:
        job = cloud.run(cloud.manifest("src,a%20b\nsrc,c\n"), invoke(cloud, function))
        assert [row[5] for row in cloud.rows(job)] == ["", "SlowDown"]
    patches.undo()
    assert len(function.events) == 1
