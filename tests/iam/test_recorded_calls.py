"""Runs of each kind on a deployed stack; what its roles were seen to do is put to the independent evaluator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from tests.e2e.deployed import EUROPE, Deployed, LeapingClock
from tests.iam.forbidden import PARAMETERS, calls
from tests.iam.policies_of import roles_of
from tests.iam.recorded import allowed_of, disagreements

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
GIB = 1024**3

# A role that is not there has no path to IAM, so that who may only read those under a path is refused.
REFUSED = {"iam:GetRole"}
# What Lambda itself does in the name of a function, whatever the function does.
BY_LAMBDA = ("logs:", "xray:")
WITHOUT_CALLS = {"PlanJobs"}


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with LocalCloud(LeapingClock(1000)) as cloud:
        deployed = Deployed(cloud, cloud.deploy(TEMPLATE, parameters=PARAMETERS))
        _run_each_kind(deployed)
        yield deployed


def _run_each_kind(deployed: Deployed) -> None:
    """Copy, with an object over 5 GiB; replicate; a pair that is not there; a rule that was added; a fleet."""
    source, destination = deployed.bucket(keys=["a", "x y+%é"]), deployed.bucket()
    deployed.cloud.declare_object(source, "large", 6 * GIB)
    copied = deployed.seed({"source": source, "destination": destination})
    pair = {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket(EUROPE)}
    replicated = deployed.seed({**pair, "enable_replication": True})
    refused = deployed.seed({"source": source, "destination": "bucket-that-is-not-there"})
    ruled = deployed.bucket(keys=["a"])
    deployed.add_rule(ruled, deployed.bucket(EUROPE))
    (added,) = deployed.runs_of(ruled)
    pair = {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket(EUROPE)}
    fleet = deployed.wait(deployed.start("Fleet", {"trigger": "manual", "pairs": [pair]}))
    deployed.quiet()
    ended = [run["status"] for run in (copied, replicated, refused, added, fleet)]
    assert ended == ["SUCCEEDED", "SUCCEEDED", "FAILED", "SUCCEEDED", "SUCCEEDED"]


def test_the_independent_evaluator_allows_each_call_that_was_made(deployed: Deployed) -> None:
    assert disagreements(deployed.cloud) == []


def test_no_call_that_the_code_makes_was_refused(deployed: Deployed) -> None:
    refused = [access for access in deployed.cloud.recorded() if not access.allowed]
    unexpected = [access for access in refused if access.action not in REFUSED]
    assert [f"{access.role}: {access.action} on {access.resource}" for access in unexpected] == []


def test_every_function_was_seen_at_work(deployed: Deployed) -> None:
    own = [access for access in deployed.cloud.recorded() if not access.action.startswith(BY_LAMBDA)]
    seen = {access.role for access in own if access.allowed}
    functions = deployed.cloud.client("lambda").list_functions()["Functions"]
    assert len(functions) > 12
    idle = [item["FunctionName"] for item in functions if item["Role"] not in seen]
    assert [name for name in idle if name.split("-")[1] not in WITHOUT_CALLS] == []


def test_no_role_that_was_made_for_a_pair_may_make_a_forbidden_call(deployed: Deployed) -> None:
    path = f"{deployed.stack.name}/"
    made = [role for role in roles_of(deployed.cloud).values() if f":role/{path}" in role.arn]
    assert made
    assert allowed_of(deployed.cloud, made, calls(deployed.state_bucket, path)) == []
