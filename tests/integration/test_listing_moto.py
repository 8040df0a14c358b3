"""The rules of a listing on moto's S3, in process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud
from tests.listing_rules import every_rule, prove
from tests.served import Served


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with LocalCloud(ScaledClock(1000)) as cloud:
        yield cloud.client("s3")


@every_rule
def test_every_rule_holds(rule: Any, drawn: Any, s3: Any) -> None:
    prove(rule, drawn, Served(s3, examples=25, most_keys=20))
