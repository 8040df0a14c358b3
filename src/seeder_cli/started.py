"""Executions of the deployed state machines: started, and waited for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from seeder_cli.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

POLL_SECONDS = 5.0
FIRST_POLL_SECONDS = 0.5


def start(states: SFNClient, machine_arn: str, document: dict[str, Any]) -> str:
    """Start a state machine; return the execution's ARN. Raises CommandError."""
    try:
        return states.start_execution(stateMachineArn=machine_arn, input=json.dumps(document))["executionArn"]
    except ClientError as error:
        raise CommandError(f"{machine_arn}: {error}", status=1) from error


def wait(
    states: SFNClient, execution_arn: str, sleep: Callable[[float], None] = time.sleep
) -> tuple[str, dict[str, Any], str]:
    """Wait for an execution's end; return its status, its output, and why it failed."""
    pause = FIRST_POLL_SECONDS
    while True:
        seen = states.describe_execution(executionArn=execution_arn)
        if seen["status"] != "RUNNING":
            why = ": ".join(filter(None, (seen.get("error", ""), seen.get("cause", ""))))
            return seen["status"], json.loads(seen.get("output") or "{}"), why
        sleep(pause)
        pause = min(2 * pause, POLL_SECONDS)
