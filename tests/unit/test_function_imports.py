"""What the functions import is what their cold start costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functions import ENVIRONMENT, FUNCTIONS

HEAVY = {"boto3", "s3transfer", "aws_xray_sdk", "seeder_cli", "moto", "difflib"}
CODE = "import sys, app; print(*sys.modules)"


@pytest.mark.parametrize("function", ["claim_pair", "copy_large_object", "paginate_keys", "record_run"])
def test_a_function_imports_nothing_that_is_slow_and_not_needed(function: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=FUNCTIONS / function,
        env={**ENVIRONMENT, "PATH": os.defpath},
        check=True,
        capture_output=True,
        text=True,
    )
    assert HEAVY.isdisjoint(told.stdout.split())


def test_each_layer_package_is_one_that_this_environment_is_locked_to() -> None:
    root = Path(__file__).parents[2]
    locked = {
        line.split()[0] for line in (root / "requirements.lock").read_text().splitlines() if "==" in line
    }
    layer = (root / "src" / "requirements.txt").read_text().split()
    assert set(layer) <= locked
