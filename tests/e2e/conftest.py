from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from tests.e2e.deployed import Deployed

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with LocalCloud(ScaledClock(1000)) as cloud:
        yield Deployed(cloud, cloud.deploy(TEMPLATE))
