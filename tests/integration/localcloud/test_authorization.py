"""Functions and state machines do only what their roles allow, by whichever door they come."""

from __future__ import annotations

import io
import itertools
import json
import time
import zipfile
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from tests.unit.localcloud.roles_world import ACCOUNT, allow, make_role, refused, trusting

if TYPE_CHECKING:
    from localcloud.server import Server

FUNCTION = """
import boto3

def handler(event, context):
    boto3.client("s3").put_object(Bucket=event["bucket"], Key=event["key"])
    return "written"
"""
HERE = f"us-east-1:{ACCOUNT}"
LAMBDA, STATES = {"Service": "lambda.amazonaws.com"}, {"Service": "states.amazonaws.com"}
_numbers = itertools.count()


def name() -> str:
    return f"made-{next(_numbers)}"


def bucket(cloud: LocalCloud) -> str:
    made = name()
    cloud.client("s3").create_bucket(Bucket=made)
    return made


def function(cloud: LocalCloud, role: str) -> str:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", FUNCTION)
    answer = cloud.client("lambda").create_function(
        FunctionName=name(),
        Runtime="python3.13",
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": code.getvalue()},
    )
    return str(answer["FunctionArn"])


def invoke(cloud: LocalCloud, arn: str, **event: str) -> Any:
    answer = cloud.client("lambda").invoke(FunctionName=arn, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


def given(cloud: LocalCloud, role: str) -> dict[str, str]:
    answer = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="outside")
    return dict(answer["Credentials"])


def outside(door: Server, credentials: dict[str, str], **options: Any) -> Any:
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=door.url,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **options),
    )


def machine(cloud: LocalCloud, role: str, **state: Any) -> str:
    definition = {"StartAt": "S", "States": {"S": {"Type": "Task", "End": True, **state}}}
    answer = cloud.client("stepfunctions").create_state_machine(
        name=name(), definition=json.dumps(definition), roleArn=role
    )
    return str(answer["stateMachineArn"])


def run(cloud: LocalCloud, arn: str, **document: Any) -> dict[str, Any]:
    states = cloud.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=arn, input=json.dumps(document))["executionArn"]
    until = time.monotonic() + 20
    while time.monotonic() < until:
        seen: dict[str, Any] = states.describe_execution(executionArn=execution)
        if seen["status"] != "RUNNING":
            return seen
        time.sleep(0.01)
    raise AssertionError("still running")


def test_a_function_does_only_what_its_role_allows(cloud: LocalCloud) -> None:
    place = bucket(cloud)
    allowed = allow("s3:PutObject", resource=f"arn:aws:s3:::{place}/mine/*")
    arn = function(cloud, make_role(cloud, allowed, trust=trusting(LAMBDA)))
    assert invoke(cloud, arn, bucket=place, key="mine/k") == "written"
    refusal = invoke(cloud, arn, bucket=place, key="k")
    assert refusal["errorType"] == "AccessDenied"
    assert "is not authorized to perform: s3:PutObject on resource" in refusal["errorMessage"]
    touched = [each for each in cloud.recorded() if each.resource.startswith(f"arn:aws:s3:::{place}/")]
    kinds = {(each.kind, each.allowed) for each in touched}
    assert kinds == {("lambda.amazonaws.com", True), ("lambda.amazonaws.com", False)}


def test_a_function_wants_a_role_that_trusts_lambda(cloud: LocalCloud) -> None:
    with refused("cannot be assumed by Lambda", code="InvalidParameterValueException", status=400):
        function(cloud, make_role(cloud, trust=trusting(STATES)))
    role = make_role(cloud, trust=trusting(LAMBDA))
    arn = function(cloud, role)
    cloud.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2], PolicyDocument=trusting(STATES)
    )
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        invoke(cloud, arn, bucket="b", key="k")


def test_a_function_without_the_permission_leaves_no_log(cloud: LocalCloud) -> None:
    logs, place = cloud.client("logs"), bucket(cloud)
    write = allow("s3:PutObject")
    silent = function(cloud, make_role(cloud, write, trust=trusting(LAMBDA)))
    heard = function(cloud, make_role(cloud, write, allow("logs:*"), trust=trusting(LAMBDA)))
    for arn in (silent, heard):
        assert invoke(cloud, arn, bucket=place, key="k") == "written"
    groups = {group["logGroupName"].rpartition("/")[2] for group in logs.describe_log_groups()["logGroups"]}
    assert heard.rpartition(":")[2] in groups
    assert silent.rpartition(":")[2] not in groups


def test_a_task_needs_its_action_in_the_machines_role(cloud: LocalCloud) -> None:
    place = bucket(cloud)
    writer = function(cloud, make_role(cloud, allow("s3:PutObject"), trust=trusting(LAMBDA)))
    allowed = make_role(cloud, allow("lambda:InvokeFunction", resource=writer), trust=trusting(STATES))
    event = {"bucket": place, "key": "k"}
    assert run(cloud, machine(cloud, allowed, Resource=writer), **event)["status"] == "SUCCEEDED"
    ended = run(cloud, machine(cloud, make_role(cloud, trust=trusting(STATES)), Resource=writer), **event)
    assert ended["status"] == "FAILED"
    assert "is not authorized to perform: lambda:InvokeFunction" in ended["cause"]


@pytest.mark.parametrize(
    ("integration", "parameters", "action"),
    [
        ("sns:publish", {"TopicArn": f"arn:aws:sns:{HERE}:t", "Message": "m"}, "sns:Publish"),
        (
            "events:putEvents",
            {"Entries": [{"Source": "s", "DetailType": "d", "Detail": {}}]},
            "events:PutEvents",
        ),
        (
            "states:startExecution",
            {"StateMachineArn": f"arn:aws:states:{HERE}:stateMachine:m"},
            "states:StartExecution",
        ),
    ],
)
def test_an_integration_needs_its_action(
    cloud: LocalCloud, integration: str, parameters: dict[str, Any], action: str
) -> None:
    task = {"Resource": f"arn:aws:states:::{integration}", "Parameters": parameters}
    ended = run(cloud, machine(cloud, make_role(cloud, trust=trusting(STATES)), **task))
    assert ended["status"] == "FAILED"
    assert f"is not authorized to perform: {action}" in ended["cause"]


def test_waiting_for_another_machine_needs_to_look_at_it_and_a_rule(cloud: LocalCloud) -> None:
    inner_role = make_role(cloud, trust=trusting(STATES))
    definition = json.dumps({"StartAt": "S", "States": {"S": {"Type": "Pass", "End": True}}})
    inner = cloud.client("stepfunctions").create_state_machine(
        name=name(), definition=definition, roleArn=inner_role
    )["stateMachineArn"]
    task = {
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": inner, "Input": {}},
    }
    start = allow("states:StartExecution", resource=inner)
    rule = f"arn:aws:events:{HERE}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
    managed = allow("events:PutTargets", "events:PutRule", "events:DescribeRule", resource=rule)
    look = allow("states:DescribeExecution")
    with refused("is not authorized to create managed-rule", code="AccessDeniedException", status=400):
        machine(cloud, make_role(cloud, start, look, trust=trusting(STATES)), **task)
    blind = machine(cloud, make_role(cloud, start, managed, trust=trusting(STATES)), **task)
    assert "states:DescribeExecution" in run(cloud, blind)["cause"]
    seeing = machine(cloud, make_role(cloud, start, look, managed, trust=trusting(STATES)), **task)
    assert run(cloud, seeing)["status"] == "SUCCEEDED"


def test_a_machine_wants_a_role_that_trusts_step_functions_for_it(cloud: LocalCloud) -> None:
    topic = cloud.client("sns").create_topic(Name=name())["TopicArn"]
    task = {"Resource": "arn:aws:states:::sns:publish", "Parameters": {"TopicArn": topic, "Message": "m"}}
    for trust in (
        trusting(LAMBDA),
        trusting(STATES, {"StringEquals": {"aws:SourceAccount": "999999999999"}}),
        trusting(STATES, {"ArnLike": {"aws:SourceArn": f"arn:aws:states:{HERE}:stateMachine:another"}}),
    ):
        with refused("is authorized to assume", code="AccessDeniedException", status=400):
            machine(cloud, make_role(cloud, trust=trust), **task)
    mine = {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:states:{HERE}:stateMachine:*"},
    }
    role = make_role(cloud, allow("sns:Publish"), trust=trusting(STATES, mine))
    arn = machine(cloud, role, **task)
    assert run(cloud, arn)["status"] == "SUCCEEDED"
    cloud.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2], PolicyDocument=trusting(LAMBDA)
    )
    ended = run(cloud, arn)
    assert ended["status"] == "FAILED"
    assert "does not trust states.amazonaws.com" in ended["cause"]


def test_the_door_for_other_processes_is_guarded_too(cloud: LocalCloud) -> None:
    place = bucket(cloud)
    role = make_role(cloud, allow("s3:PutObject", resource=f"arn:aws:s3:::{place}/mine/*"))
    door = cloud.serve()
    try:
        s3 = outside(door, given(cloud, role))
        s3.put_object(Bucket=place, Key="mine/a b", Body=b"m")
        with refused("s3:PutObject"):
            s3.put_object(Bucket=place, Key="k", Body=b"m")
        with refused(code="403"):
            s3.head_object(Bucket=place, Key="mine/a b")
    finally:
        door.stop()


def test_a_presigned_request_is_its_signers(cloud: LocalCloud) -> None:
    place = bucket(cloud)
    cloud.client("s3").put_object(Bucket=place, Key="k", Body=b"k")
    door = cloud.serve()
    try:
        for statement, status in ((allow("s3:GetObject"), 200), (allow("s3:PutObject"), 403)):
            s3 = outside(door, given(cloud, make_role(cloud, statement)), signature_version="s3v4")
            url = s3.generate_presigned_url("get_object", Params={"Bucket": place, "Key": "k"})
            with urllib3.PoolManager(retries=False, timeout=10) as pool:
                assert pool.request("GET", url).status == status
    finally:
        door.stop()


def test_a_function_keeps_its_own_session(cloud: LocalCloud) -> None:
    place = bucket(cloud)
    first, second = (
        function(
            cloud,
            make_role(
                cloud, allow("s3:PutObject", resource=f"arn:aws:s3:::{place}/{each}"), trust=trusting(LAMBDA)
            ),
        )
        for each in ("first", "second")
    )
    for _ in range(2):
        assert invoke(cloud, first, bucket=place, key="first") == "written"
        assert invoke(cloud, second, bucket=place, key="second") == "written"
