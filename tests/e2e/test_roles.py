"""Roles on the deployed stack: made for a pair, used again, given, settling late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner

from localcloud import replication
from seeder_cli.prune import prune
from tests.e2e.deployed import EUROPE, HOME, REPLICATE, Deployed
from tests.keys import TRAPS

BATCH = "batchoperations.s3.amazonaws.com"
KEY = "12345678-90ab-cdef-1234-567890abcdef"


def roles_of(deployed: Deployed, source: str) -> list[dict[str, Any]]:
    """The roles that the stack has made for a source."""
    iam = deployed.cloud.client("iam")
    found = iam.list_roles(PathPrefix=deployed.stack.outputs["RolePath"])["Roles"]
    seen = [iam.get_role(RoleName=item["RoleName"])["Role"] for item in found]
    return [role for role in seen if {"Key": "seeder-source", "Value": source} in role.get("Tags", [])]


def test_a_copy_is_made_by_a_role_of_its_pair_alone(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=TRAPS), deployed.bucket(EUROPE)
    ended = deployed.seed({"source": source, "destination": destination})
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert deployed.contents(destination, EUROPE) == {key: key.encode() for key in TRAPS}
    (role,) = roles_of(deployed, source)
    (job,) = deployed.jobs_of(ended["name"])
    control = deployed.cloud.client("s3control", EUROPE)
    described = control.describe_job(AccountId="123456789012", JobId=job["JobId"])["Job"]
    assert described["RoleArn"] == role["Arn"] == ended["output"]["roles"]["job"]
    assert ended["output"]["roles"] | {"job": ""} == {
        "job": "",
        "replication": "",
        "settle_seconds": 15,
        "made": True,
    }


def test_two_runs_of_a_pair_have_one_role_and_the_second_waits_for_nothing(deployed: Deployed) -> None:
    asked = {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket()}
    first, second = deployed.seed(asked), deployed.seed(asked)
    assert (first["status"], second["status"]) == ("SUCCEEDED", "SUCCEEDED")
    assert first["output"]["roles"]["job"] == second["output"]["roles"]["job"]
    assert [run["output"]["roles"]["made"] for run in (first, second)] == [True, False]
    assert len(roles_of(deployed, asked["source"])) == 1


@pytest.mark.parametrize("prefix", ["logs/", "a*b?/", "${x}/日本 +%/"])
def test_a_role_for_a_prefix_suffices_for_what_is_under_it(deployed: Deployed, prefix: str) -> None:
    keys = [f"{prefix}{key}" for key in ("one", "two words", "*")]
    asked = {"source": deployed.bucket(keys=[*keys, "other"]), "destination": deployed.bucket()}
    ended = deployed.seed(asked | {"prefix": prefix})
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert sorted(deployed.contents(asked["destination"])) == sorted(keys)


def test_a_rule_is_added_with_a_role_by_which_s3_replicates_what_comes_later(deployed: Deployed) -> None:
    s3 = deployed.cloud.client("s3")
    source, destination = deployed.bucket(versioned=False, keys=["a"]), deployed.bucket(versioned=False)
    ended = deployed.seed({"source": source, "destination": destination, "enable_replication": True})
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    held = s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"]["Role"]
    assert held == ended["output"]["roles"]["replication"]
    assert {role["Arn"] for role in roles_of(deployed, source)} == {held, ended["output"]["roles"]["job"]}
    s3.put_object(Bucket=source, Key="later", Body=b"later", Tagging="k=v")
    s3.delete_object(Bucket=source, Key="a")
    replication.drain()
    assert deployed.contents(destination) == {"later": b"later"}


def test_a_second_destination_widens_the_one_role_that_the_rules_of_a_source_have(deployed: Deployed) -> None:
    s3, source = deployed.cloud.client("s3"), deployed.bucket(keys=["a"])
    destinations = [deployed.bucket(), deployed.bucket()]
    for destination in destinations:
        ended = deployed.seed({"source": source, "destination": destination, "enable_replication": True})
        assert ended["status"] == "SUCCEEDED", ended.get("cause")
    s3.put_object(Bucket=source, Key="later", Body=b"later")
    replication.drain()
    assert [sorted(deployed.contents(name)) for name in destinations] == [["a", "later"]] * 2


def test_rules_with_a_role_that_may_not_be_passed_are_left_alone_and_said_so(deployed: Deployed) -> None:
    s3 = deployed.cloud.client("s3")
    source, first, second = deployed.bucket(keys=["a"]), deployed.bucket(), deployed.bucket()
    with deployed.no_events():
        deployed.add_rule(source, first)
    before = s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"]
    ended = deployed.seed({"source": source, "destination": second, "enable_replication": True})
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidRequest")
    assert ended["cause"].startswith(
        f"enable_replication: the rules of '{source}' have one role, {before['Role']}"
    )
    assert s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"] == before
    assert not [role for role in roles_of(deployed, source) if "/replication/" in role["Arn"]]


# Given roles.


def test_given_roles_are_used_and_none_is_made(deployed: Deployed) -> None:
    path = deployed.stack.outputs["RolePath"]
    job = deployed.role("given-jobs", BATCH, "s3:*", path=f"{path}jobs/")
    replicating = deployed.role(
        "given-replication", "s3.amazonaws.com", *REPLICATE, path=f"{path}replication/"
    )
    source, destination = deployed.bucket(versioned=False, keys=["a"]), deployed.bucket(versioned=False)
    given = {"job_role_arn": job, "replication_role_arn": replicating}
    ended = deployed.seed({"source": source, "destination": destination, "enable_replication": True} | given)
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    held = deployed.cloud.client("s3").get_bucket_replication(Bucket=source)["ReplicationConfiguration"]
    assert held["Role"] == replicating
    copied = deployed.seed({"source": source, "destination": deployed.bucket(), "job_role_arn": job})
    assert copied["status"] == "SUCCEEDED", copied.get("cause")
    assert roles_of(deployed, source) == []
    assert "LetRolesSettle" not in states_of(deployed, ended)


def test_a_role_that_the_stack_may_not_pass_is_refused_at_the_start(deployed: Deployed) -> None:
    asked = {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket()}
    ended = deployed.seed(asked | {"job_role_arn": deployed.role("elsewhere", BATCH, "s3:*")})
    assert ended["error"] == "InvalidRequest"
    assert ended["cause"].startswith("job_role_arn: this stack may not pass 'arn:aws:iam::")
    assert "EnsureRoles" not in states_of(deployed, ended)


# Roles that settle late.


@contextmanager
def settling(deployed: Deployed, seconds: float) -> Iterator[None]:
    settings = deployed.cloud.settings
    settings.role_settling_seconds = seconds
    try:
        yield
    finally:
        settings.role_settling_seconds = 0


def states_of(deployed: Deployed, ended: dict[str, Any]) -> list[str]:
    pages = deployed.states.get_execution_history(executionArn=ended["executionArn"], maxResults=1000)
    entered = [event.get("stateEnteredEventDetails", {}).get("name") for event in pages["events"]]
    return [name for name in entered if name]


def test_a_fresh_role_is_given_time_to_settle_before_its_first_use(deployed: Deployed) -> None:
    asked = {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket()}
    with settling(deployed, 10):
        ended = deployed.seed(asked)
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    visited = states_of(deployed, ended)
    assert visited.index("EnsureRoles") < visited.index("LetRolesSettle") < visited.index("EnableReplication")


def test_a_job_that_fails_for_a_role_which_settles_late_is_created_again(deployed: Deployed) -> None:
    asked = {"source": deployed.bucket(keys=["a", "b"]), "destination": deployed.bucket()}
    with settling(deployed, 1e9):
        execution = deployed.start("Seed", asked, name=f"late-{asked['source']}")
        deployed.job_of(f"late-{asked['source']}", HOME, "Failed")
    ended = deployed.wait(execution)
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    record = deployed.record(ended["name"])
    assert (record["total"], record["succeeded"], record["failed"], record["replica"]) == (2, 2, 0, "equal")
    *early, last = [job["status"] for job in record["jobs"]]
    assert early
    assert (set(early), last) == ({"Failed"}, "Complete")


def test_a_role_that_never_settles_fails_the_run_with_what_aws_said(deployed: Deployed) -> None:
    asked = {"source": deployed.bucket(keys=["a"]), "destination": deployed.bucket()}
    with settling(deployed, 1e9):
        ended = deployed.seed(asked)
    assert (ended["status"], ended["error"]) == ("FAILED", "SeedingFailed")
    assert "cannot be assumed" in ended["cause"]
    assert len(deployed.record(ended["name"])["jobs"]) == 6


# Keys.


def test_a_bucket_whose_key_no_role_may_use_is_refused_before_a_role_is_made(deployed: Deployed) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}
    deployed.cloud.client("s3").put_bucket_encryption(
        Bucket=source, ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    ended = deployed.seed({"source": source, "destination": destination})
    assert ended["error"] == "InvalidRequest"
    assert ended["cause"].startswith(
        f"source: bucket '{source}' encrypts by arn:aws:kms:{HOME}:123456789012:key/{KEY} which"
    )
    assert roles_of(deployed, source) == []


# Removed.


def test_the_roles_of_a_pair_that_is_no_longer_are_pruned_by_the_name_of_the_stack(
    deployed: Deployed,
) -> None:
    asked = {"source": deployed.bucket(), "destination": deployed.bucket()}
    assert deployed.seed(asked)["status"] == "SUCCEEDED"
    (role,) = roles_of(deployed, asked["source"])
    deployed.cloud.client("s3").delete_bucket(Bucket=asked["source"])
    shown = CliRunner().invoke(prune, [], standalone_mode=False, catch_exceptions=False)
    assert f"remove  {role['RoleName']}  " in shown.output
    assert roles_of(deployed, asked["source"]) == [role]
    CliRunner().invoke(prune, ["--yes"], standalone_mode=False, catch_exceptions=False)
    assert roles_of(deployed, asked["source"]) == []
