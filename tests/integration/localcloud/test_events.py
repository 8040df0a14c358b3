from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from localcloud import dead_letters, events
from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from tests.integration.localcloud.targets import ACCOUNT, make_machine, make_queue, make_role, messages

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE_ARN = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/rule"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/events"
START = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": "*"}
EVENT = {"source": "test", "detail-type": "Thing", "detail": {"name": "n", "count": 3, "list": [1]}}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(ScaledClock(1000), enforce=False) as running:
        make_role(running, ROLE, "events.amazonaws.com", RULE_ARN, START)
        yield running


@pytest.fixture
def machine(cloud: LocalCloud, request: pytest.FixtureRequest) -> str:
    return make_machine(cloud, str(abs(hash(request.node.name))))


@pytest.fixture
def rule(cloud: LocalCloud) -> Iterator[Any]:
    client = cloud.client("events")

    def put(arn: str, pattern: dict[str, Any] | None = None, state: str = "ENABLED", **target: Any) -> None:
        client.put_rule(Name="rule", EventPattern=json.dumps(pattern or {"source": ["test"]}), State=state)
        client.put_targets(Rule="rule", Targets=[{"Id": "t", "Arn": arn, "RoleArn": ROLE, **target}])

    yield put
    client.remove_targets(Rule="rule", Ids=["t"])
    client.delete_rule(Name="rule")


def inputs(cloud: LocalCloud, machine: str) -> list[Any]:
    states = cloud.client("stepfunctions")
    executions = states.list_executions(stateMachineArn=machine)["executions"]
    return [
        json.loads(states.describe_execution(executionArn=item["executionArn"])["input"])
        for item in executions
    ]


def test_a_matching_event_starts_the_target_with_the_whole_event(
    cloud: LocalCloud, machine: str, rule: Any
) -> None:
    rule(machine)
    events.deliver(EVENT, "us-east-1")
    (received,) = inputs(cloud, machine)
    assert received["detail"] == EVENT["detail"]
    assert {"id", "time", "account", "region", "version", "resources"} <= received.keys()


def test_put_events_reaches_the_target_too(cloud: LocalCloud, machine: str, rule: Any) -> None:
    rule(machine)
    entry = {"Source": "test", "DetailType": "Thing", "Detail": json.dumps({"a": 1})}
    cloud.client("events").put_events(Entries=[entry])
    (received,) = inputs(cloud, machine)
    assert received["detail"] == {"a": 1}
    assert received["time"].endswith("Z")


@pytest.mark.parametrize(
    ("pattern", "state"), [({"source": ["other"]}, "ENABLED"), ({"source": ["test"]}, "DISABLED")]
)
def test_what_does_not_match_or_is_disabled_starts_nothing(
    cloud: LocalCloud, machine: str, rule: Any, pattern: dict[str, Any], state: str
) -> None:
    rule(machine, pattern, state)
    events.deliver(EVENT, "us-east-1")
    assert inputs(cloud, machine) == []


def test_a_rule_of_another_region_is_not_asked(cloud: LocalCloud, machine: str, rule: Any) -> None:
    rule(machine)
    events.deliver(EVENT, "eu-west-1")
    assert inputs(cloud, machine) == []


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"Input": '{"fixed": 1}'}, {"fixed": 1}),
        ({"InputPath": "$.detail"}, EVENT["detail"]),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"n": "$.detail.name", "c": "$.detail.count", "l": "$.detail.list"},
                    "InputTemplate": '{"text": "<n>", "bare": <n>, "number": <c>, "list": <l>}',
                }
            },
            {"text": "n", "bare": "n", "number": 3, "list": [1]},
        ),
    ],
)
def test_a_target_shapes_its_input(
    cloud: LocalCloud, machine: str, rule: Any, target: dict[str, Any], expected: Any
) -> None:
    rule(machine, **target)
    events.deliver(EVENT, "us-east-1")
    assert inputs(cloud, machine) == [expected]


def test_an_unknown_kind_of_target_is_an_error(rule: Any) -> None:
    rule("arn:aws:kinesis:us-east-1:123456789012:stream/s")
    with pytest.raises(NotImplementedError, match="not supported by the local cloud"):
        events.deliver(EVENT, "us-east-1")


def sending(source: str = RULE_ARN) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }


def test_an_event_that_its_target_does_not_take_goes_to_the_targets_queue(
    cloud: LocalCloud, rule: Any
) -> None:
    queue = make_queue(cloud, "no-machine", sending())
    target = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:not-there"
    rule(target, DeadLetterConfig={"Arn": queue})
    events.deliver(EVENT, "us-east-1")
    (message,) = messages(cloud, queue)
    assert json.loads(message["Body"])["detail"] == EVENT["detail"]
    attributes = {name: item["StringValue"] for name, item in message["MessageAttributes"].items()}
    assert "does not exist" in attributes.pop("ERROR_MESSAGE").lower()
    assert attributes == {
        "RULE_ARN": RULE_ARN,
        "TARGET_ARN": target,
        "ERROR_CODE": "NO_RESOURCE",
        "RETRY_ATTEMPTS": "0",
    }


def test_a_passing_refusal_counts_the_retries_that_were_allowed(
    cloud: LocalCloud, machine: str, rule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttle(*_: str) -> None:
        raise dead_letters.Refusal("ThrottlingException", "Rate exceeded")

    monkeypatch.setitem(events._STARTERS, "states", ("states:StartExecution", throttle))
    queue = make_queue(cloud, "throttled", sending())
    rule(machine, DeadLetterConfig={"Arn": queue}, RetryPolicy={"MaximumRetryAttempts": 7})
    events.deliver(EVENT, "us-east-1")
    (message,) = messages(cloud, queue)
    attributes = {name: item["StringValue"] for name, item in message["MessageAttributes"].items()}
    assert (attributes["ERROR_CODE"], attributes["RETRY_ATTEMPTS"]) == ("THROTTLING", "7")
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"


@pytest.mark.parametrize(
    ("source", "statement", "code"),
    [
        (f"arn:aws:events:us-east-1:{ACCOUNT}:rule/another", START, "FAILED_TO_ASSUME_ROLE"),
        (RULE_ARN, {**START, "Resource": "arn:aws:states:*:*:stateMachine:another"}, "NO_PERMISSIONS"),
    ],
)
def test_a_target_is_started_as_its_role(
    cloud: LocalCloud, machine: str, rule: Any, source: str, statement: dict[str, Any], code: str
) -> None:
    queue = make_queue(cloud, code, sending())
    role = make_role(cloud, f"arn:aws:iam::{ACCOUNT}:role/{code}", "events.amazonaws.com", source, statement)
    rule(machine, RoleArn=role, DeadLetterConfig={"Arn": queue})
    events.deliver(EVENT, "us-east-1")
    (message,) = messages(cloud, queue)
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == code
    assert inputs(cloud, machine) == []


@pytest.mark.parametrize(
    "statements",
    [
        [],
        [sending(source=f"arn:aws:events:us-east-1:{ACCOUNT}:rule/another")],
        [sending(), {**sending(), "Effect": "Deny"}],
    ],
)
def test_a_queue_whose_policy_does_not_let_the_rule_send_gets_nothing(
    cloud: LocalCloud, rule: Any, statements: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    queue = make_queue(cloud, f"closed-{len(statements)}-{abs(hash(str(statements)))}", *statements)
    rule(f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:not-there", DeadLetterConfig={"Arn": queue})
    events.deliver(EVENT, "us-east-1")
    assert messages(cloud, queue) == []
    assert "its policy forbids it" in caplog.text


def test_a_state_machine_is_not_started_without_a_role(cloud: LocalCloud, machine: str) -> None:
    queue = make_queue(cloud, "no-role", sending())
    target = {"Arn": machine, "DeadLetterConfig": {"Arn": queue}}
    client = cloud.client("events")
    client.put_rule(Name="rule", EventPattern='{"source": ["test"]}')
    client.put_targets(Rule="rule", Targets=[{"Id": "t", **target}])
    events.deliver(EVENT, "us-east-1")
    client.remove_targets(Rule="rule", Ids=["t"])
    (message,) = messages(cloud, queue)
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    assert inputs(cloud, machine) == []


def test_without_a_queue_what_is_not_delivered_is_logged(
    cloud: LocalCloud, rule: Any, caplog: pytest.LogCaptureFixture
) -> None:
    rule(f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:not-there")
    events.deliver(EVENT, "us-east-1")
    assert "event not delivered to" in caplog.text
