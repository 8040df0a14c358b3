"""The examples, run as they stand."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.clock import ScaledClock
from localcloud.cloud import LocalCloud

FOLDER = Path(__file__).parents[2] / "examples"


@pytest.fixture
def s3() -> Iterator[Any]:
    with LocalCloud(ScaledClock(1000)) as cloud:
        client = cloud.client("s3")
        client.create_bucket(Bucket="lake")
        yield client


def run(name: str, s3: Any) -> Any:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(s3, "lake")


def test_writes_without_a_condition_are_refused_by_the_policy(
    s3: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("policy_enforcement", s3) == [False, True, False, False, True]
    assert capsys.readouterr().out.count("AccessDenied") == 3


def test_a_partition_is_written_once(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("write_once_partitions", s3) == [1, 1]
    assert "stands there already" in capsys.readouterr().out


def test_no_update_of_many_is_lost(s3: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("concurrent_updates", s3) == 40
    assert "what does not agree: []" in capsys.readouterr().out


def test_each_example_is_short() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in FOLDER.glob("*.py")}
    assert len(lengths) >= 3
    assert max(lengths.values()) < 60
