"""What `localcloud.caches` keeps answers as what moto works out anew would."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.cloudformation.models import Stack
from moto.core.base_backend import AccountSpecificBackend, BaseBackend
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from localcloud import caches, stepfunctions
from localcloud.authorization import Authorization
from localcloud.aws import ACCOUNT_ID, client
from localcloud.clock import ScaledClock
from localcloud.patching import Patches
from tests.integration.localcloud.test_stepfunctions import machine, one_state, run

ADDRESSES, REGIONS, TEMPLATE = (
    BaseBackend.urls,
    AccountSpecificBackend._generate_regions,
    Stack.parse_template,
)


@pytest.fixture
def states() -> Iterator[Any]:
    patches = Patches()
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        caches.install(patches)
        stepfunctions.install(patches, ScaledClock(10_000), Authorization(enforce=False))
        yield client("stepfunctions")
        patches.undo()


def failing(then: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:none", "Message": "m"},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2}],
        **then,
    }


RETRIES = {
    "StartAt": "A",
    "States": {
        "A": failing({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}], "Next": "B"}),
        "B": failing({"End": True}),
    },
}


def test_executions_of_one_definition_count_their_retries_apart(states: Any) -> None:
    arn = machine(states, "retries", RETRIES)
    with ThreadPoolExecutor(4) as threads:
        ended = list(threads.map(lambda _: run(states, arn), range(4)))
    ended.append(run(states, arn))
    for each in ended:
        events = states.get_execution_history(executionArn=each["executionArn"])["events"]
        assert Counter(event["type"] for event in events)["TaskScheduled"] == 6


def test_definitions_that_differ_in_a_value_are_different_programs(states: Any) -> None:
    outputs = []
    for value in (1, 2):
        arn = machine(states, f"v{value}", one_state(Type="Pass", Result={"value": value}))
        outputs.append(json.loads(run(states, arn)["output"]))
    assert outputs == [{"value": 1}, {"value": 2}]


def test_what_one_execution_makes_of_its_input_the_next_does_not_see(states: Any) -> None:
    first = {"Type": "Pass", "Result": {"made": []}, "ResultPath": "$.new.here", "Next": "T"}
    second = {"Type": "Pass", "Parameters": {"all.$": "$.new.here.made", "given.$": "$.given"}, "End": True}
    arn = machine(states, "paths", {"StartAt": "S", "States": {"S": first, "T": second}})
    outputs = [json.loads(run(states, arn, {"given": number})["output"]) for number in range(2)]
    assert outputs == [{"all": [], "given": 0}, {"all": [], "given": 1}]


def test_a_wrong_definition_is_refused_each_time(states: Any) -> None:
    for _ in range(2):
        with pytest.raises(ClientError, match="mismatched input"):
            machine(states, "wrong", {"StartAt": "S", "States": {"S": {"Type": "Nothing"}}})


@pytest.mark.usefixtures("states")
@pytest.mark.parametrize("backends", [s3_backends, sqs_backends], ids=["s3", "sqs"])
def test_a_service_has_the_addresses_and_regions_that_it_has_in_moto(backends: Any) -> None:
    backend = backends[ACCOUNT_ID]["aws" if backends is s3_backends else "us-east-1"]
    kept = {pattern.pattern: handler for pattern, handler in backend.urls.items()}
    assert kept == ADDRESSES.fget(backend)
    account = backends[ACCOUNT_ID]
    assert account._generate_regions(backends.service_name) == REGIONS(account, backends.service_name)


@pytest.mark.usefixtures("states")
@pytest.mark.parametrize(
    "template",
    [
        json.dumps(
            {"a": ["yes", "1e3", "2012-10-17", "é\u2028\n: #", "!Ref x", ""], "b": {"1": None, "c": True}}
        ),
        "a: !Ref b\nc: [1, yes]\n",
    ],
    ids=["JSON", "YAML"],
)
def test_a_template_is_read_as_moto_reads_it(template: str) -> None:
    assert Stack.parse_template(template) == TEMPLATE(template)
