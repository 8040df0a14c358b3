"""What may be amiss with the rules of a source: made, seen, repaired, and gone."""

from __future__ import annotations

from typing import Any

from tests.e2e.deployed import EUROPE, HOME
from tests.e2e.doctor.doctoring import Doctor, add_kms_rule, encrypt, make_key


def test_a_disabled_rule_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    doctor.miss_then_ok(
        "Replication rules/covers",
        "is Disabled",
        lambda: doctor.deployed.add_rule(*pair, Status="Disabled"),
        lambda: doctor.deployed.add_rule(*pair),
        *pair,
    )


def test_no_rule_or_a_narrower_one_is_a_warning(doctor: Doctor, pair: tuple[str, str]) -> None:
    source, destination = pair
    name = "Replication rules/covers"
    doctor.miss_then_ok(
        name,
        "no rule replicates",
        lambda: doctor.client("s3").delete_bucket_replication(Bucket=source),
        lambda: doctor.deployed.add_rule(*pair),
        *pair,
        outcome="warning",
    )
    doctor.deployed.add_rule(*pair, Filter={"Prefix": "logs/"})
    assert doctor.look(name, *pair).outcome == "warning"
    assert doctor.look(name, *pair, prefix="logs/2026/").outcome == "ok"
    doctor.deployed.add_rule(*pair, Filter={"Tag": {"Key": "a", "Value": "b"}})
    assert "with certain tags" in doctor.look(name, source, destination).found


def test_a_rule_that_leaves_objects_encrypted_by_kms_out_is_a_miss(
    doctor: Doctor, pair: tuple[str, str]
) -> None:
    source_key, replica_key = make_key(doctor, HOME), make_key(doctor, EUROPE)
    encrypt(doctor, pair[0], source_key)
    doctor.miss_then_ok(
        "Replication rules/kms-objects",
        "leaves such objects out",
        lambda: None,
        lambda: add_kms_rule(doctor, pair, replica_key),
        *pair,
    )


def test_a_rule_with_other_options_that_goes_before_is_a_warning(
    doctor: Doctor, pair: tuple[str, str]
) -> None:
    s3, source = doctor.client("s3"), pair[0]
    held = s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"]
    other = held["Rules"][0] | {"ID": "other", "Priority": 9, "Filter": {"Prefix": "logs/"}}
    other["Destination"] = other["Destination"] | {"StorageClass": "STANDARD_IA"}

    def put(*rules: Any) -> None:
        s3.put_bucket_replication(
            Bucket=source, ReplicationConfiguration=held | {"Rules": [*held["Rules"], *rules]}
        )

    doctor.miss_then_ok(
        "Replication rules/priorities",
        "'other' (priority 9) goes before",
        lambda: put(other),
        lambda: put(other | {"Destination": held["Rules"][0]["Destination"]}),
        *pair,
        outcome="warning",
    )


def test_a_rule_to_a_bucket_that_is_gone_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    gone = doctor.deployed.bucket()
    doctor.deployed.add_rule(*pair, gone)
    doctor.miss_then_ok(
        "Replication rules/other-destinations",
        gone,
        lambda: doctor.client("s3").delete_bucket(Bucket=gone),
        lambda: doctor.deployed.add_rule(*pair),
        *pair,
    )


def test_what_becomes_of_delete_markers_is_told(doctor: Doctor, pair: tuple[str, str]) -> None:
    name = "Replication rules/delete-markers"
    assert "are not replicated" in doctor.look(name, *pair).found
    doctor.deployed.add_rule(*pair, DeleteMarkerReplication={"Status": "Enabled"})
    assert "are replicated" in doctor.look(name, *pair).found
