from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from localcloud import s3
from tests.unit.localcloud.replication_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR, DAY = 3600, 86400


@pytest.fixture
def cloud() -> Iterator[World]:
    made = World()
    with mock_aws():
        s3.install(made.patches, made.clock)
        try:
            made.buckets("src", "dst")
            made.put("k", StorageClass="GLACIER")
            yield made
        finally:
            made.patches.undo()


def restore(cloud: World, days: int = 2, tier: str | None = None, **fields: Any) -> int:
    request: dict[str, Any] = {"Days": days, **({"GlacierJobParameters": {"Tier": tier}} if tier else {})}
    answer = cloud.s3.restore_object(**{"Bucket": "src", "Key": "k", "RestoreRequest": request, **fields})
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


@contextmanager
def refused(code: str, status: int) -> Iterator[None]:
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


def copy(cloud: World) -> None:
    cloud.s3.copy_object(Bucket="dst", Key="k", CopySource="src/k")


def copy_part(cloud: World) -> None:
    upload = cloud.s3.create_multipart_upload(Bucket="dst", Key="k")["UploadId"]
    cloud.s3.upload_part_copy(Bucket="dst", Key="k", UploadId=upload, PartNumber=1, CopySource="src/k")


def read(cloud: World) -> None:
    cloud.s3.get_object(Bucket="src", Key="k")


USES = pytest.mark.parametrize("use", [copy, copy_part, read])


@pytest.mark.parametrize(
    ("storage_class", "tier", "hours"),
    [
        ("GLACIER", "Bulk", 12),
        ("GLACIER", None, 5),
        ("GLACIER", "Expedited", 1 / 12),
        ("DEEP_ARCHIVE", "Bulk", 48),
        ("DEEP_ARCHIVE", "Standard", 12),
    ],
)
def test_a_restore_takes_the_time_of_its_tier_and_its_copy_goes_at_midnight_after_the_days(
    cloud: World, storage_class: str, tier: str | None, hours: float
) -> None:
    cloud.put("k", StorageClass=storage_class)
    assert "Restore" not in cloud.head()
    assert restore(cloud, days=1, tier=tier) == 202
    cloud.clock.advance(hours * HOUR - 1)
    assert cloud.head()["Restore"] == 'ongoing-request="true"'
    cloud.clock.advance(1)
    date = {48: "Mon, 05 Jan 2026"}.get(int(hours), "Sat, 03 Jan 2026")
    assert cloud.head()["Restore"] == f'ongoing-request="false", expiry-date="{date} 00:00:00 GMT"'
    cloud.clock.advance(2 * DAY)
    assert "Restore" not in cloud.head()


@USES
def test_an_archived_object_is_used_only_while_it_is_restored(cloud: World, use: Any) -> None:
    with refused("InvalidObjectState", 403):
        use(cloud)
    restore(cloud, days=1)
    with refused("InvalidObjectState", 403):
        use(cloud)
    cloud.clock.advance(5 * HOUR)
    use(cloud)
    cloud.clock.advance(3 * DAY)
    with refused("InvalidObjectState", 403):
        use(cloud)


def test_a_copy_of_a_restored_object_is_not_archived_and_has_no_restore(cloud: World) -> None:
    restore(cloud)
    cloud.clock.advance(5 * HOUR)
    copy(cloud)
    head = cloud.head("k", "dst")
    assert ("StorageClass" in head, "Restore" in head) == (False, False)


def test_restoring_again_prolongs_the_copy(cloud: World) -> None:
    restore(cloud, days=1)
    cloud.clock.advance(5 * HOUR)
    assert restore(cloud, days=9) == 200
    assert "Sun, 11 Jan 2026" in cloud.head()["Restore"]


@pytest.mark.parametrize(
    ("days", "tier", "hastened"),
    [(2, "Expedited", True), (2, "Standard", False), (2, "Bulk", False), (3, "Expedited", False)],
)
def test_a_restore_under_way_can_be_hastened_and_nothing_else(
    cloud: World, days: int, tier: str, hastened: bool
) -> None:
    restore(cloud, days=2, tier="Standard")
    if hastened:
        assert restore(cloud, days, tier) == 202
        cloud.clock.advance(300)
        assert "false" in cloud.head()["Restore"]
    else:
        with refused("RestoreAlreadyInProgress", 409):
            restore(cloud, days, tier)


def test_each_version_is_restored_by_itself(cloud: World) -> None:
    first = cloud.head()["VersionId"]
    second = cloud.put("k", StorageClass="GLACIER")
    restore(cloud, VersionId=first)
    assert ("Restore" in cloud.head(version=first), "Restore" in cloud.head(version=second)) == (True, False)


def test_what_cannot_be_restored_is_refused(cloud: World) -> None:
    cloud.put("plain")
    cloud.put("deep", StorageClass="DEEP_ARCHIVE")
    for code, status, fields in (
        ("InvalidObjectState", 403, {"Key": "plain"}),
        ("NoSuchKey", 404, {"Key": "none"}),
        ("NoSuchVersion", 404, {"VersionId": "none"}),
        ("InvalidArgument", 400, {"Key": "deep", "tier": "Expedited"}),
        ("MalformedXML", 400, {"days": 0}),
        ("NotImplemented", 501, {"RestoreRequest": {"Days": 1, "Type": "SELECT"}}),
    ):
        with refused(code, status):
            restore(cloud, **fields)
