"""A stack that was given both roles: it may make none, and seeds all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from tests.e2e.conftest import TEMPLATE
from tests.e2e.deployed import EUROPE, REPLICATE, Deployed, LeapingClock

BATCH = "batchoperations.s3.amazonaws.com"
JOBS, REPLICATION = (f"arn:aws:iam::123456789012:role/org/{name}" for name in ("jobs", "replication"))


@pytest.fixture(scope="module")
def given() -> Iterator[Deployed]:
    parameters = {"JobRoleArn": JOBS, "ReplicationRoleArn": REPLICATION}
    with LocalCloud(LeapingClock(1000)) as cloud:
        stack = Deployed(cloud, cloud.deploy(TEMPLATE, parameters=parameters))
        stack.role("jobs", BATCH, "lambda:InvokeFunction", "s3:*", path="/org/")
        stack.role("replication", "s3.amazonaws.com", *REPLICATE, path="/org/")
        yield stack


def statements_of(stack: Deployed) -> list[dict[str, Any]]:
    """All statements of the policies of the stack's own roles."""
    iam, found = stack.cloud.client("iam"), []
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"] if name[:7] == "seeder-" else []:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            found += document["Statement"]
    return found


def test_it_copies_and_replicates_by_the_given_roles(given: Deployed) -> None:
    asked = {"source": given.bucket(keys=["a"]), "destination": given.bucket(EUROPE)}
    for more in ({}, {"enable_replication": True}):
        ended = given.seed(asked | more)
        assert ended["status"] == "SUCCEEDED", ended.get("cause")
        assert ended["output"]["roles"]["job"] == JOBS
        assert not ended["output"]["roles"]["made"]
    s3 = given.cloud.client("s3")
    held = s3.get_bucket_replication(Bucket=asked["source"])["ReplicationConfiguration"]
    assert held["Role"] == REPLICATION


def test_a_request_for_another_role_is_refused(given: Deployed) -> None:
    asked = {"source": given.bucket(keys=["a"]), "destination": given.bucket()}
    path = given.stack.outputs["RolePath"]
    other = given.role("other", BATCH, "s3:*", path=f"{path}jobs/")
    ended = given.seed(asked | {"job_role_arn": other})
    assert ended["cause"].startswith(f"job_role_arn: this stack passes one role alone, {JOBS};")


def test_it_has_no_boundary_and_no_permission_of_iam_but_to_pass_and_ask_about_those(given: Deployed) -> None:
    assert "RoleBoundary" not in given.stack.resources
    seen: dict[str, set[str]] = {}
    for statement in statements_of(given):
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            if action.startswith("iam:"):
                seen.setdefault(action, set()).add(statement["Resource"])
    assert seen == {"iam:PassRole": {JOBS, REPLICATION}, "iam:SimulatePrincipalPolicy": {JOBS}}
