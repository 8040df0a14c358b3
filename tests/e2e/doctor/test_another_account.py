"""A pair whose buckets are not of one account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.e2e.deployed import ACCOUNT, EUROPE, HOME
from tests.e2e.doctor.doctoring import Doctor, document, make_role


@pytest.fixture
def foreign(doctor: Doctor) -> Iterator[Callable[..., None]]:
    """Make buckets another account's: moto knows no owner, so S3's refusals are given in its place."""
    names: set[str] = set()
    refused: dict[str, int] = {"x-amz-expected-bucket-owner": 403}
    clients = [doctor.aws.client("s3", region) for region in (HOME, EUROPE)]

    def answer(params: dict[str, Any], model: Any, **_: Any) -> Any:
        is_theirs = params["context"]["s3_redirect"]["bucket"] in names
        asked_owner = model.name == "HeadBucket" and set(refused) & set(params["headers"])
        asked_policy = model.name == "GetBucketPolicy" and "policy" in refused
        if not is_theirs or not (asked_owner or asked_policy):
            return None
        status, code = (403, "403") if asked_owner else (405, "MethodNotAllowed")
        return AWSResponse("", status, HTTPHeaders(), None), {
            "Error": {"Code": code, "Message": ""},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }

    def theirs(*buckets: str, hides_its_policy: bool = False) -> None:
        names.update(buckets)
        if hides_its_policy:
            refused["policy"] = 405

    for client in clients:
        client.meta.events.register("before-call.s3", answer)
    yield theirs
    for client in clients:
        client.meta.events.unregister("before-call.s3", answer)


def test_what_the_owner_of_another_accounts_destination_must_add_is_told(
    doctor: Doctor, pair: tuple[str, str], foreign: Callable[..., None]
) -> None:
    foreign(pair[1])
    finding = doctor.look("Buckets/destination", *pair)
    assert (finding.outcome, finding.todo.endswith(f"seeder policy {pair[0]} {pair[1]}")) == ("warning", True)
    name, s3 = make_role(doctor, pair), doctor.client("s3", EUROPE)
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{name}"},
        "Action": ["s3:ReplicateObject", "s3:ReplicateTags"],
        "Resource": f"arn:aws:s3:::{pair[1]}/*",
    }
    doctor.miss_then_ok(
        "Roles/destination-policy",
        f"does not let {name} s3:ReplicateObject",
        lambda: None,
        lambda: s3.put_bucket_policy(Bucket=pair[1], Policy=document(allow)),
        *pair,
    )
    foreign(pair[1], hides_its_policy=True)
    hidden = doctor.look("Roles/destination-policy", *pair)
    assert (hidden.outcome, "may not be read" in hidden.found) == ("unknown", True)


def test_a_copy_to_another_account_is_a_miss_and_a_rule_its_repair(
    doctor: Doctor, foreign: Callable[..., None]
) -> None:
    source, destination = doctor.deployed.bucket(), doctor.deployed.bucket()
    foreign(destination)
    assert doctor.look("Buckets/destination", source, destination).outcome == "miss"
    doctor.deployed.add_rule(source, destination)
    assert doctor.look("Buckets/destination", source, destination).outcome == "warning"


def test_replicas_that_would_not_belong_to_their_buckets_owner_are_a_warning(
    doctor: Doctor, pair: tuple[str, str], foreign: Callable[..., None]
) -> None:
    foreign(pair[1])
    s3 = doctor.client("s3", EUROPE)
    doctor.miss_then_ok(
        "Buckets/ownership",
        "will belong to the source's account",
        lambda: None,
        lambda: s3.put_bucket_ownership_controls(
            Bucket=pair[1], OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        ),
        *pair,
        outcome="warning",
    )


def test_a_source_of_another_account_is_a_miss_and_so_are_its_requester_payments(
    doctor: Doctor, pair: tuple[str, str], foreign: Callable[..., None]
) -> None:
    foreign(pair[0])
    assert doctor.look("Buckets/source", *pair).outcome == "miss"
    s3 = doctor.client("s3")

    def let(payer: str) -> None:
        s3.put_bucket_request_payment(Bucket=pair[0], RequestPaymentConfiguration={"Payer": payer})

    doctor.miss_then_ok(
        "Buckets/requester-pays",
        "readers must pay",
        lambda: let("Requester"),
        lambda: let("BucketOwner"),
        *pair,
    )
