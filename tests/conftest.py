"""What tests of several folders share, and tell at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

# How long an example takes depends on what else a machine does.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="module")
def cloud() -> Iterator[Any]:
    """A local cloud without the application, a thousand times as fast: the seconds of AWS are milliseconds."""
    from localcloud.clock import ScaledClock
    from localcloud.cloud import LocalCloud

    with LocalCloud(ScaledClock(1000)) as running:
        yield running


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell which faults the tests of chaos have drawn, if any were run."""
    from tests.chaos.tally import gathered, lines

    reports = [one for name in ("passed", "failed") for one in terminalreporter.stats.get(name, [])]
    tally = gathered(reports)
    if tally:
        terminalreporter.section("chaos")
        for line in lines(tally):
            terminalreporter.write_line(line)
