from __future__ import annotations

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from tests.unit.localcloud.roles_world import acting


def test_a_cloud_that_does_not_enforce_lets_everybody_do_everything() -> None:
    with LocalCloud(ScaledClock(1000), enforce=False) as cloud:
        acting(cloud)("s3").create_bucket(Bucket="some-bucket")
        assert cloud.recorded() == []
