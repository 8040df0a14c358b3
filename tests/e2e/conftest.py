from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud import functions
from localcloud.cloud import LocalCloud
from seeder import triggers
from tests.e2e.deployed import Deployed, LeapingClock

TEMPLATE = Path(os.environ.get("SEEDER_TEMPLATE", Path(__file__).parents[2] / "template.yaml")).resolve()
"""The template under test: the source's, or what `sam build` made of it, whose functions must be processes."""


@pytest.fixture(scope="session", autouse=True)
def _layer_of_the_template() -> None:
    if "SEEDER_TEMPLATE" in os.environ and os.environ.get(functions.VARIABLE) != functions.PROCESSES:
        pytest.exit(
            "functions in this process import seeder from here, not from the built layer: use make test-built"
        )


@pytest.fixture(scope="module", autouse=True)
def _rules_settle_soon() -> Iterator[None]:
    """S3 shows here at once what was put, so an event that tells of other rules than there are need not wait long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(triggers, "SETTLE_SECONDS", 0.1)
        patch.setattr(triggers, "SETTLE_POLL_SECONDS", 0.05)
        yield


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with LocalCloud(LeapingClock(1000)) as cloud:
        yield Deployed(cloud, cloud.deploy(TEMPLATE))
