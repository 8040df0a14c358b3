from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from tests.e2e.deployed import Deployed, LeapingClock

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with LocalCloud(LeapingClock(1000)) as cloud:
        yield Deployed(cloud, cloud.deploy(TEMPLATE))
