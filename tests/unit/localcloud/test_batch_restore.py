from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from localcloud import s3
from localcloud.batch_operations import Settings
from localcloud.clock import ManualClock
from localcloud.patching import Patches
from tests.unit.localcloud.batch_world import World, allow, deny, world

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR = 3600


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def cloud(clock: ManualClock) -> Iterator[World]:
    patches = Patches()
    with world(Settings(clock=clock, retry_seconds=0.0)) as made:
        s3.install(patches, clock)
        try:
            made.put("frozen", StorageClass="GLACIER")
            made.put("warm")
            yield made
        finally:
            patches.undo()


def run(
    cloud: World, keys: str = "frozen", tier: str = "BULK", days: int = 1, **more: Any
) -> list[list[str]]:
    operation = {"S3InitiateRestoreObject": {"ExpirationInDays": days, "GlacierJobTier": tier}}
    rows = "".join(f"src,{key}\n" for key in keys.split())
    job = cloud.run(cloud.manifest(rows), operation, **more)
    assert job["Status"] == "Complete"
    return cloud.rows(job)


def restored(cloud: World, key: str = "frozen") -> str:
    return str(cloud.s3.head_object(Bucket="src", Key=key).get("Restore", ""))


@pytest.mark.parametrize(("tier", "hours"), [("BULK", 12), ("STANDARD", 5)])
def test_a_restore_is_initiated_then_done_after_its_tiers_time(
    cloud: World, clock: ManualClock, tier: str, hours: int
) -> None:
    assert run(cloud, tier=tier) == [["src", "frozen", "", "succeeded", "200", "", "Successful"]]
    assert restored(cloud) == 'ongoing-request="true"'
    clock.advance(hours * HOUR)
    assert restored(cloud) == 'ongoing-request="false", expiry-date="Sat, 03 Jan 2026 00:00:00 GMT"'


def test_a_copy_job_takes_an_archived_object_only_once_it_is_restored(
    cloud: World, clock: ManualClock
) -> None:
    manifest = cloud.manifest("src,frozen\n")
    assert cloud.rows(cloud.run(manifest))[0][3:6] == ["failed", "403", "InvalidObjectState"]
    run(cloud)
    manifest = cloud.manifest("src,frozen\n")
    assert cloud.rows(cloud.run(manifest))[0][3:6] == ["failed", "403", "InvalidObjectState"]
    clock.advance(12 * HOUR)
    assert cloud.rows(cloud.run(manifest))[0][3] == "succeeded"


def test_an_object_that_is_not_archived_fails_its_task(cloud: World) -> None:
    by_key = {row[1]: row[3:6] for row in run(cloud, "frozen warm")}
    assert by_key == {"frozen": ["succeeded", "200", ""], "warm": ["failed", "403", "InvalidObjectState"]}


def test_a_restore_under_way_fails_the_task_unless_the_job_is_faster(cloud: World) -> None:
    run(cloud, tier="BULK")
    assert run(cloud, tier="BULK")[0][3:6] == ["failed", "409", "RestoreAlreadyInProgress"]
    assert run(cloud, tier="STANDARD")[0][3] == "succeeded"


def test_the_job_role_needs_restore_object(cloud: World) -> None:
    role = cloud.make_role("narrow", allow("s3:*"), deny("s3:RestoreObject"))
    assert run(cloud, RoleArn=role)[0][3:6] == ["failed", "403", "AccessDenied"]
    assert restored(cloud) == ""


@pytest.mark.parametrize("parameters", [{}, {"ExpirationInDays": 0, "GlacierJobTier": "BULK"}], ids=str)
def test_days_are_required(cloud: World, parameters: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="ExpirationInDays of S3InitiateRestoreObject must be 1 or more"):
        cloud.create(cloud.manifest("src,frozen\n"), {"S3InitiateRestoreObject": parameters})
