"""The handlers of the deployed functions, loaded without Lambda."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.runs import ACCOUNT, HOME, SETTINGS

FUNCTIONS = Path(__file__).parents[1] / "functions"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": HOME,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "STATE_BUCKET": SETTINGS.state_bucket,
    "JOB_ROLE_ARN": SETTINGS.job_role_arn,
    "COPY_FUNCTION_ARN": SETTINGS.copy_function_arn,
    "POWERTOOLS_METRICS_NAMESPACE": "Seeder",
    "POWERTOOLS_SERVICE_NAME": "seeder",
}


@contextmanager
def loaded(name: str, **environment: str) -> Iterator[Any]:
    """Load `functions/<name>/app.py` in the environment it is deployed with."""
    with pytest.MonkeyPatch.context() as patched:
        for variable, value in {**ENVIRONMENT, **environment}.items():
            patched.setenv(variable, value)
        patched.setattr(sys, "path", [str(FUNCTIONS / name), *sys.path])
        specification = importlib.util.spec_from_file_location(f"{name}_app", FUNCTIONS / name / "app.py")
        assert specification
        assert specification.loader
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        yield module


def context(seconds: float = 900) -> Any:
    """Return a Lambda context with so much time left."""
    return SimpleNamespace(
        function_name="function",
        memory_limit_in_mb=512,
        invoked_function_arn=f"arn:aws:lambda:{HOME}:{ACCOUNT}:function:function",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: int(seconds * 1000),
    )
