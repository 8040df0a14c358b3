"""What may be amiss with the roles of a pair: made, seen, repaired, and gone."""

from __future__ import annotations

import json
from typing import Any

from seeder_cli.checks.finding import Finding, find
from seeder_cli.checks.plan import Names, plan
from tests.e2e.deployed import ACCOUNT, EUROPE, Deployed
from tests.e2e.doctor.doctoring import Doctor, document, make_role

ALL_OF_REPLICATION = {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}


def test_a_replication_role_that_is_gone_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    name, iam = make_role(doctor, pair), doctor.client("iam")

    def remove() -> None:
        iam.delete_role_policy(RoleName=name, PolicyName="all")
        iam.delete_role(RoleName=name)

    doctor.miss_then_ok(
        "Roles/replication-role", "does not exist", remove, lambda: make_role(doctor, pair), *pair
    )


def test_a_replication_role_that_does_not_trust_s3_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    name, iam = make_role(doctor, pair), doctor.client("iam")

    def trust(**condition: str) -> None:
        statement = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "s3.amazonaws.com"},
        }
        statement["Condition"] = {"StringEquals": condition}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=document(statement))

    doctor.miss_then_ok(
        "Roles/replication-role",
        "does not let s3.amazonaws.com take it on",
        lambda: trust(**{"aws:SourceAccount": "111122223333"}),
        lambda: trust(**{"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:s3:::{pair[0]}"}),
        *pair,
    )


def test_a_replication_role_that_may_not_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    name, iam = make_role(doctor, pair), doctor.client("iam")

    def allow(*statements: dict[str, Any]) -> None:
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document(*statements))

    other = ALL_OF_REPLICATION | {"Resource": [f"arn:aws:s3:::{pair[0]}*", "arn:aws:s3:::other/*"]}
    doctor.miss_then_ok(
        "Roles/replication-role-may",
        f"is not allowed s3:ReplicateObject on arn:aws:s3:::{pair[1]}/ (and 1 more)",
        lambda: allow(other),
        lambda: allow(ALL_OF_REPLICATION),
        *pair,
    )


def test_a_bucket_policy_that_refuses_the_role_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    name, s3 = make_role(doctor, pair), doctor.client("s3", EUROPE)
    deny = {
        "Sid": "NoReplicas",
        "Effect": "Deny",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{name}"},
        "Action": "s3:Replicate*",
        "Resource": f"arn:aws:s3:::{pair[1]}/*",
    }
    doctor.miss_then_ok(
        "Roles/destination-policy",
        f"'NoReplicas' of the policy of {pair[1]} refuses s3:ReplicateObject to {name}",
        lambda: s3.put_bucket_policy(Bucket=pair[1], Policy=document(deny)),
        lambda: s3.put_bucket_policy(
            Bucket=pair[1], Policy=document(deny | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}})
        ),
        *pair,
    )


def test_a_bucket_policy_whose_conditions_are_not_known_is_a_warning(
    doctor: Doctor, pair: tuple[str, str]
) -> None:
    s3 = doctor.client("s3")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{pair[0]}/secret/*",
        "Condition": {"StringNotEquals": {"s3:x-amz-grant-read": "nobody"}},
    }
    policy = document(deny)
    doctor.miss_then_ok(
        "Roles/source-policy",
        "may refuse",
        lambda: s3.put_bucket_policy(Bucket=pair[0], Policy=policy),
        lambda: s3.delete_bucket_policy(Bucket=pair[0]),
        *pair,
        outcome="warning",
    )
    s3.put_bucket_policy(Bucket=pair[0], Policy=policy)
    assert doctor.look("Roles/source-policy", *pair, prefix="public/").outcome == "ok"
    s3.delete_bucket_policy(Bucket=pair[0])


def test_the_role_of_jobs_is_no_miss_before_a_run_makes_it_and_is_found_after(
    doctor: Doctor, deployed: Deployed
) -> None:
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    pair = (source, destination)
    assert "a run makes the role" in doctor.look("Roles/job-role", *pair).found
    assert deployed.seed({"source": source, "destination": destination})["status"] == "SUCCEEDED"
    assert "lets batchoperations.s3.amazonaws.com take it on" in doctor.look("Roles/job-role", *pair).found
    assert "(simulated)" in doctor.look("Roles/job-role-may", *pair).found
    # A rule makes it a pair to replicate: the role is widened by the run that needs it.
    deployed.add_rule(*pair)
    widened = doctor.look("Roles/job-role-may", *pair)
    assert (widened.outcome, "s3:InitiateReplication" in widened.found) == ("ok", True)


def test_a_role_of_jobs_that_was_given_and_is_wrong_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    arn = doctor.deployed.role("given", "s3.amazonaws.com", "s3:Nothing")
    cloudformation, iam = doctor.client("cloudformation"), doctor.client("iam")
    outputs = {name: {"Value": value} for name, value in doctor.outputs.items()}
    template = {
        "Parameters": {"JobRoleArn": {"Type": "String"}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}},
        "Outputs": outputs,
    }
    cloudformation.create_stack(
        StackName="given",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": "JobRoleArn", "ParameterValue": arn}],
    )

    def look(name: str) -> Finding:
        _, checks = plan(doctor.aws, Names("given", *pair))
        found = find(next(check for check in checks if (check.group, check.name) == ("Roles", name)))
        assert found is not None
        return found

    assert look("job-role").outcome == look("job-role-may").outcome == "miss"
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "batchoperations.s3.amazonaws.com"},
    }
    iam.update_assume_role_policy(RoleName="given", PolicyDocument=document(trust))
    iam.put_role_policy(RoleName="given", PolicyName="all", PolicyDocument=document(ALL_OF_REPLICATION))
    assert look("job-role").outcome == look("job-role-may").outcome == "ok"
