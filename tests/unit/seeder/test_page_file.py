from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from seeder import page_file
from tests.unit.seeder.page.samples import record

KEY = "runs/manual-foghorn/report.html"


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        client.create_bucket(Bucket="state")
        yield client


def test_the_page_stands_beside_the_record_as_html(s3: Any, caplog: pytest.LogCaptureFixture) -> None:
    page_file.leave(s3, "state", record())
    stands = s3.get_object(Bucket="state", Key=KEY)
    assert stands["ContentType"] == "text/html; charset=utf-8"
    assert b"s3://state/runs/manual-foghorn/run.json" in stands["Body"].read()
    assert caplog.records == []


def test_the_page_is_written_once_and_the_first_stands(s3: Any, caplog: pytest.LogCaptureFixture) -> None:
    page_file.leave(s3, "state", record())
    before = s3.get_object(Bucket="state", Key=KEY)["Body"].read()
    page_file.leave(s3, "state", record(failed=13))
    assert s3.get_object(Bucket="state", Key=KEY)["Body"].read() == before
    assert caplog.records == []


def test_a_page_that_is_refused_is_told_in_the_log_and_nothing_else(
    s3: Any, caplog: pytest.LogCaptureFixture
) -> None:
    page_file.leave(s3, "not-there", record())
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert f"s3://not-there/{KEY} was not written" in line.getMessage()
    assert "NoSuchBucket" in line.getMessage()


def test_a_page_that_can_not_be_made_is_told_in_the_log(s3: Any, caplog: pytest.LogCaptureFixture) -> None:
    page_file.leave(s3, "state", record().model_copy(update={"stages": None}))
    (line,) = caplog.records
    assert line.exc_info
    assert "Contents" not in s3.list_objects_v2(Bucket="state")


def test_a_network_that_is_gone_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    class Gone:
        def put_object(self, **_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    gone: Any = Gone()
    page_file.leave(gone, "state", record())
    assert len(caplog.records) == 1
