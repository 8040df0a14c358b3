"""What tests of several folders share, and tell at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

# How long an example takes depends on what else a machine does.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
# Of the examples that a property asks for, so many are drawn; SEEDER_EXAMPLES=1 draws all.
EXAMPLES = float(os.environ.get("SEEDER_EXAMPLES", "0.4"))
FEWEST = 10


@pytest.fixture(scope="module")
def cloud() -> Iterator[Any]:
    """A local cloud without the application, a thousand times as fast: the seconds of AWS are milliseconds."""
    from localcloud.clock import ScaledClock
    from localcloud.cloud import LocalCloud

    with LocalCloud(ScaledClock(1000)) as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Draw a part of the examples, in each run others: two cores have eight minutes for all tests."""
    for function in {getattr(item, "obj", None) for item in items}:
        asked = getattr(function, "_hypothesis_internal_use_settings", None)
        if function is not None and asked is not None:
            most = max(min(FEWEST, asked.max_examples), int(asked.max_examples * EXAMPLES))
            function._hypothesis_internal_use_settings = settings(asked, max_examples=most)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell which faults the tests of chaos have drawn, if any were run."""
    from tests.chaos.tally import gathered, lines

    reports = [one for name in ("passed", "failed") for one in terminalreporter.stats.get(name, [])]
    tally = gathered(reports)
    if tally:
        terminalreporter.section("chaos")
        for line in lines(tally):
            terminalreporter.write_line(line)
