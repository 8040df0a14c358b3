"""docs/costs.md holds what the code computes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import costs

PAGE = (Path(__file__).parents[2] / "docs" / "costs.md").read_text("utf-8")


@pytest.mark.parametrize("table", [costs.totals, costs.lines, costs.price_table])
def test_each_table_of_the_page_is_what_the_code_prints(table: object) -> None:
    assert callable(table)
    assert "\n".join(table()) + "\n" in PAGE


def test_datasync_is_cheaper_for_small_objects_alone() -> None:
    objects = 10**8
    for kib, is_cheaper in ((35, True), (45, False)):
        size = kib * 1024 * objects
        ours = costs.seeder("copy", objects, size, costs.SOURCE)
        assert (costs.datasync(objects, size, costs.SOURCE) < ours) is is_cheaper


def test_transfer_passes_all_else_at_340_kib_an_object() -> None:
    objects = 10**8
    for kib, is_most in ((330, False), (350, True)):
        size = kib * 1024 * objects
        here, there = (costs.seeder("copy", objects, size, region) for region in costs.DESTINATIONS.values())
        assert (there - here > here) is is_most
