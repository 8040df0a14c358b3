from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from localcloud import events
from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = "arn:aws:iam::123456789012:role/states"
PASS = json.dumps({"StartAt": "S", "States": {"S": {"Type": "Pass", "End": True}}})
EVENT = {"source": "test", "detail-type": "Thing", "detail": {"name": "n", "count": 3, "list": [1]}}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(ScaledClock(1000)) as running:
        yield running


@pytest.fixture
def machine(cloud: LocalCloud, request: pytest.FixtureRequest) -> str:
    states = cloud.client("stepfunctions")
    name = str(abs(hash(request.node.name)))
    return str(states.create_state_machine(name=name, definition=PASS, roleArn=ROLE)["stateMachineArn"])


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
