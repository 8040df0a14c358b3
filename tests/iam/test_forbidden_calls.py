from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from localcloud.deploy import Stack
from tests.iam.evaluator import evaluate
from tests.iam.forbidden import PARAMETERS, WRITERS, calls
from tests.iam.policies_of import Role, roles_of
from tests.iam.recorded import allowed_of

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def stack(cloud: LocalCloud) -> Stack:
    return cloud.deploy(TEMPLATE, parameters=PARAMETERS)


@pytest.fixture(scope="module")
def roles(cloud: LocalCloud, stack: Stack) -> list[Role]:
    return list(roles_of(cloud).values())


def test_no_role_of_the_stack_may_make_a_forbidden_call(
    cloud: LocalCloud, stack: Stack, roles: list[Role]
) -> None:
    forbidden = calls(stack.outputs["StateBucketName"], f"{stack.name}/")
    assert len(roles) > 15
    assert allowed_of(cloud, roles, forbidden) == []


def test_each_function_writes_only_its_own_part_of_the_state_bucket(
    cloud: LocalCloud, stack: Stack, roles: list[Role]
) -> None:
    state = f"arn:aws:s3:::{stack.outputs['StateBucketName']}"
    functions = {name: name.removesuffix("Role") for name in stack.resources if name.endswith("Role")}
    made_by = {stack.resources[name]: function for name, function in functions.items()}
    requests = {
        (made_by[role.name], key): role.request("s3:PutObject", f"{state}/{key}")
        for role in roles
        for key in WRITERS
    }
    verdicts = dict(zip(requests, evaluate(list(requests.values())), strict=True))
    seen = {key: {who for who in made_by.values() if verdicts[who, key].allowed} for key in WRITERS}
    assert seen == WRITERS
