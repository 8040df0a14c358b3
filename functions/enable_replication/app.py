"""EnableReplication: add a replication rule if asked; otherwise only check."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from seeder import replication
from seeder.clients import Clients
from seeder.errors import aws_errors
from seeder.run import Run
from seeder.settings import Settings

logger = Logger()
tracer = Tracer()
clients = Clients()
settings = Settings.from_environment()


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler
@aws_errors()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return `{"rule_id", "added"}` for a state that holds the run."""
    run = Run.model_validate(event["run"])
    answer = replication.ensure(run, settings.replication_role_arn, clients)
    logger.info("replication", run_id=run.run_id, **answer)
    return answer
