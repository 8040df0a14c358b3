"""The HTTP door behaves as calls in the process do, for every key."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from tests.keys import TRAPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcloud.server import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with LocalCloud(ScaledClock(1000)) as cloud:
        server = cloud.serve()
        yield server
        server.stop()


@pytest.fixture(scope="module")
def outside(server: Server) -> Any:
    """Clients as another process has them: nothing of moto, only the printed variables."""
    from moto.core.models import botocore_stubber

    def make(service: str, region: str = "us-east-1") -> Any:
        variables = server.environment()
        if service == "s3control":
            endpoint = variables["AWS_ENDPOINT_URL_S3_CONTROL"]
            config = Config(proxies={"http": variables["HTTP_PROXY"]})
        else:
            endpoint, config = variables["AWS_ENDPOINT_URL"], Config()
        client = boto3.client(
            service,  # type: ignore[call-overload]
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=config,
        )
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.register_first("before-send", lambda **_: None)
        return client

    return make


def test_every_key_goes_in_and_comes_out(outside: Any) -> None:
    s3 = outside("s3")
    s3.create_bucket(Bucket="traps")
    for key in TRAPS:
        s3.put_object(Bucket="traps", Key=key, Body=key.encode(), Metadata={"with_underscore": "1"})
    assert {item["Key"] for item in s3.list_objects_v2(Bucket="traps")["Contents"]} == set(TRAPS)
    for key in TRAPS:
        answer = s3.get_object(Bucket="traps", Key=key)
        assert (answer["Body"].read(), answer["Metadata"]) == (key.encode(), {"with_underscore": "1"})


def test_errors_and_heads_are_as_inside(outside: Any) -> None:
    s3 = outside("s3")
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket="not-there-at-all")
    s3.create_bucket(Bucket="heads")
    s3.put_object(Bucket="heads", Key="k", Body=b"12345")
    assert s3.head_object(Bucket="heads", Key="k")["ContentLength"] == 5


def test_a_bucket_made_outside_is_seen_inside(outside: Any, server: Server) -> None:
    from localcloud.aws import client

    outside("s3", "eu-west-1").create_bucket(
        Bucket="shared", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    assert client("s3").get_bucket_location(Bucket="shared")["LocationConstraint"] == "eu-west-1"


def test_s3control_is_reached_through_the_proxy_in_the_region_that_signs(outside: Any) -> None:
    assert outside("s3control", "eu-west-1").list_jobs(AccountId="123456789012")["Jobs"] == []


def test_it_listens_on_loopback_alone(server: Server) -> None:
    port = int(server.url.rpartition(":")[2])
    assert server.url.startswith("http://127.0.0.1:")
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port)} - {"127.0.0.1", "::1"}
    for address in addresses:
        with socket.socket(socket.AF_INET6 if ":" in str(address) else socket.AF_INET) as probe:
            probe.settimeout(1)
            assert probe.connect_ex((address, port)) != 0
