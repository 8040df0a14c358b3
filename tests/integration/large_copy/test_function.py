"""The function as S3 Batch Operations invokes it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud

APP = Path(__file__).parents[3] / "functions" / "copy_large_object" / "app.py"
SIZE = 5 * 1024**3 + 1
KEYS = ["plain", "a b+c%2F,é", "missing"]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    with LocalCloud(ScaledClock(1000)) as running:
        monkeypatch.setenv("STATE_BUCKET", "state")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
        monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Seeder")
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "seeder")
        s3, abroad = running.client("s3"), running.client("s3", "eu-west-1")
        s3.create_bucket(Bucket="source")
        s3.create_bucket(Bucket="state")
        abroad.create_bucket(
            Bucket="destination", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield running


def load() -> Any:
    specification = importlib.util.spec_from_file_location("copy_large_object", APP)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def context(seconds: float) -> Any:
    return SimpleNamespace(
        function_name="copy-large-object",
        memory_limit_in_mb=1769,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:copy-large-object",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: int(seconds * 1000),
    )


def event() -> dict[str, Any]:
    arguments = {
        "run_id": "run",
        "destination": "destination",
        "destination_region": "eu-west-1",
        "source_region": "us-east-1",
    }
    return {
        "invocationSchemaVersion": "2.0",
        "invocationId": "invocation",
        "job": {"id": "job", "userArguments": arguments},
        "tasks": [
            {"taskId": key, "s3Key": quote(key, safe="/"), "s3VersionId": None, "s3Bucket": "source"}
            for key in KEYS
        ],
    }


def test_it_copies_answers_for_each_task_and_succeeds_when_repeated(cloud: LocalCloud) -> None:
    for key in KEYS[:2]:
        cloud.declare_object("source", key, SIZE, metadata={"a": "b"})
    handler, s3 = load().handler, cloud.client("s3", "eu-west-1")
    late = handler(event(), context(20))
    assert [result["resultCode"] for result in late["results"]] == [
        *["TemporaryFailure"] * 2,
        "PermanentFailure",
    ]
    for text in ("copied 5368709121 bytes in 6 parts", "copied before: 5368709121 bytes"):
        answer = handler(event(), context(900))
        assert [result["taskId"] for result in answer["results"]] == KEYS
        assert [result["resultString"] for result in answer["results"][:2]] == [text, text]
        assert answer["results"][2]["resultCode"] == "PermanentFailure"
        assert answer["results"][2]["resultString"].startswith("NoSuchKey: ")
    head = s3.head_object(Bucket="destination", Key=KEYS[1])
    assert (head["ContentLength"], head["Metadata"]) == (SIZE, {"a": "b"})
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="destination")
