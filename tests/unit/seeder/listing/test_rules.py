"""The rules of a listing on buckets in memory, in the order of S3 and in another."""

from __future__ import annotations

from typing import Any

import pytest

from tests.listing_rules import every_rule, prove
from tests.served import Memory


@every_rule
@pytest.mark.parametrize("is_ordered", [True, False], ids=["order-of-s3", "order-by-folders"])
def test_every_rule_holds(rule: Any, drawn: Any, is_ordered: bool) -> None:
    prove(rule, drawn, Memory(is_ordered))
