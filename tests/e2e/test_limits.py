"""What AWS limits, held against the deployed stack: a job of a month, and the sizes of all policies."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from localcloud.clock import ManualClock
from localcloud.cloud import LocalCloud
from localcloud.faults import Fault
from localcloud.patching import Patches
from seeder import endurance
from tests.e2e.conftest import TEMPLATE
from tests.e2e.deployed import EUROPE, HOME, REPLICATE, Deployed
from tests.machines.meddling import Meddling

DAY = 86_400
# IAM User Guide, "IAM and AWS STS quotas"; S3 User Guide, "Bucket policies".
INLINE, MANAGED, TRUST, BUCKET = 10_240, 6_144, 2_048, 20 * 1024
STACK, LONGEST_STACK_NAME = "stacked", "s" * 53
"""The name of the longest one's rule, with `-rule-added`, has 64 characters, which is the most for a rule."""


class WaitingClock(ManualClock):
    """Time passes while an execution waits, and while nobody can be woken; all others sleep until then."""

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> None:
        if wake is None:
            self.advance(seconds)
        else:
            super().sleep(seconds, wake)


@pytest.fixture(scope="module")
def patient() -> Iterator[Deployed]:
    """A stack whose waits are over at once."""
    clock = WaitingClock(datetime.now(UTC))
    with LocalCloud(clock) as cloud:
        patches = Patches()

        def wait(_: Any, env: Any, wait_seconds: float) -> None:
            clock.advance(wait_seconds)
            # Jobs are threads of their own: what is due for them is done before the execution goes on.
            time.sleep(0.02)

        patches.replace(WaitFunction, "_wait_interval", wait)
        yield Deployed(cloud, cloud.deploy(TEMPLATE, STACK))
        patches.undo()


def test_a_job_of_thirty_days_has_fewer_than_a_thousand_events(patient: Deployed) -> None:
    clock = patient.cloud.clock
    began = clock.now()
    asked = {"source": patient.bucket(keys=["a"]), "destination": patient.bucket(EUROPE)}
    with patient.faults(Fault(effect="pause", seconds=30 * DAY)):
        execution = patient.start("Seed", asked)
        ended = patient.wait(execution)
    pages = patient.states.get_paginator("get_execution_history").paginate(executionArn=execution)
    events = [event for page in pages for event in page["events"]]
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert (clock.now() - began).days >= 30
    assert 100 < len(events) < 1000


@pytest.mark.parametrize(("most", "status"), [(2, "SUCCEEDED"), (1, "FAILED")])
def test_a_bucket_that_one_run_cannot_list_is_said_so_and_no_job_is_made(
    patient: Deployed, monkeypatch: pytest.MonkeyPatch, most: int, status: str
) -> None:
    monkeypatch.setattr(endurance, "MOST_TURNS", most)
    asked = {"source": patient.bucket(keys=["a"]), "destination": patient.bucket()}
    with Meddling({"PaginateKeys": [lambda answer: answer | {"done": False}]}).installed():
        ended = patient.seed(asked)
    assert ended["status"] == status
    assert len(patient.jobs_of(ended["name"], HOME)) == most - 1
    if status == "FAILED":
        assert ended["error"] == "InvalidRequest"
        assert ended["cause"].startswith(f"source: '{asked['source']}' holds more keys than one run can list")
        assert ended["cause"].endswith("seed it by prefix, in several runs")
        assert patient.record(ended["name"])["cause"] == ended["cause"]


def size(document: Any) -> int:
    """Return the characters that IAM counts of a policy, of the stack with the longest name; white space is none."""
    return len(re.sub(r"\s", "", json.dumps(document)).replace(STACK, LONGEST_STACK_NAME))


def pages(client: Any, method: str, name: str, **given: Any) -> list[Any]:
    return [item for page in client.get_paginator(method).paginate(**given) for item in page[name]]


def test_all_policies_are_within_what_iam_and_s3_take_however_long_the_names(patient: Deployed) -> None:
    long = {"prefix": "\U0001f600" * 256, "enable_replication": True, "rounds": 0}
    asked = {"source": patient.bucket(keys=["a"]), "destination": patient.bucket(EUROPE)}
    patient.role("own", "s3.amazonaws.com", *REPLICATE)
    patient.seed(asked | long)
    iam, s3 = patient.cloud.client("iam"), patient.cloud.client("s3")
    roles = pages(iam, "list_roles", "Roles")
    for role in roles:
        name = role["RoleName"]
        held = [
            iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in pages(iam, "list_role_policies", "PolicyNames", RoleName=name)
        ]
        assert sum(map(size, held)) <= INLINE, name
        assert size(role["AssumeRolePolicyDocument"]) <= TRUST, name
    for policy in pages(iam, "list_policies", "Policies", Scope="Local"):
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
        assert size(version["PolicyVersion"]["Document"]) <= MANAGED, policy["PolicyName"]
    assert size(json.loads(s3.get_bucket_policy(Bucket=patient.state_bucket)["Policy"])) <= BUCKET
    made = [role for role in roles if role["Path"].startswith(patient.stack.outputs["RolePath"])]
    assert len(made) >= 2
