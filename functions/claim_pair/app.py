"""ClaimPair: take the pair for this run, or tell that another run has it."""

from __future__ import annotations

from typing import Any

import boto3
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import record
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.fleet import claims
from seeder.fleet.claims import Claim
from seeder.run import Run

logger = Logger()
tracer = Tracer()
clients = Clients()
states = boto3.client("stepfunctions")


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the claim for `{"execution", "state"}`; the state holds the run and, after a wait, the claim."""
    run = Run.model_validate(event["state"]["run"])
    before = Claim.model_validate(event["state"].get("claim", {}))
    s3 = clients.s3(clients.region)
    claim = claims.take(s3, run, event["execution"], before, _is_running)
    if claim.next == "skip":
        record.write(s3, run.state_bucket, record.of_skip(run, claim.cause))
    logger.info("claimed", run_id=run.run_id, next=claim.next, held_by=claim.held_by)
    return claim.model_dump()


def _is_running(execution: str) -> bool:
    try:
        return states.describe_execution(executionArn=execution)["status"] == "RUNNING"
    except states.exceptions.ExecutionDoesNotExist:
        return False
