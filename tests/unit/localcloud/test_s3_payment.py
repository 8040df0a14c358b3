from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from localcloud.patching import Patches
from localcloud.s3 import payment
from tests.unit.localcloud.batch_world import client


@pytest.fixture
def s3() -> Iterator[Any]:
    patches = Patches()
    with mock_aws():
        payment.install(patches)
        made = client("s3")
        made.create_bucket(Bucket="paid")
        yield made
        patches.undo()


def test_the_owner_pays_until_readers_are_to(s3: Any) -> None:
    assert s3.get_bucket_request_payment(Bucket="paid")["Payer"] == "BucketOwner"
    for payer in ("Requester", "BucketOwner"):
        s3.put_bucket_request_payment(Bucket="paid", RequestPaymentConfiguration={"Payer": payer})
        assert s3.get_bucket_request_payment(Bucket="paid")["Payer"] == payer


def test_who_else_should_pay_is_refused(s3: Any) -> None:
    with pytest.raises(ClientError, match="MalformedXML"):
        s3.put_bucket_request_payment(Bucket="paid", RequestPaymentConfiguration={"Payer": "Nobody"})
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.get_bucket_request_payment(Bucket="none")


def test_moto_lacks_it() -> None:
    with mock_aws():
        made = client("s3")
        made.create_bucket(Bucket="paid")
        assert "Payer" not in made.get_bucket_request_payment(Bucket="paid")
