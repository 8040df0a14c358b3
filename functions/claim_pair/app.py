"""ClaimPair: take the pair for this run, or tell that another run has it."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.fleet import claims
from seeder.fleet.claims import Claim
from seeder.run import Run

logger = Logger()
clients = Clients()


@logger.inject_lambda_context(clear_state=True)
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the claim for `{"execution", "state"}`; the state holds the run and, after a wait, the claim."""
    run = Run.model_validate(event["state"]["run"])
    before = Claim.model_validate(event["state"].get("claim", {}))
    claim = claims.take(clients.s3(clients.region), run, event["execution"], before, _is_running)
    if claim.next == "skip":
        from seeder import closing  # here, because few runs are skipped and it imports half of the library

        closing.skip(run, claim.cause, clients)
    logger.info("claimed", run_id=run.run_id, next=claim.next, held_by=claim.held_by)
    return claim.model_dump()


def _is_running(execution: str) -> bool:
    try:
        return clients.states().describe_execution(executionArn=execution)["status"] == "RUNNING"
    except clients.states().exceptions.ExecutionDoesNotExist:
        return False
    except ClientError:
        if execution.startswith("arn:"):
            raise
        # A run of `seeder run --here`, of which its own machine alone knows.
        return True
