"""What may be amiss with the keys of a pair: made, seen, repaired, and gone."""

from __future__ import annotations

from functools import partial

from tests.e2e.deployed import ACCOUNT, EUROPE, HOME
from tests.e2e.doctor.doctoring import Doctor, add_kms_rule, document, encrypt, make_key


def test_a_key_that_is_disabled_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    key, kms = make_key(doctor, HOME), doctor.client("kms")
    encrypt(doctor, pair[0], key)
    doctor.miss_then_ok(
        "Keys/source-key",
        "is Disabled",
        lambda: kms.disable_key(KeyId=key.rpartition("/")[2]),
        lambda: kms.enable_key(KeyId=key.rpartition("/")[2]),
        *pair,
    )


def test_a_replicas_key_in_the_wrong_region_or_gone_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    right, wrong = make_key(doctor, EUROPE), make_key(doctor, HOME)
    for key, says in ((wrong, f"is in {HOME}"), (right.rpartition("/")[0] + "/gone", "does not exist")):
        doctor.miss_then_ok(
            "Keys/replica-key",
            says,
            partial(add_kms_rule, doctor, pair, key),
            lambda: add_kms_rule(doctor, pair, right),
            *pair,
        )


def test_a_key_whose_policy_leaves_the_account_out_is_a_miss(doctor: Doctor, pair: tuple[str, str]) -> None:
    key, kms = make_key(doctor, HOME), doctor.client("kms")
    encrypt(doctor, pair[0], key)
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}

    def admit(arn: str) -> None:
        kms.put_key_policy(
            KeyId=key, PolicyName="default", Policy=document(statement | {"Principal": {"AWS": arn}})
        )

    doctor.miss_then_ok(
        "Keys/source-key",
        "leaves it to no policy of the account",
        lambda: admit(f"arn:aws:iam::{ACCOUNT}:role/admin"),
        lambda: admit(f"arn:aws:iam::{ACCOUNT}:root"),
        *pair,
    )


def test_a_key_that_the_stack_allows_to_no_role_is_a_miss(doctor: Doctor) -> None:
    source, destination = doctor.deployed.bucket(), doctor.deployed.bucket()
    encrypt(doctor, source, make_key(doctor, HOME))
    finding = doctor.look("Keys/stack-may-use-keys", source, destination)
    assert (finding.outcome, "KmsKeyId" in finding.todo) == ("miss", True)
