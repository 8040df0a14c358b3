"""`seeder run --here` where S3 Batch Operations and IAM are: on the local cloud, which stands for AWS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from localcloud.iam_roles import read_role
from seeder_cli.display import Display
from seeder_cli.errors import CommandError
from seeder_cli.follow import Outcome
from seeder_cli.here import HereOptions, bucket, run_here
from seeder_cli.here.stopping import Stopping
from seeder_cli.place import Place

REGION, ACCOUNT = "eu-west-1", "123456789012"
STATE = f"seeder-state-{ACCOUNT}-{REGION}"
GIB = 1024**3
AT_ONCE = HereOptions(local_batch=True)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(Stopping, "sleep", lambda stopping, seconds: time.sleep(min(seconds, 0.1)))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with LocalCloud(ScaledClock(1000)) as running:
        s3 = running.client("s3", REGION)
        for name in ("here-source", "here-replica"):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        for number in range(12):
            s3.put_object(Bucket="here-source", Key=f"a b/{number}+", Body=b"%d" % number)
        yield running


def run(options: HereOptions | None = None, **fields: Any) -> Outcome:
    with Display(every=0) as display:
        document = {"source": "here-source", "destination": "here-replica", **fields}
        return run_here(document, Place(region=REGION), display, options or HereOptions())


def test_jobs_of_s3_copy_under_a_role_that_is_made_without_a_boundary(cloud: Any) -> None:
    ended = run()
    assert (ended.status, ended.stages["record"]["replica"]) == ("SUCCEEDED", "equal"), ended
    assert ended.stages["record"]["succeeded"] == 12
    arn = ended.stages["roles"]["job"]
    assert arn.startswith(f"arn:aws:iam::{ACCOUNT}:role/seeder-here/{REGION}/jobs/")
    role = cloud.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
    assert "PermissionsBoundary" not in role
    assert read_role(arn) is not None
    again = run(resync=True)
    assert (again.stages["roles"]["made"], again.stages["record"]["total"]) == (False, 0)


def test_this_process_copies_without_any_role_if_it_is_told_to(cloud: Any) -> None:
    ended = run(AT_ONCE)
    assert (ended.status, ended.stages["record"]["replica"]) == ("SUCCEEDED", "equal"), ended
    assert cloud.client("iam").list_roles(PathPrefix="/seeder-here/")["Roles"] == []


@pytest.mark.parametrize("options", [HereOptions(), AT_ONCE], ids=["jobs of S3", "jobs of this process"])
def test_objects_over_5_gib_are_copied_by_this_process(cloud: Any, options: HereOptions) -> None:
    cloud.declare_object(
        "here-source", "big one", 6 * GIB, part_size=GIB, metadata={"a": "b"}, tags={"c": "d"}
    )
    ended = run(options)
    record = ended.stages["record"]
    assert (ended.status, record["replica"], record["large"]) == ("SUCCEEDED", "equal", 1), ended
    s3 = cloud.client("s3", REGION)
    assert s3.head_object(Bucket="here-replica", Key="big one")["ContentLength"] == 6 * GIB
    assert s3.list_multipart_uploads(Bucket="here-replica").get("Uploads", []) == []


def test_the_bucket_for_the_state_is_made_once_in_the_region_and_private(cloud: Any) -> None:
    s3 = cloud.client("s3", REGION)
    assert bucket.ensure(s3, STATE, REGION)
    assert not bucket.ensure(s3, STATE, REGION)
    assert s3.get_bucket_location(Bucket=STATE)["LocationConstraint"] == REGION
    blocked = s3.get_public_access_block(Bucket=STATE)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}


def test_a_bucket_of_somebody_else_is_refused() -> None:
    class Others:
        def head_bucket(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadBucket")

    others: Any = Others()
    with pytest.raises(CommandError, match="it is not yours to use"):
        bucket.ensure(others, "taken", REGION)
