"""The service under moto's own server, as functions reach it: a forward proxy, one host name for all regions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

import localcloud.batch_operations as batch
from tests.unit.localcloud.batch_world import ACCOUNT, CSV, TRUST, allow, copy_to, document, report

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-west-1"


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    batch.stop_all()
    server.stop()


def connect(service: str, endpoint: str, **config: Any) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(**config),
    )


def test_a_job_runs_in_the_region_the_request_was_signed_for(url: str) -> None:
    s3, iam = connect("s3", url), connect("iam", url)
    control = connect("s3control", "http://s3-control.us-east-1.amazonaws.com", proxies={"http": url})
    for name in ("src", "dst", "ops"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    role = iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="job", PolicyName="p", PolicyDocument=document(allow("s3:*")))
    s3.put_object(Bucket="src", Key="a b", Body=b"content")
    etag = s3.put_object(Bucket="ops", Key="m.csv", Body=b"src,a%20b\n")["ETag"]
    job_id = control.create_job(
        AccountId=ACCOUNT,
        ConfirmationRequired=False,
        Operation=copy_to("dst"),
        Report=report(),
        Manifest={
            "Spec": {"Format": CSV, "Fields": ["Bucket", "Key"]},
            "Location": {"ObjectArn": "arn:aws:s3:::ops/m.csv", "ETag": etag},
        },
        Priority=1,
        RoleArn=role,
    )["JobId"]
    batch.wait_for_idle()

    job = control.describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"]
    assert job["Status"] == "Complete"
    assert job["JobArn"] == f"arn:aws:s3:{REGION}:{ACCOUNT}:job/{job_id}"
    assert s3.get_object(Bucket="dst", Key="a b")["Body"].read() == b"content"
    control.put_job_tagging(AccountId=ACCOUNT, JobId=job_id, Tags=[{"Key": "k", "Value": "v"}])
    assert control.get_job_tagging(AccountId=ACCOUNT, JobId=job_id)["Tags"] == [{"Key": "k", "Value": "v"}]
    assert control.update_job_priority(AccountId=ACCOUNT, JobId=job_id, Priority=2)["Priority"] == 2
    assert [each["JobId"] for each in control.list_jobs(AccountId=ACCOUNT)["Jobs"]] == [job_id]
    with pytest.raises(control.exceptions.JobStatusException):
        control.update_job_status(AccountId=ACCOUNT, JobId=job_id, RequestedJobStatus="Cancelled")
