"""A run seeded from an S3 Inventory."""

from __future__ import annotations

from localcloud.iam_roles import read_role
from tests.e2e.deployed import EUROPE, Deployed
from tests.inventories import packed, publish, row_of
from tests.keys import TRAPS


def test_a_run_copies_what_the_inventory_holds_and_nothing_else(deployed: Deployed) -> None:
    s3 = deployed.cloud.client("s3")
    source, destination = deployed.bucket(keys=[*TRAPS, "written since"]), deployed.bucket(EUROPE)
    rows = [[source, *row_of(key)[1:]] for key in TRAPS]
    location = publish(s3, deployed.bucket(), [packed(rows[::2]), packed(rows[1::2])], source)
    ended = deployed.seed({"source": source, "destination": destination, "inventory": location})
    assert (ended["status"], ended["output"]["record"]["succeeded"]) == ("SUCCEEDED", len(TRAPS))
    assert deployed.contents(destination, EUROPE) == {key: key.encode() for key in TRAPS}


# A handler that fails has counted nothing, of which its metrics warn.
def test_an_inventory_of_another_bucket_ends_in_one_named_error(deployed: Deployed) -> None:
    s3 = deployed.cloud.client("s3")
    location = publish(s3, deployed.bucket(), [packed([])], "another-bucket")
    source, destination = deployed.bucket(keys=["a"]), deployed.bucket()
    ended = deployed.seed({"source": source, "destination": destination, "inventory": location})
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidRequest")
    assert ended["cause"] == (
        f"inventory: '{location}' is of the bucket 'another-bucket'; give one of '{source}'"
    )


def test_listing_may_read_inventories_and_no_other_object(deployed: Deployed) -> None:
    name = deployed.stack.resources["PaginateKeysRole"]
    role = read_role(deployed.cloud.client("iam").get_role(RoleName=name)["Role"]["Arn"])
    assert role
    folder = "arn:aws:s3:::inventories/prefix/source/daily"
    for key in ("2026-01-01T01-00Z/manifest.json", "2026-01-01T01-00Z/manifest.checksum", "data/a.csv.gz"):
        assert role.may("s3:GetObject", f"{folder}/{key}", {})
        assert not role.may("s3:PutObject", f"{folder}/{key}", {})
    assert role.may("s3:GetObject", f"{folder}/data/a.parquet", {})
    assert not role.may("s3:GetObject", "arn:aws:s3:::source/secret.json", {})
