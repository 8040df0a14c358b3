"""Triggers: documents like those of CloudTrail, and of any other shape. A run is asked for, or the event is refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder import triggers
from seeder.errors import InvalidRequest, SeederError
from seeder.large import invocation
from seeder.request import parse_request
from seeder.triggers import PUT
from tests.fuzz.memory import Answer, MemoryS3
from tests.fuzz.refusals import refusals, require_sentence
from tests.fuzz.strategies import LONG, altered, any_json, any_object, fuzzed, texts

SAMPLES = [json.loads(path.read_text("utf-8")) for path in sorted(Path("events").glob("*.json"))]
RULE = (
    "<Rule><ID>r</ID><Status>Enabled</Status><Filter><Prefix>logs/</Prefix></Filter>"
    "<Destination><Bucket>arn:aws:s3:::my-replica</Bucket></Destination></Rule>"
)
EVENT: dict[str, Any] = {
    "detail-type": "AWS API Call via CloudTrail",
    "source": "aws.s3",
    "detail": {
        "eventName": PUT,
        "eventID": "e1",
        "awsRegion": "eu-west-1",
        "requestParameters": {
            "bucketName": "my-bucket",
            "ReplicationConfiguration": {
                "Rule": [
                    {"ID": "r", "Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::my-replica"}}
                ]
            },
        },
        "resources": [{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::my-bucket"}],
    },
}
NAMES = ["eventName", "eventID", "errorCode", "awsRegion", "requestParameters", "resources"]
details = st.dictionaries(st.sampled_from(NAMES), any_json, max_size=6).map(
    lambda detail: {"detail": {"eventName": PUT, "eventID": "e1", **detail}}
)


@fuzzed(80)
@given(st.one_of(altered(st.sampled_from([EVENT, *SAMPLES])), details, any_json, any_object))
def test_a_trigger_asks_for_runs_of_its_buckets_or_is_refused(trigger: Any) -> None:
    with refusals():
        pairs = resolve(trigger)
        for pair in pairs:
            assert 0 < len(pair.run_id) <= 80
            asked = parse_request(pair.request)
            if "detail" in trigger:
                assert (asked.trigger, asked.rule_id, asked.destination) == ("rule-added", "r", "my-replica")
                assert asked.source in json.dumps(trigger["detail"])
        assert [pair.run_id for pair in resolve(trigger)] == [pair.run_id for pair in pairs]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [7, [], {"a": 1}, True, "", "../x", "x" * 70, "a b", "ÄÖ", "a\nb"])
def test_a_member_of_an_event_that_is_not_what_it_should_be_is_named(name: str, value: Any) -> None:
    event = copy.deepcopy(EVENT)
    event["detail"][name] = value
    if name == "resources":
        del event["detail"]["requestParameters"]
    refused = _refused(event)
    if refused:
        assert f"detail.{name}" in str(refused)
    else:
        # Ids may be any text, what is empty says nothing, and what is not needed is not looked at.
        assert name in {"eventID", "errorCode", "awsRegion"} or not value or name == "requestParameters"


@pytest.mark.parametrize("name", NAMES)
def test_a_member_of_an_event_of_any_size_is_refused_in_a_sentence(name: str) -> None:
    event = copy.deepcopy(EVENT)
    event["detail"][name] = "\x1b[31m" + "x" * LONG
    if name == "requestParameters":
        event["detail"][name] = {"bucketName": "x" * LONG}
    if name == "resources":
        del event["detail"]["requestParameters"]
    with pytest.raises(InvalidRequest, match=r"^detail[.]") as refused:
        resolve(event)
    require_sentence(refused.value)


@fuzzed(50)
@given(
    altered(
        st.just(
            {
                "invocationSchemaVersion": "2.0",
                "invocationId": "i",
                "job": {
                    "id": "j",
                    "userArguments": {
                        "run_id": "r",
                        "destination": "d",
                        "destination_region": "eu-west-1",
                        "source_region": "eu-west-1",
                    },
                },
                "tasks": [{"taskId": "t", "s3Key": "a%2Bb", "s3Bucket": "s", "s3VersionId": None}],
            }
        )
    )
)
def test_an_invocation_is_answered_for_each_of_its_tasks_or_refused(event: Any) -> None:
    with refusals():
        asked = invocation.parse(event)
        answer = asked.answer(asked.outcomes(_refuse))
        assert [one["taskId"] for one in answer["results"]] == [task["taskId"] for task in event["tasks"]]
        json.dumps(answer).encode()


@fuzzed(40)
@given(texts)
def test_a_key_of_a_task_is_decoded_or_its_task_fails(key: str) -> None:
    task = invocation.Task(task_id="t", s3_key=key, s3_bucket="b")
    with refusals():
        assert task.item.key.encode().decode() == task.item.key


def _refuse(item: Any) -> Any:
    raise InvalidRequest("s3Key", "not here; elsewhere")


def _refused(event: Any) -> SeederError | None:
    try:
        resolve(event)
    except SeederError as error:
        return error
    return None


def resolve(trigger: Any) -> list[triggers.Pair]:
    return triggers.resolve(trigger, "execution", MemoryS3(_answered).clients, "state", sleep=lambda _: None)


def _answered(method: str, bucket: str, key: str, query: dict[str, str]) -> Answer | None:
    if bucket and "replication" in query:
        return 200, f"<ReplicationConfiguration><Role>r</Role>{RULE}</ReplicationConfiguration>".encode(), {}
    return None
