"""Many writers of one registry, in threads and in processes, on the local cloud's server and on a real S3 server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from tests import lake_writers
from tests.servers import LOCAL, REAL

POOLS = pytest.mark.parametrize(
    "pool", [lake_writers.in_threads, lake_writers.in_processes], ids=["threads", "processes"]
)


@pytest.fixture(scope="module", params=[LOCAL, REAL])
def endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == REAL:
        s3 = request.getfixturevalue("real").buckets(lake_writers.BUCKET)
        yield s3.meta.endpoint_url
        return
    with LocalCloud(ScaledClock(1000)) as cloud:
        cloud.client("s3").create_bucket(Bucket=lake_writers.BUCKET)
        server = cloud.serve()
        yield server.url
        server.stop()


@POOLS
def test_no_update_is_lost_or_doubled(pool: Callable[[], Executor], endpoint: str) -> None:
    lake_writers.no_update_is_lost_or_doubled(pool(), endpoint, f"metastore/{pool.__name__}.json")


def test_no_file_of_many_threads_is_lost_or_doubled(endpoint: str) -> None:
    lake_writers.no_file_is_lost_or_doubled(lake_writers.in_threads(), endpoint)
