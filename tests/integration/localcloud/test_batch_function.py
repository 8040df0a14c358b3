"""LambdaInvoke jobs on a function that the local stack has deployed, and declared objects behind HTTP."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

import localcloud.batch_operations as batch
from localcloud.cloud import LocalCloud
from localcloud.s3.content import Content
from tests.unit.localcloud.batch_world import ACCOUNT, CSV, TRUST, allow, document, report

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = """
import time

tried = {}

def handler(event, context):
    results = []
    for task in event["tasks"]:
        key = task["s3Key"]
        tried[key] = tried.get(key, 0) + 1
        if key == "crash":
            raise KeyError("no such thing")
        if key == "slow":
            time.sleep(1.2)
        said = {"passes": "TemporaryFailure" if tried[key] < 3 else "Succeeded", "stays": "TemporaryFailure"}
        text = f"{event['job']['userArguments']['colour']} {task['s3Bucket']} {tried[key]}"
        results.append(
            {"taskId": task["taskId"], "resultCode": said.get(key, "Succeeded"), "resultString": text}
        )
    return {
        "invocationSchemaVersion": "2.0",
        "invocationId": event["invocationId"],
        "treatMissingKeysAs": "PermanentFailure",
        "results": results,
    }
"""
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, Runtime: python3.13, CodeUri: code, Timeout: 1}
"""
KEYS = ("fine", "passes", "stays", "crash", "slow")


@pytest.fixture(scope="module")
def function(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("stack")
    (folder / "code").mkdir()
    (folder / "code" / "app.py").write_text(FUNCTION)
    (folder / "template.yaml").write_text(TEMPLATE)
    name = cloud.deploy(folder / "template.yaml", name="batch").resources["Function"]
    for bucket in ("src", "ops"):
        cloud.client("s3").create_bucket(Bucket=bucket)
    return str(cloud.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"])


def run(cloud: LocalCloud, function: str, role: str, *actions: str) -> dict[str, list[str]]:
    """Invoke the function for every key; return HTTP status, code and message of each key's row."""
    iam, s3, control = (cloud.client(name) for name in ("iam", "s3", "s3control"))
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(allow("s3:*", *actions)))
    body = "".join(f"src,{key}\n" for key in KEYS)
    etag = s3.put_object(Bucket="ops", Key="m.csv", Body=body.encode())["ETag"]
    operation = {
        "FunctionArn": function,
        "InvocationSchemaVersion": "2.0",
        "UserArguments": {"colour": "red"},
    }
    job_id = control.create_job(
        AccountId=ACCOUNT,
        ConfirmationRequired=False,
        Operation={"LambdaInvoke": operation},
        Report=report(),
        Manifest={
            "Spec": {"Format": CSV, "Fields": ["Bucket", "Key"]},
            "Location": {"ObjectArn": "arn:aws:s3:::ops/m.csv", "ETag": etag},
        },
        Priority=1,
        RoleArn=arn,
        ClientRequestToken=role,
    )["JobId"]
    batch.wait_for_idle()
    assert control.describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"]["Status"] == "Complete"
    found: dict[str, list[str]] = {}
    manifest = s3.get_object(Bucket="ops", Key=f"reports/job-{job_id}/manifest.json")["Body"].read()
    for result in json.loads(manifest)["Results"]:
        text = s3.get_object(Bucket="ops", Key=result["Key"])["Body"].read().decode()
        found |= {row[1]: row[3:] for row in csv.reader(io.StringIO(text))}
    return found


def test_a_deployed_function_gets_its_arguments_and_its_answers_are_the_rows(
    cloud: LocalCloud, function: str
) -> None:
    rows = run(cloud, function, "invoker", "lambda:InvokeFunction")
    assert rows["fine"] == ["succeeded", "200", "", "red src 1"]
    assert rows["passes"] == ["succeeded", "200", "", "red src 3"]
    assert rows["stays"] == ["failed", "200", "TemporaryFailure", "red src 3"]
    assert rows["crash"][:3] == rows["slow"][:3] == ["failed", "200", "PermanentFailure"]
    assert "no such thing" in rows["crash"][3]
    assert "Task timed out after 1.00 seconds" in rows["slow"][3]


def test_a_job_role_without_invoke_function_is_denied(cloud: LocalCloud, function: str) -> None:
    rows = run(cloud, function, "bystander")
    assert {tuple(row[:3]) for row in rows.values()} == {("failed", "403", "AccessDeniedException")}


def test_a_simulation_says_beforehand_what_the_role_may_do(cloud: LocalCloud, function: str) -> None:
    iam = cloud.client("iam")
    arn = iam.create_role(RoleName="asked", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    statement = allow("lambda:InvokeFunction", resource=function)
    iam.put_role_policy(RoleName="asked", PolicyName="p", PolicyDocument=document(statement))
    (result,) = iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=["lambda:InvokeFunction"], ResourceArns=[function]
    )["EvaluationResults"]
    assert result["EvalDecision"] == "allowed"


def test_a_declared_object_is_streamed_over_http(cloud: LocalCloud) -> None:
    size = 50 * 10**12
    cloud.client("s3").create_bucket(Bucket="huge")
    cloud.declare_object("huge", "k", size, part_size=5 * 1024**3)
    server = cloud.serve()
    try:
        fields: dict[str, Any] = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        s3 = boto3.client("s3", "us-east-1", endpoint_url=server.url, config=config, **fields)
        whole = s3.get_object(Bucket="huge", Key="k")
        assert whole["ContentLength"] == size
        assert whole["Body"].read(100_000) == bytes(Content.of("k", size)[:100_000])
        whole["Body"].close()
        part = s3.get_object(Bucket="huge", Key="k", Range=f"bytes={size - 9}-")
        assert part["Body"].read() == bytes(Content.of("k", size)[size - 9 :])
    finally:
        server.stop()
