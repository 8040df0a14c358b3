"""What may be amiss with two buckets: made, seen, repaired, and gone."""

from __future__ import annotations

from seeder_cli.checks.plan import Names, plan
from tests.e2e.deployed import EUROPE, HOME
from tests.e2e.doctor.doctoring import Doctor


def test_a_bucket_that_does_not_exist_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    s3 = doctor.client("s3")
    findings, checks = plan(doctor.aws, Names("seeder", pair[0], "no-such-bucket"))
    assert [(item.name, item.outcome) for item in findings if item.group == "Buckets"] == [
        ("destination", "miss")
    ]
    assert "Buckets" not in {check.group for check in checks}
    doctor.miss_then_ok(
        "Buckets/destination",
        "does not exist",
        lambda: None,
        lambda: s3.create_bucket(Bucket="no-such-bucket"),
        pair[0],
        "no-such-bucket",
    )


def test_a_destination_without_versioning_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    s3, place = doctor.client("s3", EUROPE), {"Bucket": pair[1]}
    doctor.miss_then_ok(
        "Buckets/destination-versioning",
        "replication needs it",
        lambda: s3.put_bucket_versioning(**place, VersioningConfiguration={"Status": "Suspended"}),
        lambda: s3.put_bucket_versioning(**place, VersioningConfiguration={"Status": "Enabled"}),
        *pair,
    )


def test_without_a_rule_missing_versioning_is_a_warning(doctor: Doctor) -> None:
    source, destination = doctor.deployed.bucket(versioned=False), doctor.deployed.bucket()
    s3 = doctor.client("s3")
    doctor.miss_then_ok(
        "Buckets/source-versioning",
        "can be copied, not replicated",
        lambda: None,
        lambda: s3.put_bucket_versioning(Bucket=source, VersioningConfiguration={"Status": "Enabled"}),
        source,
        destination,
        outcome="warning",
    )


def test_object_lock_on_one_side_is_a_miss(doctor: Doctor) -> None:
    s3, lock = doctor.client("s3"), {"ObjectLockEnabled": "Enabled"}
    source, destination = doctor.deployed.bucket(), doctor.deployed.bucket()
    doctor.miss_then_ok(
        "Buckets/object-lock",
        "locked objects stay behind",
        lambda: s3.put_object_lock_configuration(Bucket=source, ObjectLockConfiguration=lock),
        lambda: s3.put_object_lock_configuration(Bucket=destination, ObjectLockConfiguration=lock),
        source,
        destination,
    )


def test_a_source_of_this_account_may_let_requesters_pay(doctor: Doctor, pair: tuple[str, str]) -> None:
    doctor.client("s3").put_bucket_request_payment(
        Bucket=pair[0], RequestPaymentConfiguration={"Payer": "Requester"}
    )
    assert doctor.look("Buckets/requester-pays", *pair).outcome == "ok"


def test_a_bucket_outside_of_bucket_names_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    doctor.client("s3").create_bucket(Bucket="elsewhere")
    finding = doctor.look("Buckets/stack-names", "elsewhere", pair[1])
    assert (finding.outcome, "elsewhere" in finding.found, "BucketNames=" in finding.todo) == (
        "miss",
        True,
        True,
    )
    assert doctor.look("Buckets/stack-names", *pair).outcome == "ok"


def test_a_source_in_another_region_than_the_stack_is_a_warning(doctor: Doctor) -> None:
    source, destination = doctor.deployed.bucket(EUROPE), doctor.deployed.bucket(HOME)
    assert doctor.look("Buckets/stack-region", source, destination).outcome == "warning"
    assert doctor.look("Buckets/stack-region", destination, source).outcome == "ok"
