from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given

from seeder.errors import InvalidRequest
from seeder.large.invocation import parse
from seeder.large.notes import Item
from seeder.large.outcome import MOST_CHARACTERS, Outcome, failed, succeeded
from tests.keys import any_key

ARGUMENTS = {
    "run_id": "run",
    "destination": "destination",
    "destination_region": "eu-west-1",
    "source_region": "us-east-1",
}


def event(*keys: str, version_id: str | None = None) -> dict[str, Any]:
    return {
        "invocationSchemaVersion": "2.0",
        "invocationId": "invocation",
        "job": {"id": "job", "userArguments": ARGUMENTS},
        "tasks": [
            {"taskId": f"task-{number}", "s3Key": key, "s3VersionId": version_id, "s3Bucket": "source"}
            for number, key in enumerate(keys)
        ],
    }


@given(any_key)
def test_a_key_is_decoded_once(key: str) -> None:
    assert parse(event(quote(key, safe="/"))).tasks[0].item == Item("source", key, "")


@pytest.mark.parametrize(("given_id", "read"), [(None, ""), ("", ""), ("null", "null"), ("v", "v")])
def test_a_version_is_told_from_none(given_id: str | None, read: str) -> None:
    assert parse(event("key", version_id=given_id)).tasks[0].item.version_id == read


def test_the_run_is_read_from_the_jobs_arguments() -> None:
    assert parse(event("key")).job.user_arguments.model_dump() == ARGUMENTS


def test_every_task_is_answered_with_its_id_in_the_form_of_the_contract() -> None:
    asked = parse(event("a", "b"))
    outcomes = asked.outcomes(
        lambda item: succeeded("fine") if item.key == "a" else Outcome("TemporaryFailure", "SlowDown: no")
    )
    assert asked.answer(outcomes) == {
        "invocationSchemaVersion": "2.0",
        "treatMissingKeysAs": "TemporaryFailure",
        "invocationId": "invocation",
        "results": [
            {"taskId": "task-0", "resultCode": "Succeeded", "resultString": "fine"},
            {"taskId": "task-1", "resultCode": "TemporaryFailure", "resultString": "SlowDown: no"},
        ],
    }


def test_a_key_that_is_no_utf8_fails_alone() -> None:
    outcomes = parse(event("%FF", "good")).outcomes(lambda item: succeeded(item.key))
    assert [outcome.code for outcome in outcomes] == ["PermanentFailure", "Succeeded"]
    assert outcomes[0].text.startswith("InvalidRequest: s3Key: '%FF'")


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        ({"job": {"id": "job"}}, "job.userArguments"),
        ({"job": {"id": "job", "userArguments": {**ARGUMENTS, "run_id": None}}}, "job.userArguments.run_id"),
        ({"tasks": [{"taskId": "1", "s3Key": "k", "s3BucketArn": "arn:aws:s3:::b"}]}, "tasks.0.s3Bucket"),
    ],
)
def test_an_invocation_of_another_form_is_refused_by_field(spoil: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(event("key") | spoil)
    assert caught.value.field == field


def test_a_result_is_one_short_line() -> None:
    outcome = failed(EndpointConnectionError(endpoint_url="line\nbreak " * 500))
    assert len(outcome.text) == MOST_CHARACTERS
    assert "\n" not in outcome.text
