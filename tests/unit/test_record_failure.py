"""RecordFailure: a record tells the stages of a run that ended in an error, and is written where they can't be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from tests.functions import context, loaded
from tests.runs import HOME, STARTED_AT, manifests_of, run_of

ARN = f"arn:aws:states:{HOME}:123456789012:execution:seeder-seed:run"
ENDED_AT = "2026-01-31T00:01:00Z"


@pytest.fixture
def app() -> Iterator[Any]:
    with mock_aws():
        boto3.client("s3", HOME).create_bucket(Bucket="state")
        with loaded("record_failure") as module:
            yield module


def entered(name: str, second: int) -> dict[str, Any]:
    timestamp = datetime(2026, 1, 31, 0, 0, second, tzinfo=UTC)
    return {"timestamp": timestamp, "stateEnteredEventDetails": {"name": name}}


def history(*pages: Any) -> Any:
    """Stand for Step Functions: pages of events, or what asking for them raises."""

    def paginate(executionArn: str) -> Iterator[dict[str, Any]]:  # noqa: N803 - as boto3 has it
        assert executionArn == ARN
        for page in pages:
            if isinstance(page, Exception):
                raise page
            yield {"events": page}

    return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate))


def event(**more: Any) -> dict[str, Any]:
    state = {
        "run": run_of().model_dump(mode="json"),
        "manifest": manifests_of().model_dump(mode="json"),
        "error": {"Error": "Throttled", "Cause": ""},
    }
    return {"run_id": "run", "started_at": STARTED_AT, "ended_at": ENDED_AT, "state": state, **more}


def test_the_stages_of_a_run_that_ended_in_an_error_are_told(app: Any) -> None:
    app.clients.states = lambda: history(
        [entered("ResolveRequest", 0), entered("PaginateKeys", 2)], [entered("PlanJobs", 32)]
    )
    told = app.handler(event(execution=ARN), context())
    assert told["stages"] == {"ResolveRequest": 2, "PaginateKeys": 30, "PlanJobs": 28}
    assert (told["census"]["objects"], told["bill"]["actual"]) == (0, [])


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "GetExecutionHistory"),
        EndpointConnectionError(endpoint_url="https://states"),
    ],
)
def test_a_history_that_can_not_be_read_leaves_a_record_without_stages(app: Any, error: Exception) -> None:
    app.clients.states = lambda: history([entered("ResolveRequest", 0)], error)
    told = app.handler(event(execution=ARN), context())
    assert (told["state"], told["stages"]) == ("Failed", {})
    stands = boto3.client("s3", HOME).get_object(Bucket="state", Key="runs/run/run.json")
    assert b'"Throttled"' in stands["Body"].read()
