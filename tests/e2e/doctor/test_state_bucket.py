"""What may be amiss with the state bucket: made, seen, repaired, and gone."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from seeder_cli.checks.bucket import Bucket
from seeder_cli.checks.state_bucket import no_retention
from tests.e2e.deployed import HOME
from tests.e2e.doctor.doctoring import Doctor


def test_a_state_bucket_open_to_the_public_is_a_miss(doctor: Doctor) -> None:
    s3, place = doctor.client("s3"), doctor.state_bucket
    blocks = dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    doctor.miss_then_ok(
        "State bucket/private",
        "BlockPublicPolicy",
        lambda: s3.put_public_access_block(
            **place, PublicAccessBlockConfiguration=blocks | {"BlockPublicPolicy": False}
        ),
        lambda: s3.put_public_access_block(**place, PublicAccessBlockConfiguration=blocks),
    )


def test_a_state_bucket_that_takes_plain_http_is_a_miss(doctor: Doctor) -> None:
    s3, place = doctor.client("s3"), doctor.state_bucket
    policy = s3.get_bucket_policy(**place)["Policy"]
    doctor.miss_then_ok(
        "State bucket/tls-only",
        "without TLS",
        lambda: s3.delete_bucket_policy(**place),
        lambda: s3.put_bucket_policy(**place, Policy=policy),
    )


def test_a_state_bucket_without_versions_is_a_miss(doctor: Doctor) -> None:
    s3, place = doctor.client("s3"), doctor.state_bucket
    doctor.miss_then_ok(
        "State bucket/versioned",
        "Suspended",
        lambda: s3.put_bucket_versioning(**place, VersioningConfiguration={"Status": "Suspended"}),
        lambda: s3.put_bucket_versioning(**place, VersioningConfiguration={"Status": "Enabled"}),
    )


@pytest.mark.parametrize("algorithm", ["", "aws:kms"])
def test_a_state_bucket_without_encryption_by_s3_is_a_miss(doctor: Doctor, algorithm: str) -> None:
    s3, place = doctor.client("s3"), doctor.state_bucket

    def encrypt(name: str) -> None:
        rule: Any = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": name}}
        if name:
            s3.put_bucket_encryption(**place, ServerSideEncryptionConfiguration={"Rules": [rule]})
        else:
            s3.delete_bucket_encryption(**place)

    doctor.miss_then_ok(
        "State bucket/encrypted",
        algorithm or "no default encryption",
        lambda: encrypt(algorithm),
        lambda: encrypt("AES256"),
    )


def test_a_state_bucket_that_keeps_temporary_objects_or_unfinished_uploads_is_a_miss(doctor: Doctor) -> None:
    s3, place = doctor.client("s3"), doctor.state_bucket
    rules = s3.get_bucket_lifecycle_configuration(**place)["Rules"]

    def put(kept: list[Any]) -> None:
        s3.put_bucket_lifecycle_configuration(**place, LifecycleConfiguration={"Rules": kept})

    for name, member in (("temporary-objects", "Expiration"), ("unfinished-uploads", "AbortIncomplete")):
        kept = [rule for rule in rules if not any(key.startswith(member) for key in rule)]
        doctor.miss_then_ok(
            f"State bucket/{name}", "no lifecycle rule", partial(put, kept), lambda: put(rules)
        )


def test_a_default_retention_that_keeps_reports_out_is_a_miss(doctor: Doctor) -> None:
    # A bucket of its own: moto locks empty ones alone.
    s3, name = doctor.client("s3"), doctor.deployed.bucket()
    lock: Any = {"ObjectLockEnabled": "Enabled"}
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    for given, outcome in ((lock | {"Rule": rule}, "miss"), (lock, "ok")):
        s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=given)
        assert no_retention(Bucket(doctor.aws, name, HOME)).outcome == outcome


def test_an_endpoint_without_conditional_writes_is_a_miss(doctor: Doctor) -> None:
    """The headers are taken off on the way, as if the server did not know them."""

    def forget(request: Any, **_: Any) -> None:
        for name in ("If-None-Match", "If-Match"):
            if name in request.headers:
                del request.headers[name]

    events = doctor.aws.client("s3").meta.events
    doctor.miss_then_ok(
        "State bucket/conditional-writes",
        "If-None-Match: * on PutObject",
        lambda: events.register("before-sign.s3", forget),
        lambda: events.unregister("before-sign.s3", forget),
    )
