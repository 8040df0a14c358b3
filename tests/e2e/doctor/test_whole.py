"""All of `seeder doctor` against the deployed stack."""

from __future__ import annotations

import boto3
import pytest

from seeder_cli.checks import limits
from seeder_cli.checks.aws import Aws
from seeder_cli.checks.permissions import PERMISSIONS
from seeder_cli.checks.plan import Names, examine
from tests.e2e.deployed import HOME
from tests.e2e.doctor.doctoring import Doctor, encrypt, make_key


def test_a_fresh_deployment_with_a_trail_misses_nothing(doctor: Doctor, trail: str) -> None:
    findings = examine(doctor.aws, Names("seeder"))
    assert {item.outcome for item in findings} == {"ok"}, [item for item in findings if item.outcome != "ok"]
    assert len({(item.group, item.name) for item in findings}) == len(findings) >= 18


def test_a_pair_with_a_rule_misses_nothing_and_the_example_objects_are_gone(
    doctor: Doctor, pair: tuple[str, str], trail: str
) -> None:
    findings = examine(doctor.aws, Names("seeder", *pair))
    assert {item.outcome for item in findings} == {"ok"}, [item for item in findings if item.outcome != "ok"]
    versions = doctor.client("s3").list_object_versions(**doctor.state_bucket, Prefix="doctor/")
    assert ("Versions" in versions, "DeleteMarkers" in versions) == (False, False)
    assert doctor.deployed.uploads(doctor.deployed.state_bucket) == []


def test_a_stack_that_is_not_there_is_a_miss_and_buckets_are_looked_at_all_the_same(
    doctor: Doctor, pair: tuple[str, str]
) -> None:
    findings = examine(doctor.aws, Names("another", *pair))
    by_name = {item.name: item for item in findings}
    assert (by_name["stack"].outcome, "sam deploy" in by_name["stack"].todo) == ("miss", True)
    assert by_name["source-versioning"].outcome == "ok"
    assert {"job-role", "fleet", "private"} & set(by_name) == set()


def test_no_room_for_another_job_is_a_warning(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.look("Limits/active-jobs").found.startswith("0 of 6 jobs are active")
    monkeypatch.setattr(limits, "ACTIVE_JOBS", 0)
    monkeypatch.setattr(limits, "_jobs", lambda *_: [{"JobId": "j"}])
    finding = doctor.look("Limits/active-jobs")
    assert (finding.outcome, "update-job-status" in finding.todo) == ("warning", True)


def test_each_call_has_its_permission_in_the_table(doctor: Doctor, pair: tuple[str, str], trail: str) -> None:
    called: set[str] = set()
    session = boto3.Session("a", "b", region_name=HOME)
    session.events.register("before-call", lambda model, **_: called.add(model.name))
    encrypt(doctor, pair[0], make_key(doctor, HOME))
    examine(Aws(session), Names("seeder", *pair))
    assert called - set(PERMISSIONS) == set()
    assert {"SimulatePrincipalPolicy", "GetKeyPolicy", "ListJobs", "GetRole"} <= called


def test_who_may_look_at_nothing_is_told_each_permission(doctor: Doctor, pair: tuple[str, str]) -> None:
    arn = doctor.deployed.role("nobody", "ec2.amazonaws.com", "sts:GetCallerIdentity")
    held = doctor.client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    session = boto3.Session(
        held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"], region_name=HOME
    )
    findings = examine(Aws(session), Names("seeder", *pair))
    assert {item.outcome for item in findings} <= {"ok", "unknown"}
    unseen = {item.name: item.found for item in findings if item.outcome == "unknown"}
    assert {"source-versioning", "covers", "ownership"} <= set(unseen)
    assert "s3:GetBucketVersioning is missing" in unseen["source-versioning"]
    assert "s3:GetReplicationConfiguration is missing" in unseen["covers"]
