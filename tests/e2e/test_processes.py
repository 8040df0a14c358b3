"""A run whose functions are processes under AWS's runtime interface client, as they are on Lambda."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from tests.e2e.conftest import TEMPLATE
from tests.e2e.deployed import EUROPE, Deployed, LeapingClock
from tests.keys import TRAPS


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with LocalCloud(LeapingClock(1000), functions="processes") as cloud:
        yield Deployed(cloud, cloud.deploy(TEMPLATE))


def processes() -> list[str]:
    """Return the handlers that child processes of this one have."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            command = status.with_name("cmdline").read_bytes().decode().split("\0")
        except OSError:  # it has ended meanwhile
            continue
        if parent == os.getpid() and "awslambdaric" in command:
            found.append(command[-2])
    return found


def test_a_run_is_complete_and_each_of_its_states_was_a_process(deployed: Deployed) -> None:
    source, replica = deployed.bucket(keys=TRAPS), deployed.bucket(EUROPE)
    ended = deployed.seed({"source": source, "destination": replica})
    assert ended["status"] == "SUCCEEDED", ended["cause"]
    assert deployed.contents(replica, EUROPE) == deployed.contents(source)
    visited = {"ResolveRequest", "PaginateKeys", "CreateJob", "ParseReport", "VerifyReplica", "RecordRun"}
    assert len(processes()) >= len(visited)
