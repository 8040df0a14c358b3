"""Executions of the deployed state machines: named, started, and waited for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from seeder.naming import fresh_identity, run_name
from seeder_cli.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def start(states: SFNClient, machine_arn: str, document: dict[str, Any], name: str = "") -> str:
    """Start a state machine, its execution under this name if one is given; return its ARN. Raises CommandError.

    The name is what makes a request that is sent twice, as boto3 does where no answer came, start one execution.
    """
    given: Any = {"name": name} if name else {}
    try:
        answer = states.start_execution(stateMachineArn=machine_arn, input=json.dumps(document), **given)
    except ClientError as error:
        raise CommandError(f"{machine_arn}: {error}", status=1) from error
    return answer["executionArn"]


def fresh_name(source: str, destination: str, trigger: str = "manual") -> str:
    """Return a name for a run of a pair that no other has."""
    identity = fresh_identity(datetime.now(UTC), SystemRandom())
    return run_name(trigger, source, destination, identity)
