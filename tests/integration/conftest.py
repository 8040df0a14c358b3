"""Servers that tests share: one process of SeaweedFS for each worker, emptied after each module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from tests.integration.localcloud.seaweedfs import Weed, running
from tests.servers import LOCAL, REAL, WAYS, Server, clear


@pytest.fixture(scope="session")
def weed() -> Iterator[Weed]:
    with running() as process:
        yield process


@contextmanager
def emptied(client: Any) -> Iterator[Server]:
    try:
        yield Server(REAL, client, WAYS[REAL])
    finally:
        clear(client)


@pytest.fixture(scope="module")
def real(weed: Weed) -> Iterator[Server]:
    """SeaweedFS alone."""
    with emptied(weed.s3) as server:
        yield server


@pytest.fixture(scope="module", params=[LOCAL, REAL])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The local cloud, then SeaweedFS."""
    if request.param == REAL:
        with emptied(request.getfixturevalue("weed").s3) as server:
            yield server
    else:
        with LocalCloud(ScaledClock(1000)) as cloud:
            yield Server(LOCAL, cloud.client("s3"), WAYS[LOCAL])
